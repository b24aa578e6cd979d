import ArgumentParser
import Foundation
import Instruments
import MarketData

extension InstrumentsCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the masters that are stored.")
        @Flag(help: "Show which rows were left out, why, and who goes by another name.") var leftOut = false
        @Option(help: "Only of this broker.") var broker: String?
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let settings = try Settings.load(options.input)
            let store = try MasterStore.existing(path: MasterStore.path(beside: settings.store))
            defer { store?.close() }
            let wanted = broker?.lowercased()
            let records = try await store?.records().filter { wanted == nil || $0.broker == wanted } ?? []
            guard !records.isEmpty else {
                let name = broker ?? "BROKER"
                Output.note("There are no instruments. `feedhost instruments sync \(name)` downloads them.")
                return
            }
            let rows = records.map {
                [
                    $0.broker, "\($0.rows)", "\($0.leftOut)", TextTable.time($0.syncedAt),
                    InstrumentTexts.age(since: $0.syncedAt), $0.source,
                ]
            }
            try Output.line(TextTable.lines(["BROKER", "ROWS", "LEFT OUT", "SYNCED", "AGE", "SOURCE"], rows))
            if leftOut {
                try show(records, namesakes: try await store?.namesakes(broker: wanted) ?? [])
            } else {
                for record in records where record.leftOut > 0 {
                    try Output.line(
                        "\(record.broker): \(InstrumentTexts.leftOut(record)); --left-out shows the first ones")
                }
                for record in records {
                    for file in record.emptyFiles { print("\(record.broker): \(file) holds no instruments") }
                }
                for record in records where record.namesakes > 0 {
                    try Output.line(
                        "\(record.broker): \(record.namesakes) instruments go by the broker's symbol, as another one has their name; --left-out shows them"
                    )
                }
            }
        }

        private func show(_ records: [MasterRecord], namesakes: [Namesake]) throws {
            let reasons = records.flatMap { record in
                record.reasons.flatMap { reason in
                    [
                        [
                            record.broker, "\(reason.count)", reason.text,
                            reason.examples.first.map { InstrumentTexts.shown($0) } ?? "-",
                        ]
                    ]
                        + reason.examples.dropFirst().map { ["", "", "", InstrumentTexts.shown($0)] }
                }
            }
            if !reasons.isEmpty {
                try Output.line("")
                try Output.line(TextTable.lines(["BROKER", "ROWS", "LEFT OUT BECAUSE", "FOR EXAMPLE"], reasons))
            }
            guard !namesakes.isEmpty else { return }
            let rows = namesakes.map {
                [
                    $0.broker, "\($0.instrument)", $0.brokerToken,
                    "\($0.instrument.exchange):\($0.wanted) is \($0.winner), token \($0.winnerToken)",
                ]
            }
            try Output.line("")
            try Output.line(TextTable.lines(["BROKER", "SYMBOL", "ITS TOKEN", "BECAUSE"], rows))
        }
    }
}
