import ArgumentParser
import MarketData
import PluginHost

/// `feedhost`: the program. What it does is in the rooms; here are its commands.
@main
struct Feedhost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feedhost",
        abstract: "Market data for OpenAlgo clients: brokers' adapters in, WebSocket out.",
        version: FeedhostVersion.text,
        subcommands: [
            ServeCommand.self, DemoCommand.self, TailCommand.self, PluginsCommand.self, UsersCommand.self,
            KeysCommand.self, CredentialsCommand.self, InstrumentsCommand.self, BusCommand.self, DoctorCommand.self,
        ])

    static func main() async {
        // A plugin is probed in a child of this very binary; it must not even parse arguments before.
        if CommandLine.arguments.dropFirst().first == PluginProbe.command {
            PluginProbe.runChild(arguments: Array(CommandLine.arguments.dropFirst(2)))
        }
        // Every command may come to hold credentials.
        CoreDumps.forbid()
        Privileges.giveUp()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let slip = CommandSlip.find(arguments, below: Feedhost.self) { exit(withError: ValidationError(slip)) }
        if let help = ServeCommand.help(arguments) { return print(help) }
        await main(arguments)
    }
}
