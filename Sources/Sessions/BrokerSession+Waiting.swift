import MarketData
import NIOCore

/// Subscribers who are suspended until the broker has answered.
extension BrokerSession {
    struct Suspended {
        /// When it goes on without an answer.
        let deadline: NIODeadline
        let continuation: CheckedContinuation<Line.Answer, Never>
    }

    /// How long a subscriber waits.
    struct Patience {
        /// Until its demand is sent.
        let sending: NIODeadline
        /// Until the broker has answered.
        let answer: NIODeadline
    }

    /// Lets everybody go on who waits for that instrument.
    func resume(_ handle: UInt32, _ answer: Line.Answer) {
        for waiter in waiters.take(handle) { waiter.continuation.resume(returning: answer) }
    }

    /// The demand was refused.
    func resume(_ handle: UInt32, refused demand: References.Demand, _ error: FeedError) {
        for waiter in waiters.take(handle, refused: demand) { waiter.continuation.resume(returning: .failure(error)) }
    }

    /// Lets those go on who can wait no longer: they have it as soon as the broker says so.
    func resumeOverdue(_ handle: UInt32, _ now: NIODeadline) {
        for waiter in waiters.take(handle, where: { $0.deadline <= now }) {
            waiter.continuation.resume(returning: .failure(.queued))
        }
    }
}
