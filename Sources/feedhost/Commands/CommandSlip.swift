import ArgumentParser
import MarketData

/// A command that there is not, found before the arguments are read: then what was meant can be said.
enum CommandSlip {
    /// - Parameter arguments: without the program's name.
    /// - Returns: A sentence, or nil when the command exists or none is named.
    static func find(_ arguments: [String], below root: any ParsableCommand.Type) -> String? {
        var command = root
        var path = command.configuration.commandName ?? ""
        for argument in arguments {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return nil }
            if let next = subcommands.first(where: { name(of: $0) == argument }) {
                command = next
                path += " \(argument)"
                continue
            }
            let names = subcommands.map(name(of:))
            let hint = NearMatch.hint(for: argument, among: names)
            let list = " There are: \(names.joined(separator: ", "))."
            return "There is no command `\(path) \(argument)`.\(hint.isEmpty ? list : hint)"
        }
        return nil
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }
}
