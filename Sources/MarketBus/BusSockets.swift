import CZeroMQ
import MarketData

/// A port of the bus that cannot be bound.
public struct BusBindError: Error, Sendable {
    public let host: String
    public let port: Int
    /// Which socket: `ZMQ_PORT` or `FEEDHOST_PUBLISHER`.
    public let setting: String
    public let cause: ZMQError
}

/// Without keys (``BusCurve``) whoever reaches the bus can feed every client of `external`. So it listens on loopback only.
public struct BusExposureError: Error, Sendable {
    public let host: String
}

/// The two sockets, bound.
struct BusSockets {
    let publicSocket: ZMQSocket
    let fanIn: ZMQSocket
    let endpoint: String
    let publisherEndpoint: String
    let didMove: Bool

    /// How many ports after the default are tried.
    private static let attempts = 100
    /// Messages that may wait; libzmq's 1,000 loses ticks in bursts.
    private static let fanInHighWaterMark: Int32 = 200_000
    private static let publicHighWaterMark: Int32 = 50_000
    /// Bytes of one frame from outside; libzmq closes the connection of whoever sends more.
    private static let maximumFrame: Int64 = 2 << 20

    init(_ configuration: BusConfiguration, context: ZMQContext) throws {
        if configuration.curve == nil, let host = configuration.exposedHost { throw BusExposureError(host: host) }
        fanIn = try ZMQSocket(ZMQ_SUB, in: context)
        try fanIn.set(ZMQ_RCVHWM, BusSockets.fanInHighWaterMark)
        var limit = BusSockets.maximumFrame
        zmq_setsockopt(fanIn.pointer, ZMQ_MAXMSGSIZE, &limit, MemoryLayout<Int64>.size)
        fanIn.set(ZMQ_SUBSCRIBE, UnsafeRawBufferPointer(start: nil, count: 0))
        try configuration.curve?.apply(to: fanIn, role: .publish)
        if configuration.isIPv6 { try fanIn.set(ZMQ_IPV6, 1) }
        didMove = try BusSockets.bind(fanIn, configuration)
        endpoint = fanIn.lastEndpoint()

        publicSocket = try ZMQSocket(ZMQ_XPUB, in: context)
        try publicSocket.set(ZMQ_SNDHWM, BusSockets.publicHighWaterMark)
        try publicSocket.set(ZMQ_XPUB_MANUAL, 1)
        try configuration.curve?.apply(to: publicSocket, role: .subscribe)
        if configuration.isIPv6 { try publicSocket.set(ZMQ_IPV6, 1) }
        do {
            try publicSocket.bind(configuration.publisher ?? "tcp://\(configuration.address):*")
        } catch let error as ZMQError {
            let port = configuration.publisher?.split(separator: ":").last.flatMap { Int($0) } ?? 0
            throw BusBindError(host: configuration.host, port: port, setting: "FEEDHOST_PUBLISHER", cause: error)
        }
        publisherEndpoint = publicSocket.lastEndpoint()
    }

    /// Binds the configured port; the next free one only if nobody has chosen it.
    private static func bind(_ socket: ZMQSocket, _ configuration: BusConfiguration) throws -> Bool {
        let port = configuration.port
        let last = port.isExplicit ? port.number : min(port.number + attempts, 65_535)
        var first: ZMQError?
        for candidate in port.number...max(port.number, last) {
            do {
                try socket.bind("tcp://\(configuration.address):\(candidate == 0 ? "*" : String(candidate))")
                return candidate != port.number
            } catch let error as ZMQError {
                first = first ?? error
                guard error.isAddressInUse, !port.isExplicit else { break }
            }
        }
        throw BusBindError(
            host: configuration.host, port: port.number, setting: "ZMQ_PORT",
            cause: first ?? ZMQError("bind \(configuration.host):\(port.number)"))
    }
}
