import Foundation
import Logging
import MarketData

/// Keeps the masters fresh while the host runs: those of brokers whose users have credentials, once a day, and at once
/// when one is missing. A failure leaves the old rows and is tried again; fresh credentials end the waiting.
package actor InstrumentRefresh {
    private struct Failures {
        var count = 0
        /// The newest credentials that have failed.
        var version: UInt64 = 0
        var next = ContinuousClock.now
    }

    private let masters: BrokerMasters
    private let path: String
    private let schedule: RefreshSchedule
    private let logger: Logger
    private var store: MasterStore?
    private var failures: [String: Failures] = [:]
    private var lastTrouble: String?

    /// - Parameter path: Of the instrument store, which is made when there is something to put into it.
    package init(masters: BrokerMasters, path: String, schedule: RefreshSchedule, logger: Logger) {
        self.masters = masters
        self.path = path
        self.schedule = schedule
        self.logger = logger
    }

    /// Looks for what is due until the task is cancelled. Looking costs two small queries.
    package func run(every interval: Duration = .seconds(5)) async {
        while !Task.isCancelled {
            do {
                try await look()
                lastTrouble = nil
            } catch {
                guard !Task.isCancelled else { break }
                if lastTrouble != "\(error)" { logger.warning("the instruments cannot be refreshed: \(error)") }
                lastTrouble = "\(error)"
            }
            try? await Task.sleep(for: interval)
        }
        store?.close()
    }

    private func look() async throws {
        for broker in masters.brokers {
            guard let version = try await masters.owners(broker).map(\.version).max() else { continue }
            let stored = try await records().first { $0.broker == broker }
            guard schedule.isDue(synced: stored?.syncedAt, now: Int64(Date().timeIntervalSince1970)) else { continue }
            if let failed = failures[broker], failed.version == version, ContinuousClock.now < failed.next { continue }
            guard !Task.isCancelled else { return }
            await refresh(broker, version: version, stored: stored)
        }
    }

    private func refresh(_ broker: String, version: UInt64, stored: MasterRecord?) async {
        logger.info("fetching the instruments of \(broker)")
        do {
            let store = try open()
            let begun = ContinuousClock.now
            let record = try await masters.sync(broker, into: store)
            failures[broker] = nil
            logger.info("\(InstrumentTexts.summary(record, seconds: ContinuousClock.now - begun))")
        } catch {
            guard !Task.isCancelled else { return }
            var failed = failures[broker] ?? Failures()
            failed.count = failed.version == version ? failed.count + 1 : 1
            failed.version = version
            let wait = RefreshSchedule.wait(afterFailures: failed.count)
            failed.next = ContinuousClock.now + wait
            failures[broker] = failed
            let rest =
                stored.map { "those of \(InstrumentTexts.time($0.syncedAt)) stay in use" } ?? "there are none yet"
            logger.warning(
                "the instruments of \(broker) could not be fetched: \(error); \(rest). Next try in \(wait.components.seconds / 60) min, or when credentials change; `feedhost instruments import \(broker) FILE` takes a file."
            )
        }
    }

    private func records() async throws -> [MasterRecord] {
        if store == nil { store = try MasterStore.existing(path: path) }
        return try await store?.records() ?? []
    }

    private func open() throws -> MasterStore {
        if let store { return store }
        let opened = try MasterStore(path: path)
        store = opened
        return opened
    }
}
