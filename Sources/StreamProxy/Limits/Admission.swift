import MarketData
import NIOCore
import Secrets
import Synchronization

/// Who may come in, and how often: the limits that all event loops share. Any thread; asked when a client connects,
/// authenticates or leaves.
final class Admission: Sendable {
    /// Why somebody is not let in.
    enum Refusal: Sendable, Hashable {
        case tooManyOfAddress
        case tooManyUnauthenticated
        case tooManyUnauthenticatedOfAddress
    }

    let limits: ProxyLimits
    private let addresses: AddressTable
    private let users = Mutex<[String: Int]>([:])
    private let rightKeys = Mutex<Set<KeyMark>>([])
    private let unauthenticated = Atomic<Int>(0)

    init(_ limits: ProxyLimits) {
        self.limits = limits
        addresses = AddressTable(failures: limits.failureRate)
    }

    /// Addresses that something is known of, for tests.
    var addressCount: Int { addresses.count }

    // MARK: Sockets

    /// A socket has come that is known to be nobody's yet.
    /// - Returns: Nil when it may stay; then ``leaveUnauthenticated()`` takes it out again.
    func enter() -> Refusal? {
        let count = unauthenticated.wrappingAdd(1, ordering: .relaxed).newValue
        guard let limit = limits.unauthenticated, count > limit else { return nil }
        leaveUnauthenticated()
        return .tooManyUnauthenticated
    }

    /// It no longer counts as one without a key.
    func leaveUnauthenticated() { unauthenticated.wrappingSubtract(1, ordering: .relaxed) }

    /// The socket, not yet authenticated, is of that address.
    /// - Returns: Nil when it may stay; then ``leave(_:wasAuthenticated:now:)`` takes it out again.
    func enter(_ address: PeerAddress, now: NIODeadline) -> Refusal? {
        let counts = !address.isLocal || limits.countsLocalSockets
        return addresses.update(address, now: now) { entry in
            if counts, let limit = limits.connectionsPerAddress, entry.sockets >= limit { return .tooManyOfAddress }
            if counts, let limit = limits.unauthenticatedPerAddress, entry.unauthenticated >= limit {
                return .tooManyUnauthenticatedOfAddress
            }
            entry.sockets += 1
            entry.unauthenticated += 1
            return nil
        }
    }

    func authenticated(_ address: PeerAddress, now: NIODeadline) {
        addresses.update(address, now: now) { $0.unauthenticated -= 1 }
    }

    func leave(_ address: PeerAddress, wasAuthenticated: Bool, now: NIODeadline) {
        addresses.update(address, now: now) { entry in
            entry.sockets -= 1
            if !wasAuthenticated { entry.unauthenticated -= 1 }
        }
    }

    // MARK: Users

    /// - Returns: False when the user has as many connections as it may.
    func enter(user: String) -> Bool {
        users.withLock { users in
            let count = users[user, default: 0]
            if let limit = limits.connectionsPerUser, count >= limit { return false }
            users[user] = count + 1
            return true
        }
    }

    func leave(user: String) {
        users.withLock { users in
            let count = users[user, default: 0]
            users[user] = count > 1 ? count - 1 : nil
        }
    }

    // MARK: Keys

    /// The longest time that an address is made to wait at once.
    static let longestBlock = TimeAmount.seconds(60)

    /// How often a key waits for others of its address: 10 ms, 20, 40 … 640 ms, so 1.3 s in all.
    static let mostWaits = 7

    /// Keys that were right once; so many of them are remembered.
    static let knownKeys = 1 << 16

    /// What becomes of a key that somebody shows.
    enum Attempt: Sendable, Hashable {
        /// It is looked at; then ``settle(_:_:wasRight:isCounted:now:)`` says what became of it.
        /// - Parameter isCounted: Taken for a wrong one meanwhile.
        case look(isCounted: Bool)
        /// Other keys of that address are being looked at, and as many as may be wrong: ask again soon.
        case later
        /// It is not looked at for so long.
        case wait(TimeAmount)
    }

    /// Whether a key from that address is looked at now. It is taken for a wrong one until it is settled, so that a thousand
    /// wrong keys at the same moment are not a thousand checks; a thousand right ones wait for each other.
    ///
    /// Whoever has used up its wrong keys waits 1 s, then 2, 4, 8 … 60 s, each time for one more. Asking meanwhile does not
    /// prolong the time. A key that was right before is always looked at: many clients may share an address, above all this
    /// machine's own and that of a reverse proxy, and one that goes wrong must not lock the others out.
    ///
    /// - Parameter isPatient: False for whoever has waited for others long enough: where checks take long, as slow hashes do,
    ///   there is always one under way, and a flood would wait in ever larger numbers instead of being slowed.
    func attempt(_ address: PeerAddress, _ key: KeyMark, isPatient: Bool = true, now: NIODeadline) -> Attempt {
        guard let rate = limits.failureRate, !rightKeys.withLock({ $0.contains(key) }) else {
            return .look(isCounted: false)
        }
        return addresses.update(address, now: now) { entry in
            if now < entry.blockedUntil { return .wait(entry.blockedUntil - now) }
            var bucket = entry.failures ?? TokenBucket(rate, now: now)
            defer { entry.failures = bucket }
            if entry.checks == 0, bucket.isFull(rate, now: now) { entry.strikes = 0 }
            guard let wait = bucket.take(1, rate, now: now) else {
                entry.checks += 1
                return .look(isCounted: true)
            }
            // Those under way may yet turn out right.
            guard entry.checks == 0 || !isPatient else { return .later }
            let block = min(max(.seconds(1 << min(Int64(entry.strikes), 6)), wait), Self.longestBlock)
            entry.strikes += 1
            entry.blockedUntil = now + block
            bucket.drain(rate, for: block)
            return .wait(block)
        }
    }

    /// What has become of a key that was looked at; only a wrong one counts.
    /// - Parameter wasRight: Nil when nobody could tell. Such a key is not remembered as a right one: whoever floods the host
    ///   until it has no time to look would have all its keys looked at from then on.
    func settle(_ address: PeerAddress, _ key: KeyMark, wasRight: Bool?, isCounted: Bool, now: NIODeadline) {
        guard let rate = limits.failureRate else { return }
        switch wasRight {
        case true?:
            rightKeys.withLock { keys in
                if keys.count >= Self.knownKeys { keys.removeAll() }
                keys.insert(key)
            }
        case false?: rightKeys.withLock { _ = $0.remove(key) }
        case nil: break
        }
        guard isCounted else { return }
        addresses.update(address, now: now) { entry in
            entry.checks = max(0, entry.checks - 1)
            if wasRight != false { entry.failures?.giveBack(1, rate) }
        }
    }
}

/// What is remembered of a key: a hash with a seed of this process, of no use to anybody else.
struct KeyMark: Sendable, Hashable {
    private let hash: Int
    init(_ key: Secret) { hash = key.revealed.hashValue }
}
