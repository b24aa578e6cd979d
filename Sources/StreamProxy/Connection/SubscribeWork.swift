import MarketData
import NIOCore

/// The part of a subscription that needs no loop: checking what the key permits, asking the session, and writing the
/// acknowledgement.
struct SubscribeWork: Sendable {
    /// Whom to ask.
    enum Source: Sendable {
        case held(any MarketSession)
        /// One of the user's brokers that the client has nothing of yet.
        case directory(any SessionDirectory)
        /// No broker of the user's, or one that the key does not permit.
        case nobody
    }

    let request: SubscribeRequest
    let account: Account
    /// As the account names it; what was asked for when it does not.
    let broker: String
    let source: Source
    /// What the limits leave of it.
    let allowance: SubscribeAllowance
    let requestID: JSONValue?
    /// Within which it is done.
    let time: Duration

    struct Outcome: Sendable {
        /// The whole reply.
        var reply = ByteBuffer()
        /// What the client now has; each holds a reference of the session's.
        var grants: [Granted] = []
        /// The session, if the client had none before.
        var attached: (any MarketSession)?
        /// Whether the client has met its own limit of instruments.
        var isRoomExceeded = false
    }

    struct Granted: Sendable {
        /// As the client wrote it.
        let written: Instrument
        let route: RouteKey
        /// At most one message in that time.
        let interval: TimeAmount?
    }

    func run() async -> Outcome {
        let clock = ContinuousClock()
        let end = clock.now + time
        var wishes: [Wish] = []
        var allowance = allowance
        // An entry either has a wish, whose outcome will come in order, or is refused already.
        let entries = request.entries.enumerated().map {
            number, entry -> (WrittenInstrument, Result<Instrument, Rejection>) in
            do throws(Rejection) {
                try allowance.checkRate(number)
                let written = try entry.instrument()
                wishes.append(try wish(written, &allowance))
                return (entry, .success(written))
            } catch {
                return (entry, .failure(error))
            }
        }
        var outcome = Outcome()
        outcome.isRoomExceeded = allowance.isRoomExceeded
        let session = wishes.isEmpty ? nil : await open(&outcome)
        let left = max(.milliseconds(20), end - clock.now)
        var outcomes = (await (try? session?.get())?.subscribe(wishes, within: left) ?? [])[...]
        let unreachable: Rejection? = if case .failure(let rejection) = session { rejection } else { nil }
        var isComplete = true
        let broker = (try? session?.get())?.broker ?? broker
        let replies = entries.map { entry, written -> JSONValue in
            switch written.flatMap({ grant($0, outcomes.popFirst(), else: unreachable) }) {
            case .success(let (written, grant)):
                outcome.grants.append(Granted(written: written, route: grant.route, interval: request.interval))
                return Replies.granted(written, request.mode, grant, broker: broker)
            case .failure(let rejection):
                isComplete = false
                return Replies.failed(entry, rejection, broker: broker)
            }
        }
        let reply = Replies.subscribed(replies, isComplete: isComplete, broker: broker)
        outcome.reply = reply.adding("request_id", requestID).jsonBytes
        return outcome
    }

    /// The wish that an entry stands for, if the key permits it.
    private func wish(_ written: Instrument, _ allowance: inout SubscribeAllowance) throws(Rejection) -> Wish {
        if case .nobody = source { throw .notPermitted(broker: broker) }
        try account.permissions.check(written.withoutLevels, request.mode)
        let wish = try request.wish(written)
        try allowance.admit(written, broker: broker)
        return wish
    }

    private func open(_ outcome: inout Outcome) async -> Result<any MarketSession, Rejection> {
        switch source {
        case .held(let session): return .success(session)
        case .directory(let directory):
            let session = await directory.attachReady(user: account.user, broker: broker, within: time / 2)
            outcome.attached = try? session.get()
            return session
        case .nobody: return .failure(.notPermitted(broker: broker))
        }
    }

    private func grant(
        _ written: Instrument, _ outcome: WishOutcome?, else unreachable: Rejection?
    ) -> Result<(Instrument, WishOutcome.Grant), Rejection> {
        switch outcome?.result {
        case .success(let grant): .success((written, grant))
        case .failure(let error): .failure(account.permissions.trim(Rejection(error), of: written))
        case nil: .failure(unreachable ?? Rejection(.subscription, "the session gave no answer"))
        }
    }
}
