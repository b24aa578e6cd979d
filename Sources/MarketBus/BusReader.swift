import MarketData

/// What comes out of the inner bus. The bytes are borrowed for the call.
public enum BusEvent {
    /// One message of a route: the JSON object that becomes `data`. A snapshot is the last value, sent once to a reader
    /// that has just subscribed; it never arrives after a newer tick of the same route.
    case data(RouteKey, snapshot: Bool, payload: UnsafeRawBufferPointer)
    /// An order update: what it is about, and the whole JSON message, to be relayed untouched.
    case order(OrderHeader, payload: UnsafeRawBufferPointer)
}

/// One reader's end of the inner bus. All calls come from the reader's own thread.
public protocol BusReader: AnyObject {
    /// Asks for a route; the publisher answers with the last value, if it has one, and then with every tick.
    func subscribe(_ key: RouteKey)
    /// Leaves a route. The publisher learns it with the next ``subscribe(_:)`` or ``flush()``: each call would wake its thread,
    /// and a client that goes leaves hundreds.
    func unsubscribe(_ key: RouteKey)
    /// Tells the publisher which routes have been left.
    func flush()
    /// Reads up to `limit` messages without waiting.
    /// - Returns: How many there were; fewer than `limit` means that the bus is empty for now.
    func drain(limit: Int, _ body: (BusEvent) -> Void) -> Int
    /// Calls `signal` from the publisher's thread when messages have come in, and once now. It calls once and then stays
    /// silent until ``rearm()``. The signal must be short, and must not call the port.
    func wake(_ signal: @escaping @Sendable () -> Void)
    /// To be called after ``drain(limit:_:)`` has found the bus empty.
    func rearm()
    /// Nothing is signalled any more when this returns, and nothing may be called afterwards.
    func close()
}
