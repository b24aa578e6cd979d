/// Where the bus listens and what it says when something is up.
public struct BusConfiguration: Sendable {
    /// A port, and whether somebody chose it: one left at its default may move to the next free one.
    public struct Port: Sendable {
        public var number: Int
        public var isExplicit: Bool
        public init(_ number: Int, isExplicit: Bool) {
            self.number = number
            self.isExplicit = isExplicit
        }
    }

    /// `ZMQ_HOST`: an address or a name, of which every address is bound. Addresses that other machines reach only with
    /// ``curve``.
    public var host = "127.0.0.1"
    /// `ZMQ_PORT`: 0 picks a free one.
    public var port = Port(5555, isExplicit: false)
    /// `FEEDHOST_PUBLISHER`: the endpoint of the public socket; nil picks a free port on ``host``.
    public var publisher: String?
    /// Brokers whose sessions may be public.
    public var brokers: [String] = []
    /// Exchanges that the adapters add to the known ones.
    public var exchanges: Set<String> = []
    /// `bus.public`: which user's session speaks for a broker.
    public var publicUsers: [String: String] = [:]
    /// Bytes of the ring of one broker connection; a power of two.
    public var ringCapacity = 4 << 20
    /// Keys; nil lets in whoever reaches the bus.
    public var curve: BusCurve?
    public var events = BusEvents()

    public init() {}

    /// The host and port of ``publisher``; nil without one, and for what is no TCP endpoint.
    var publisherPlace: (host: String, port: String)? {
        guard let publisher, publisher.hasPrefix("tcp://"), let colon = publisher.lastIndex(of: ":") else { return nil }
        let host = publisher[..<colon].dropFirst(6)
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        return (
            String(isBracketed ? host.dropFirst().dropLast() : host),
            String(publisher[publisher.index(after: colon)...])
        )
    }
}

/// What the bus tells the program, on its own thread; the closures must not block.
public struct BusEvents: Sendable {
    /// Several sessions of that broker and no choice: nothing of it is public.
    public var publicAmbiguous: @Sendable (_ broker: String) -> Void = { _ in }
    /// OpenAlgo has changed that user's tokens (`CACHE_INVALIDATE_*`).
    public var invalidated: @Sendable (_ user: String) -> Void = { _ in }
    /// A publisher has sent something that is not a tick; called at most once a second with a sentence.
    public var badExternal: @Sendable (_ what: String) -> Void = { _ in }
    /// An address of a name that this machine does not have, while it has another: a sentence. Before the thread starts.
    public var absent: @Sendable (_ what: String) -> Void = { _ in }
    /// Connections were refused for their keys; called at most every 10 seconds, on the guard's thread, with the latest.
    public var refused: @Sendable (_ count: Int, _ latest: String) -> Void = { _, _ in }
    /// The keys in the folder were read again: how many may come in. On the guard's thread.
    public var curveClients: @Sendable (_ count: Int) -> Void = { _ in }
    /// A key file cannot be used: a sentence. On the guard's thread.
    public var curveTrouble: @Sendable (_ what: String) -> Void = { _ in }

    public init() {}
}
