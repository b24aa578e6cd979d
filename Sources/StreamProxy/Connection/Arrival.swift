import NIOCore

/// A connection that is not a client's yet, as its shard sees it. On the shard's loop.
protocol Arrival: AnyObject {
    /// Looks at its deadline.
    func sweep(_ now: NIODeadline)
    /// Ends it: the shard is being closed.
    func drop()
}
