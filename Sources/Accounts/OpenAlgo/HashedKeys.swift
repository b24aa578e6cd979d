import Dispatch
import Foundation
import MarketData

/// Finds keys by their Argon2 hashes: one at a time, on a thread of its own, and none twice.
actor HashedKeys {
    /// Keys that may wait. Each costs 150 ms for every row: whoever floods is turned away instead of piling up.
    private static let longestQueue = 8
    /// Outcomes that are remembered.
    private static let capacity = 1024

    /// Of a key against the rows of that moment.
    private struct Question: Hashable {
        let digest: Data
        let rows: [Int64]
    }

    private let pepper: Secret
    private let lane = DispatchQueue(label: "feedhost.openalgo.hashing", qos: .utility)
    private var outcomes: [Question: Int64?] = [:]
    private var waiting = 0

    init(pepper: Secret) { self.pepper = pepper }

    /// The number of the key among `candidates` that `key` is.
    /// - Throws: ``FeedError`` with `SERVER_ERROR` while too many are waiting.
    func find(_ key: Secret, digest: Data, among candidates: [OpenAlgoState.Key]) async throws -> Int64? {
        // Numbers are never used twice, so an outcome stays true for the same rows.
        let question = Question(digest: digest, rows: candidates.map(\.id))
        if let known = outcomes[question] { return known }
        guard waiting < Self.longestQueue else {
            throw FeedError(.server, "Too many keys are being checked, try again in a few seconds")
        }
        waiting += 1
        let text = Secret(key.revealed + pepper.revealed)
        let found = await withCheckedContinuation { continuation in
            lane.async {
                continuation.resume(returning: candidates.first { Argon2.verify(text, hash: $0.row.hash) }?.id)
            }
        }
        waiting -= 1
        if outcomes.count >= Self.capacity { outcomes.removeAll() }
        outcomes[question] = .some(found)
        return found
    }
}
