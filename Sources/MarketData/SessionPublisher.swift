/// What sessions tell of themselves to whoever passes their ticks on. Any thread; nothing waits.
///
/// Numbers of sessions and handles of instruments are given by whoever calls, not by who publishes: there may be several
/// publishers, and none of them has to be asked what a wish is called.
public protocol SessionPublisher: Sendable {
    /// Announces a session, before anything else is said of it.
    /// - Parameters:
    ///   - id: From ``SessionNumbers``.
    ///   - isExternal: Its ticks come from publishers outside.
    func openSession(_ id: UInt32, user: String, broker: String, isExternal: Bool)

    /// Ends a session, with its sinks and last values.
    func closeSession(_ id: UInt32)

    /// One for each connection.
    func makeSink(session: UInt32) -> any TickSink

    /// Takes nothing from it any more.
    func remove(_ sink: any TickSink)

    /// Takes ticks of the instrument from now on; before, they are counted as stray.
    /// - Parameter source: The one sink that they are taken from; nil takes them from all. When an instrument moves from
    ///   one connection to another, the old one's ticks count until the new one's first has come, and no longer.
    func track(session: UInt32, instrument: UInt32, source: (any TickSink)?)

    /// Forgets the instrument's last value, because the broker no longer sends it.
    func untrack(session: UInt32, instrument: UInt32)

    /// Forgets the instrument's book, because the broker is asked for it anew and what is known is of an earlier time. Until
    /// the next one has come there is nothing to tell in Depth.
    /// - Parameter time: What was received from then on stays: ns since the Unix epoch.
    func forgetBook(session: UInt32, instrument: UInt32, before time: UInt64)

    /// Hands an order update to its user's listening clients. Updates are neither conflated nor held for later.
    /// - Parameter json: The whole `order_update` message, one JSON object.
    func publishOrder(_ header: OrderHeader, json: [UInt8])
}

extension SessionPublisher {
    /// Announces a session and gives it its number.
    public func openSession(user: String, broker: String, isExternal: Bool = false) -> UInt32 {
        let id = SessionNumbers.next()
        openSession(id, user: user, broker: broker, isExternal: isExternal)
        return id
    }
}
