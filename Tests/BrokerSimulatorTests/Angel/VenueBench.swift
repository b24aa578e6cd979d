import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import BrokerSimulator

/// A simulation without sockets, whose clock the test moves.
final class VenueBench {
    /// What a venue has sent.
    struct Frame: Equatable {
        let opcode: UInt8
        let payload: [UInt8]

        var text: String { String(decoding: payload, as: UTF8.self) }
        /// Of a close frame.
        var closeCode: UInt16? {
            opcode == 8 && payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
        }
    }

    /// An upgrade that was refused.
    struct Refused: Error {
        let answer: PlainAnswer
        let reason: String

        func header(_ name: String) -> String? { answer.headers.first { $0.0 == name }?.1 }
    }

    /// A client.
    struct Socket {
        let connection: VenueConnection
        let channel: EmbeddedChannel
    }

    /// 14 November 2023, 22:13:20 UTC, and some.
    static let now: UInt64 = 1_700_000_000_123_000_000

    let loop = EmbeddedEventLoop()
    let simulation: Simulation

    init(_ kind: VenueKind, _ configure: (inout SimulatorOptions) -> Void = { _ in }) throws {
        var options = SimulatorOptions(venue: kind)
        options.rate = 0
        options.clock = { Self.now }
        configure(&options)
        simulation = try Simulation(options, on: loop)
        simulation.start()
    }

    deinit { simulation.end() }

    func request(
        _ method: HTTPMethod, _ target: String, headers: [String: String] = [:], body: String = ""
    ) -> PlainRequest {
        let head = HTTPRequestHead(
            version: .http1_1, method: method, uri: target, headers: HTTPHeaders(headers.map { ($0.key, $0.value) }))
        return PlainRequest(head: head, body: ByteBuffer(string: body))
    }

    /// - Throws: ``Refused``
    func connect(_ target: String, headers: [String: String] = [:]) throws -> Socket {
        let request = request(.GET, target, headers: headers)
        switch simulation.admit(request) {
        case .refuse(let answer, let reason, _): throw Refused(answer: answer, reason: reason)
        case .accept(let kind, let credentials, _):
            let channel = EmbeddedChannel(loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            let connection = simulation.open(request, kind: kind, credentials: credentials, on: channel)
            return Socket(connection: connection, channel: channel)
        }
    }

    func send(_ text: String, on socket: Socket) {
        simulation.venue.received(ByteBuffer(string: text), isText: true, on: socket.connection)
    }

    /// The client hangs up.
    func leave(_ socket: Socket) { simulation.closed(socket.connection) }

    /// What has arrived since the last call.
    func frames(_ socket: Socket) throws -> [Frame] {
        loop.run()
        var frames: [Frame] = []
        while var bytes = try socket.channel.readOutbound(as: ByteBuffer.self) {
            while let first = bytes.readInteger(as: UInt8.self), let short = bytes.readInteger(as: UInt8.self) {
                var length = Int(short)
                if short == 126 { length = bytes.readInteger(as: UInt16.self).map(Int.init) ?? 0 }
                if short == 127 { length = bytes.readInteger(as: UInt64.self).map(Int.init) ?? 0 }
                frames.append(Frame(opcode: first & 15, payload: bytes.readBytes(length: length) ?? []))
            }
        }
        return frames
    }

    func texts(_ socket: Socket) throws -> [String] { try frames(socket).map(\.text) }

    func perform(_ fault: String, _ body: String = "") throws {
        _ = try simulation.perform(Fault(fault, body: body))
    }

    func advance(milliseconds: Int64) { loop.advanceTime(by: .milliseconds(milliseconds)) }

    func place(_ name: String) throws -> Int {
        guard let place = simulation.market.index(ofSymbol: name) else { throw SimulatorError("no \(name)") }
        return place
    }
}
