import Adapters
import ArgumentParser
import Foundation
import MarketData
import Operations

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
        Output.occupyClosedStreams()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if let slip = CommandSlip.find(arguments, below: Feedhost.self) { throw ValidationError(slip) }
            if let help = ServeCommand.help(arguments) { return try Output.line(help) }
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(error)
        }
    }

    /// As the library ends a command, except that help which cannot be shown is no success.
    private static func end(_ error: any Error) -> Never {
        if error is Output.Closed { Output.endAsClosed() }
        let message = fullMessage(for: error)
        let code = exitCode(for: error)
        guard !message.isEmpty else { exit(code) }
        guard code == .success else {
            Output.note(message)
            exit(code)
        }
        do {
            try Output.line(message)
            exit(code)
        } catch {
            end(error)
        }
    }

    private static func exit(_ code: ExitCode) -> Never { Foundation.exit(code.rawValue) }
}
