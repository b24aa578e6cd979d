import Foundation
import MarketData
import Secrets

/// Finds keys by their Argon2 hashes: one at a time, on a thread that gives way to all others, and none twice.
actor HashedKeys {
    /// Different keys that may wait. Each costs 150 ms for every row: whoever floods is turned away instead of piling up.
    private static let longestQueue = 8
    /// Wrong keys that are remembered.
    private static let capacity = 1024

    /// Of a key against the rows of that moment.
    private struct Question: Hashable {
        let digest: Data
        let rows: [Int64]
    }

    private let pepper: Secret
    /// By digest, the number of the key. Kept apart, so that no number of wrong ones drives out a right one.
    private var right: [Data: Int64] = [:]
    private var wrong: Set<Question> = []
    /// Whoever shows a key that is being looked at waits for the same answer: after a restart all of a user's programs come
    /// with one key.
    private var underWay: [Question: Task<Int64?, Never>] = [:]
    /// The one that was begun last; the next one begins when it is done.
    private var latest: Task<Int64?, Never>?
    /// Keys that were hashed, for tests.
    private(set) var searches = 0

    init(pepper: Secret) { self.pepper = pepper }

    /// The number of the key among `candidates` that `key` is.
    /// - Throws: ``FeedError`` with `RATE_LIMITED` while too many are waiting.
    func find(_ key: Secret, digest: Data, among candidates: [OpenAlgoState.Key]) async throws -> Int64? {
        // Numbers are never used twice, so an outcome stays true as long as its row is there.
        if let id = right[digest], candidates.contains(where: { $0.id == id }) { return id }
        let question = Question(digest: digest, rows: candidates.map(\.id))
        if wrong.contains(question) { return nil }
        if let search = underWay[question] { return await search.value }
        guard underWay.count < Self.longestQueue else {
            throw FeedError(.rateLimited, "Too many keys are being checked, try again in a few seconds")
        }
        let text = Self.join(key, pepper)
        let search = Task { [latest] in
            _ = await latest?.value
            return await Self.search(text, candidates)
        }
        searches += 1
        (latest, underWay[question]) = (search, search)
        let found = await search.value
        underWay[question] = nil
        if underWay.isEmpty { latest = nil }
        note(question, found)
        return found
    }

    private func note(_ question: Question, _ found: Int64?) {
        if let found {
            right = right.filter { question.rows.contains($0.value) }
            right[question.digest] = found
        } else {
            if wrong.count >= Self.capacity { wrong.removeAll() }
            wrong.insert(question)
        }
    }

    /// A thread of its own for each search: a pool's thread would stay slow for whatever runs on it next.
    private static func search(_ text: Secret, _ candidates: [OpenAlgoState.Key]) async -> Int64? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                giveWay()
                continuation.resume(returning: candidates.first { Argon2.verify(text, hash: $0.row.hash) }?.id)
            }
        }
    }

    /// Who serves clients goes first whenever there is something to do. Where it is forbidden everything works, less smoothly.
    private static func giveWay() {
        // Linux: the priority of the calling thread alone.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
    }

    /// What is hashed: the key with the pepper behind it.
    private static func join(_ key: Secret, _ pepper: Secret) -> Secret {
        // Room first: bytes that outgrow their place leave a copy there.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(key.withBytes { $0.count } + pepper.withBytes { $0.count })
        defer { Wipe.zero(&bytes) }
        for part in [key, pepper] { part.withBytes { bytes.append(contentsOf: $0) } }
        return bytes.withUnsafeBytes { Secret(bytes: $0) }
    }
}
