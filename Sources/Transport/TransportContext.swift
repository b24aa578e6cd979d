import NIOCore
import Synchronization

/// What `fh_host_ctx` points to, as far as the transport is concerned; the session's context inherits from it.
///
/// `@unchecked Sendable`: its one field is a lock around a lane that is bound to its event loop; it is unchecked only
/// because subclasses are allowed, which answer for their own fields.
open class TransportContext: @unchecked Sendable {
    private struct Attachment: Sendable {
        let loop: any EventLoop
        let lane: NIOLoopBound<TransportLane>
    }

    private let attachment = Mutex<Attachment?>(nil)

    public init() {}

    /// The lane that the C functions of `feedhost.transport/1` work on. Set it on the lane's event loop. Read elsewhere
    /// it is nil, which the C functions turn into `FH_E_STATE`.
    public var lane: TransportLane? {
        get {
            guard let current = attachment.withLock({ $0 }), current.loop.inEventLoop else { return nil }
            return current.lane.value
        }
        set {
            let next = newValue.map { Attachment(loop: $0.loop, lane: NIOLoopBound($0, eventLoop: $0.loop)) }
            attachment.withLock { $0 = next }
        }
    }

    /// Called before each call into the adapter, on the lane. Calls do not nest.
    open func willCall(_ name: StaticString) {}

    /// Called after each call into the adapter, on the lane.
    open func didCall(_ name: StaticString) {}

    /// Something went wrong that the adapter learns as a number only: a sentence without secrets, for the log.
    open func transportTrouble(_ message: String) {}
}
