import Accounts
import ArgumentParser
import Foundation
import Instruments
import MarketData
import Operations

extension InstrumentsCommand {
    struct Sync: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Downloads masters and puts them in the place of those that are stored.",
            discussion: "What fails or is not to be trusted changes nothing: the old instruments stay.")
        @Argument(help: "The brokers; without one, all that users are on.") var brokers: [String] = []
        @Option(help: "Whose credentials to download with, where the broker wants some; else any user's.")
        var user: String?
        @Flag(help: InstrumentsCommand.forceHelp) var force = false
        @OptionGroup var options: AdapterOptions

        func run() async throws {
            let settings = try Settings.load(options.input)
            let masters = try await BrokerMasters.load(settings)
            if let notice = StorePart.instruments.notice(settings) { Output.note(notice) }
            let wanted = try await wanted(masters)
            let store = try MasterStore(path: MasterStore.path(beside: settings.store))
            var failures: [String] = []
            for broker in wanted {
                let progress = SyncProgress(broker: broker)
                let begun = ContinuousClock.now
                let record: MasterRecord
                do {
                    record = try await masters.sync(broker, user: user, into: store, insist: force) {
                        progress.show($0)
                    }
                    progress.end()
                } catch {
                    progress.end()
                    failures.append("\(broker): \(error)")
                    continue
                }
                try Output.line(InstrumentTexts.summary(record, seconds: ContinuousClock.now - begun))
                try InstrumentTexts.details(record).forEach { try Output.line($0) }
            }
            store.close()
            guard failures.isEmpty else {
                throw StartError(failures.joined(separator: "\n") + "\nWhat was stored before has not changed.")
            }
        }

        private func wanted(_ masters: BrokerMasters) async throws -> [String] {
            if !brokers.isEmpty { return brokers.map { $0.lowercased() } }
            let used = try await masters.used()
            let wanted = masters.brokers.filter(used.contains)
            guard wanted.isEmpty else { return wanted }
            guard !masters.brokers.isEmpty else {
                throw StartError(
                    "No adapter that is loaded has an instrument master. `feedhost plugins list` shows what is loaded.")
            }
            throw StartError(
                "Nobody is on a broker that has an instrument master. Name one: \(masters.brokers.joined(separator: ", "))."
            )
        }
    }
}
