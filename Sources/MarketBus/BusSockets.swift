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

/// A host of the bus that nobody knows.
public struct BusHostError: Error, Sendable {
    /// `ZMQ_HOST` or `FEEDHOST_PUBLISHER`.
    public let setting: String
    public let cause: HostAddresses.Unknown
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
        let place = configuration.publisherPlace
        let hosts = try Self.addresses(configuration.host, "ZMQ_HOST", configuration)
        // What is no TCP endpoint (`ipc://…`) is bound as it is.
        let publisherHosts: [String]? =
            if let place {
                try Self.addresses(place.host, "FEEDHOST_PUBLISHER", configuration)
            } else {
                configuration.publisher == nil ? hosts : nil
            }
        fanIn = try ZMQSocket(ZMQ_SUB, in: context)
        try fanIn.set(ZMQ_RCVHWM, BusSockets.fanInHighWaterMark)
        var limit = BusSockets.maximumFrame
        zmq_setsockopt(fanIn.pointer, ZMQ_MAXMSGSIZE, &limit, MemoryLayout<Int64>.size)
        fanIn.set(ZMQ_SUBSCRIBE, UnsafeRawBufferPointer(start: nil, count: 0))
        try configuration.curve?.apply(to: fanIn, role: .publish)
        didMove = try BusSockets.bind(fanIn, hosts, configuration)
        endpoint = fanIn.endpoints.first ?? ""

        publicSocket = try ZMQSocket(ZMQ_XPUB, in: context)
        try publicSocket.set(ZMQ_SNDHWM, BusSockets.publicHighWaterMark)
        try publicSocket.set(ZMQ_XPUB_MANUAL, 1)
        try configuration.curve?.apply(to: publicSocket, role: .subscribe)
        let port = place.flatMap { Int($0.port) } ?? 0
        do {
            if let publisherHosts {
                try BusSockets.bind(publicSocket, publisherHosts, port: port, configuration.events)
            } else {
                try publicSocket.bind(configuration.publisher ?? "")
            }
        } catch let error as ZMQError {
            throw BusBindError(
                host: place?.host ?? configuration.host, port: port, setting: "FEEDHOST_PUBLISHER", cause: error)
        }
        publisherEndpoint = publicSocket.endpoints.first ?? ""
    }

    /// - Throws: ``BusHostError``, ``BusExposureError``.
    private static func addresses(
        _ host: String, _ setting: String, _ configuration: BusConfiguration
    ) throws -> [String] {
        if host == "*" {
            guard configuration.curve != nil else { throw BusExposureError(host: host) }
            return [host]
        }
        let addresses: [String]
        do {
            let found = try HostAddresses.of(host)
            // The first is the one that is shown, and many programs speak IPv4 alone to ZeroMQ unless told otherwise.
            addresses = found.filter { !$0.contains(":") } + found.filter { $0.contains(":") }
        } catch {
            throw BusHostError(setting: setting, cause: error)
        }
        if configuration.curve == nil, !addresses.allSatisfy(HostAddresses.isLoopback) {
            throw BusExposureError(host: host)
        }
        return addresses
    }

    /// Binds one port on every address. A family that the machine does not have is no reason to give up.
    /// - Parameter port: 0 for one that is free on all of them.
    private static func bind(_ socket: ZMQSocket, _ hosts: [String], port: Int, _ events: BusEvents) throws {
        var attempt = 1
        while true {
            var absent: [(host: String, error: ZMQError)] = []
            var chosen = port == 0 ? "*" : String(port)
            do {
                for host in hosts {
                    do {
                        try socket.bind("tcp://\(host.contains(":") ? "[\(host)]" : host):\(chosen)")
                        chosen = socket.endpoints.last?.split(separator: ":").last.map(String.init) ?? chosen
                    } catch let error as ZMQError where error.isAbsence {
                        absent.append((host, error))
                    }
                }
                if socket.endpoints.isEmpty, let first = absent.first { throw first.error }
                for (host, error) in absent {
                    events.absent("this machine does not have \(host) (\(error)); the other addresses do")
                }
                return
            } catch let error as ZMQError {
                let wasBound = !socket.endpoints.isEmpty
                for endpoint in socket.endpoints { try? socket.unbind(endpoint) }
                guard error.isAddressInUse, port == 0, wasBound, attempt < 20 else { throw error }
                attempt += 1
            }
        }
    }

    /// Binds the configured port; the next free one only if nobody has chosen it.
    private static func bind(
        _ socket: ZMQSocket, _ hosts: [String], _ configuration: BusConfiguration
    ) throws -> Bool {
        let port = configuration.port
        let last = port.isExplicit ? port.number : min(port.number + attempts, 65_535)
        var first: ZMQError?
        for candidate in port.number...max(port.number, last) {
            do {
                try bind(socket, hosts, port: candidate, configuration.events)
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
