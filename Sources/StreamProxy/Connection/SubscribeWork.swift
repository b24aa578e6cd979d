import MarketData
import NIOCore

/// The part of a subscription that needs no loop: asking the session, and writing the acknowledgement.
struct SubscribeWork: Sendable {
    let request: SubscribeRequest
    let session: any MarketSession
    let requestID: JSONValue?

    struct Outcome: Sendable {
        /// The whole reply.
        var reply = ByteBuffer()
        /// What the client now has; each holds a reference of the session's.
        var grants: [Granted] = []
    }

    struct Granted: Sendable {
        /// As the client wrote it.
        let written: Instrument
        let route: RouteKey
        /// At most one message in that time.
        let interval: TimeAmount?
    }

    func run() async -> Outcome {
        var wishes: [Wish] = []
        // An entry either has a wish, whose outcome will come in order, or is refused already.
        let entries = request.entries.map { entry -> (SymbolEntry, Result<Instrument, Rejection>) in
            do throws(Rejection) {
                let written = try entry.instrument()
                wishes.append(try request.wish(written))
                return (entry, .success(written))
            } catch {
                return (entry, .failure(error))
            }
        }
        var outcomes = wishes.isEmpty ? [] : await session.subscribe(wishes)[...]
        var outcome = Outcome()
        var isComplete = true
        let broker = session.broker
        let replies = entries.map { entry, written -> JSONValue in
            switch written.flatMap({ written in Self.grant(written, outcomes.popFirst()) }) {
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

    private static func grant(
        _ written: Instrument, _ outcome: WishOutcome?
    ) -> Result<(Instrument, WishOutcome.Grant), Rejection> {
        switch outcome?.result {
        case .success(let grant): .success((written, grant))
        case .failure(let error): .failure(Rejection(error))
        case nil: .failure(Rejection(.subscription, "the session gave no answer"))
        }
    }
}
