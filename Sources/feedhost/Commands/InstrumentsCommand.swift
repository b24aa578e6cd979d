import ArgumentParser
import Foundation
import Instruments

/// `feedhost instruments …`
struct InstrumentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instruments", abstract: "The brokers' instrument masters: which symbols there are.",
        discussion:
            "They are kept in instruments.sqlite beside the account store. A running host takes new ones up at once.",
        subcommands: [Sync.self, Import.self, Search.self, List.self])
}

extension InstrumentsCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the masters that are stored.")
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let settings = try Settings.load(options.input)
            let store = try MasterStore.existing(path: MasterStore.path(beside: settings.store))
            let records = try await store?.records() ?? []
            guard !records.isEmpty else {
                FileHandle.standardError.write(
                    Data("There are no instruments. `feedhost instruments sync BROKER` downloads them.\n".utf8))
                return
            }
            let rows = records.map {
                [
                    $0.broker, "\($0.rows)", "\($0.leftOut)", TextTable.time($0.syncedAt),
                    InstrumentTexts.age(since: $0.syncedAt), $0.source,
                ]
            }
            print(TextTable.lines(["BROKER", "ROWS", "LEFT OUT", "SYNCED", "AGE", "SOURCE"], rows))
            store?.close()
        }
    }
}
