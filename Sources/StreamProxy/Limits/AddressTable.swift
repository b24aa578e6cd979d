import NIOCore
import Synchronization

/// What is known of each address: sockets, and wrong keys. Any thread.
///
/// Looked at when a client connects, authenticates or leaves, never for a message. Bounded: an address that has no socket
/// and has done nothing wrong for a while is forgotten, and when there are too many of them the oldest are.
final class AddressTable: Sendable {
    struct Entry {
        var sockets = 0
        var unauthenticated = 0
        var failures: TokenBucket?
        /// Keys that are being looked at, each of which may be wrong.
        var checks = 0
        /// Keys from this address are not looked at before.
        var blockedUntil: NIODeadline = .uptimeNanoseconds(0)
        /// Times that it was blocked without a quiet spell in between.
        var strikes = 0
        var touched: NIODeadline

        /// Nothing would be lost with it.
        mutating func isIdle(_ rate: TokenBucket.Rate?, now: NIODeadline) -> Bool {
            guard sockets == 0, checks == 0, now >= blockedUntil else { return false }
            guard let rate, var bucket = failures else { return true }
            defer { failures = bucket }
            return bucket.isFull(rate, now: now)
        }
    }

    /// Addresses of which each part is kept; 64 Ki in all, about 8 MB.
    static let capacity = 4096
    private static let parts = 16

    private let rate: TokenBucket.Rate?
    private let table: [Part]

    private final class Part: Sendable {
        let entries = Mutex<[PeerAddress: Entry]>([:])
    }

    init(failures rate: TokenBucket.Rate?) {
        self.rate = rate
        table = (0..<Self.parts).map { _ in Part() }
    }

    /// Changes what is known of an address.
    func update<T: Sendable>(_ address: PeerAddress, now: NIODeadline, _ body: (inout Entry) -> sending T) -> T {
        let key = address.limited
        return part(of: key).entries.withLock { entries in
            if entries[key] == nil, entries.count >= Self.capacity { evict(&entries, now) }
            var entry = entries[key] ?? Entry(touched: now)
            entry.touched = now
            let result = body(&entry)
            // One of which nothing would be lost needs no place.
            entries[key] = entry.isIdle(rate, now: now) ? nil : entry
            return result
        }
    }

    /// How many addresses are kept now.
    var count: Int { table.reduce(0) { $0 + $1.entries.withLock { $0.count } } }

    private func part(of key: PeerAddress) -> Part {
        // The hash is seeded: nobody outside can choose addresses that meet in one part.
        table[Int(truncatingIfNeeded: UInt(bitPattern: key.hashValue) % UInt(Self.parts))]
    }

    /// Forgets what is idle; if everything is busy, the eighth without sockets that was quiet the longest.
    private func evict(_ entries: inout [PeerAddress: Entry], _ now: NIODeadline) {
        for (address, entry) in entries {
            var entry = entry
            if entry.isIdle(rate, now: now) { entries[address] = nil }
        }
        guard entries.count >= Self.capacity else { return }
        let oldest = entries.filter { $0.value.sockets == 0 }.sorted { $0.value.touched < $1.value.touched }
        for (address, _) in oldest.prefix(Self.capacity / 8) { entries[address] = nil }
    }
}
