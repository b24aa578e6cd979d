import MarketData
import NIOCore
import Secrets

/// One connection as the limits see it, from accept to close. Confined to its loop.
final class Visitor {
    /// Where the client is, for logs and limits; nil while only its reverse proxy is known.
    private(set) var address: PeerAddress?

    private let admission: Admission
    private let counters: ProxyCounters
    private var isAnonymous = true
    private var hasLeft = false
    private var user: String?
    private var requests: TokenBucket?
    private var subscriptions: TokenBucket?
    /// Requests too many, without one in between that was in time.
    private var overruns = 0

    init(_ admission: Admission, _ counters: ProxyCounters) {
        self.admission = admission
        self.counters = counters
    }

    // MARK: Coming in

    /// The socket has been accepted.
    /// - Parameter address: Nil when somebody in between is to say it.
    /// - Returns: Nil when it may stay.
    func enter(_ address: PeerAddress?, now: NIODeadline) -> Admission.Refusal? {
        if let refusal = admission.enter() {
            hasLeft = true
            counters.count(refusal)
            return refusal
        }
        guard let address else { return nil }
        return identify(address, now: now)
    }

    /// It is known now who it is.
    func identify(_ address: PeerAddress, now: NIODeadline) -> Admission.Refusal? {
        guard !hasLeft, self.address == nil else { return nil }
        if let refusal = admission.enter(address, now: now) {
            admission.leaveUnauthenticated()
            hasLeft = true
            counters.count(refusal)
            return refusal
        }
        self.address = address
        return nil
    }

    /// The connection is gone.
    func leave(now: NIODeadline) {
        guard !hasLeft else { return }
        hasLeft = true
        if isAnonymous { admission.leaveUnauthenticated() }
        if let address { admission.leave(address, wasAuthenticated: !isAnonymous, now: now) }
        if let user { admission.leave(user: user) }
        user = nil
    }

    // MARK: Keys

    /// Whether a key is looked at.
    /// - Parameter waits: How often it has waited for others.
    func attempt(_ key: Secret, waits: Int, now: NIODeadline) -> Admission.Attempt {
        guard let address else { return .look(isCounted: false) }
        let attempt = admission.attempt(address, KeyMark(key), isPatient: waits < Admission.mostWaits, now: now)
        if case .wait = attempt { counters.authenticationsLimited.add() }
        return attempt
    }

    /// - Parameter wasRight: Nil when nobody could tell.
    func settle(_ key: Secret, wasRight: Bool?, isCounted: Bool, now: NIODeadline) {
        guard let address else { return }
        admission.settle(address, KeyMark(key), wasRight: wasRight, isCounted: isCounted, now: now)
    }

    /// It has shown a valid key.
    func authenticated(now: NIODeadline) {
        guard isAnonymous, !hasLeft else { return }
        isAnonymous = false
        admission.leaveUnauthenticated()
        if let address { admission.authenticated(address, now: now) }
    }

    /// - Returns: False when the user has as many connections as it may.
    func enter(user: String) -> Bool {
        guard self.user != user, !hasLeft else { return true }
        guard admission.enter(user: user) else {
            counters.userConnectionsLimited.add()
            return false
        }
        if let before = self.user { admission.leave(user: before) }
        self.user = user
        return true
    }

    // MARK: Requests

    /// What becomes of a request.
    enum Verdict { case serve, refuse(Rejection), close }

    /// Counts a request. Whoever goes on in spite of as many refusals as it had requests is cut off.
    func request(now: NIODeadline) -> Verdict {
        guard let rate = admission.limits.requestRate else { return .serve }
        var bucket = requests ?? TokenBucket(rate, now: now)
        defer { requests = bucket }
        guard let wait = bucket.take(1, rate, now: now) else {
            overruns = 0
            return .serve
        }
        counters.requestsLimited.add()
        overruns += 1
        if overruns > Int(rate.burst) { return .close }
        return .refuse(
            .limited("More than \(admission.limits.requests ?? 0) requests a second on this connection", wait))
    }

    /// Counts what a request subscribes to.
    /// - Parameter count: Its instruments.
    /// - Returns: How many of them are in time, and why the others are not.
    func subscribe(_ count: Int, now: NIODeadline) -> (taken: Int, others: Rejection?) {
        guard let rate = admission.limits.subscriptionRate else { return (count, nil) }
        var bucket = subscriptions ?? TokenBucket(rate, now: now)
        defer { subscriptions = bucket }
        let taken = bucket.take(upTo: count, rate, now: now)
        guard taken < count else { return (count, nil) }
        counters.subscriptionsLimited.add()
        let wait = bucket.wait(for: Double(count - taken), rate)
        return (
            taken,
            .limited(
                "More than \(admission.limits.subscriptions ?? 0) instruments a second on this connection (\(taken) of these \(count) were in time)",
                wait)
        )
    }
}

extension Rejection {
    /// - Parameter what: Too much of what, as a sentence without its end.
    static func limited(_ what: String, _ wait: TimeAmount) -> Rejection {
        Rejection(.rateLimited, "\(what); try again in \(wait.inWords)")
    }
}

extension TimeAmount {
    /// `1 second`, `12 seconds`; rounded up, so that who waits that long has waited long enough.
    var inWords: String {
        let seconds = max(1, (nanoseconds + 999_999_999) / 1_000_000_000)
        return seconds == 1 ? "1 second" : "\(seconds) seconds"
    }
}

extension Admission.Refusal {
    /// For the answer to the handshake.
    var text: String {
        switch self {
        case .tooManyOfAddress: "Too many connections from your address. Close some, then try again."
        case .tooManyUnauthenticated:
            "Too many connections that have not authenticated yet. Try again in a few seconds."
        case .tooManyUnauthenticatedOfAddress:
            "Too many connections from your address that have not authenticated yet. Try again in a few seconds."
        }
    }
}
