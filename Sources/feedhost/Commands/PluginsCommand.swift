import Adapters
import ArgumentParser
import Foundation
import Logging

/// `feedhost plugins …`
struct PluginsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "Adapters and where they come from.", subcommands: [List.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows every file seen, and why those that are not loaded are not.")

        @OptionGroup var configuration: ConfigurationOptions
        @Option(help: ArgumentHelp("Folder with adapters, before all others; repeatable.", valueName: "dir"))
        var plugins: [String] = []
        @Flag(help: "As a JSON array.") var json = false

        func run() async throws {
            var input = configuration.input
            input.pluginFolders = plugins
            let settings = try Settings.load(input)
            let registry = PluginScan.run(settings)
            let records = registry.report
            guard !json else {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                try Output.line(String(decoding: encoder.encode(records), as: UTF8.self))
                return
            }
            guard !records.isEmpty else {
                let sentence = PluginScan.nothingFound(registry)
                try Output.line(sentence.prefix(1).uppercased() + sentence.dropFirst() + ".")
                return
            }
            let rows = records.map { record in
                [
                    record.state.rawValue, record.broker ?? "-", record.id ?? "-", record.version ?? "-",
                    record.abi ?? "-", record.summary ?? "-", record.path,
                ]
            }
            try Output.line(TextTable.lines(["STATE", "BROKER", "ID", "VERSION", "ABI", "CAPABILITIES", "PATH"], rows))
            let reasons = records.compactMap { record in record.reason.map { "  \(record.path): \($0)" } }
            if !reasons.isEmpty { try Output.line("\nNot loaded, and why:\n" + reasons.joined(separator: "\n")) }
        }
    }
}
