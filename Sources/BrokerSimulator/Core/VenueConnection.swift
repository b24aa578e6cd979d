import NIOCore

/// What a frame is, for the counters of `/_sim/state`.
enum FrameKind: String, CaseIterable, Sendable {
    case tick
    case heartbeat
    case acknowledgement
    case order
    case error
    case message
    case pong
    case close
    /// Sent by a fault.
    case raw
}

/// A client's WebSocket. Confined to the simulation's event loop; after its end, sending is without effect.
final class VenueConnection {
    /// 1, 2, 3… in the order of acceptance.
    let id: Int
    /// Which of the broker's sockets: `market`, `orders`.
    let kind: String
    /// The first 12 hex digits of the SHA-256 of what the client has shown.
    private(set) var credentials: String
    let request: PlainRequest
    let openedAt: NIODeadline
    private let channel: any Channel
    private let recorder: Recorder?

    var subscriptions = Subscriptions()
    /// Whatever the venue wants to remember.
    var state: AnyObject?
    /// Nothing goes out any more, and nobody is told.
    var isMuted = false
    /// As of a server whose WebSocket lives while what is behind it does not.
    var sendsPongsWhenMuted = false
    /// Ticks that are due, in parts of one.
    var budget = 0.0
    /// When anything last came in, and when a data frame last went out.
    var lastHeard: NIODeadline
    private(set) var lastSent: NIODeadline
    private(set) var counters = ConnectionCounters()
    private(set) var isOpen = true
    private var isFlushing = false
    /// Frames that wait while the connection is stalled.
    private var held: [ByteBuffer]?

    init(id: Int, kind: String, credentials: String, request: PlainRequest, channel: any Channel, recorder: Recorder?) {
        self.id = id
        self.kind = kind
        self.credentials = credentials
        self.request = request
        self.channel = channel
        self.recorder = recorder
        openedAt = channel.eventLoop.now
        lastHeard = openedAt
        lastSent = openedAt
    }

    /// For brokers where the first message is the login.
    func authenticated(as credentials: String) { self.credentials = CredentialHash.of(credentials) }

    // MARK: Sending

    func send(_ text: String, as kind: FrameKind) { send(.text, ByteBuffer(string: text), as: kind) }

    /// - Parameter packets: How many ticks the message holds.
    func send(_ bytes: ByteBuffer, as kind: FrameKind, packets: Int = 0) {
        send(.binary, bytes, as: kind, packets: packets)
    }

    func send(_ message: WireMessage, as kind: FrameKind) {
        switch message {
        case .text(let text): send(text, as: kind)
        case .binary(let bytes): send(ByteBuffer(bytes: bytes), as: kind)
        }
    }

    func send(_ opcode: FrameBytes.Opcode, _ payload: ByteBuffer, as kind: FrameKind, packets: Int = 0) {
        guard isOpen else { return }
        if isMuted, opcode != .pong || !sendsPongsWhenMuted {
            counters.withheld += 1
            return
        }
        counters.sent[kind, default: 0] += 1
        counters.packets += packets
        if opcode == .text || opcode == .binary { lastSent = channel.eventLoop.now }
        recorder?.record(connection: id, opcode: opcode, payload: payload)
        write(FrameBytes.frame(opcode, payload))
    }

    /// Bytes under the WebSocket: frames that break the protocol.
    func sendRaw(_ bytes: [UInt8]) {
        guard isOpen else { return }
        counters.sent[.raw, default: 0] += 1
        write(ByteBuffer(bytes: bytes))
    }

    private func write(_ bytes: ByteBuffer) {
        if held != nil {
            held?.append(bytes)
            return
        }
        channel.write(bytes, promise: nil)
        guard !isFlushing else { return }
        isFlushing = true
        // One flush for all that is written in this turn of the loop.
        channel.eventLoop.assumeIsolated().execute { [self] in
            isFlushing = false
            channel.flush()
        }
    }

    // MARK: Ending

    /// Sends a close frame, then hangs up.
    func close(code: UInt16, reason: String = "") {
        guard isOpen else { return }
        var payload = ByteBuffer()
        payload.writeInteger(code)
        payload.writeString(String(reason.utf8.prefix(123)) ?? "")
        isMuted = false
        send(.close, payload, as: .close)
        resume()
        isOpen = false
        channel.flush()
        channel.close(mode: .output, promise: nil)
        // The client answers the close frame and hangs up; not all do.
        let channel = channel
        channel.eventLoop.assumeIsolated().scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }

    /// Hangs up without a word, which clients see as 1006.
    func drop() {
        isOpen = false
        channel.close(promise: nil)
    }

    /// The channel has become inactive.
    func ended() { isOpen = false }

    // MARK: Stalling

    var isStalled: Bool { held != nil }

    /// Neither reads nor sends, until ``resume()``.
    func stall() {
        guard held == nil else { return }
        held = []
        try? channel.syncOptions?.setOption(.autoRead, value: false)
    }

    /// Goes on where it stopped.
    func resume() {
        guard let waiting = held else { return }
        held = nil
        for bytes in waiting { write(bytes) }
        try? channel.syncOptions?.setOption(.autoRead, value: true)
    }

    // MARK: Counting

    /// Whether the client can be sent ticks now; one that does not read fast enough loses its turn, which is counted.
    func takesTurn() -> Bool {
        guard isOpen, !isStalled else { return false }
        if !channel.isWritable { counters.skippedTurns += 1 }
        return channel.isWritable
    }

    func heard(_ keyPath: WritableKeyPath<ConnectionCounters, Int>) {
        lastHeard = channel.eventLoop.now
        counters[keyPath: keyPath] += 1
    }
}

/// What happened on one connection.
struct ConnectionCounters {
    var sent: [FrameKind: Int] = [:]
    var packets = 0
    /// Frames that a muted connection did not send.
    var withheld = 0
    /// Turns left out because the client does not read fast enough.
    var skippedTurns = 0
    var messages = 0
    var pings = 0
    var pongs = 0
    /// Heartbeats that are messages of the broker's own; counted by the venue with ``VenueConnection/heard(_:)``.
    var heartbeats = 0
}
