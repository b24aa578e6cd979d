import NIOCore

/// What a client said.
enum InboundMessage {
    /// A request; binary messages hold JSON too (client-protocol.md section 1).
    case request(ByteBuffer)
    case ping(ByteBuffer)
    case pong(ByteBuffer)
    case close(code: UInt16?)
}

/// Joins frames to messages, inflates them, and checks texts.
///
/// Fragments are joined in one buffer as they come, so any number of tiny ones costs no more than their bytes.
struct MessageReader {
    private var frames: FrameReader
    private var partial: Partial?
    private var window: InflateWindow?
    /// Whether the client has sent a close frame, a wrong one too.
    private(set) var hasClose = false

    private struct Partial {
        let opcode: Opcode
        let isCompressed: Bool
        var bytes: ByteBuffer
    }

    /// - Parameter window: Bytes that compressed messages may refer back to; 0 when they stand alone.
    init(allowsCompression: Bool, window: Int = 0) {
        frames = FrameReader(allowsCompression: allowsCompression)
        if window > 0 { self.window = InflateWindow(size: window) }
    }

    mutating func append(_ bytes: ByteBuffer) { frames.append(bytes) }

    /// The next whole message, or nil until more bytes come.
    /// - Parameter limit: Bytes that a message may have now.
    mutating func next(limit: Int, inflater: Inflater) throws(ProtocolViolation) -> InboundMessage? {
        while let frame = try frames.next(room: limit - (partial?.bytes.readableBytes ?? 0)) {
            switch frame.opcode {
            case .ping: return .ping(frame.payload)
            case .pong: return .pong(frame.payload)
            case .close:
                hasClose = true
                return try close(frame.payload)
            case .continuation:
                guard partial != nil else { throw .fragmentation }
                partial?.bytes.writeImmutableBuffer(frame.payload)
            case .text, .binary:
                guard partial == nil else { throw .fragmentation }
                partial = Partial(opcode: frame.opcode, isCompressed: frame.isCompressed, bytes: frame.payload)
            }
            guard frame.isFinal, let message = partial else { continue }
            partial = nil
            return try finish(message, limit, inflater)
        }
        return nil
    }

    /// Throws away what has come since the client broke the rules, and what comes now.
    /// - Returns: Whether a close frame was among it.
    mutating func skipToClose() -> Bool {
        partial = nil
        window = nil
        hasClose = hasClose || frames.skipToClose()
        return hasClose
    }

    private mutating func finish(_ message: Partial, _ limit: Int, _ inflater: Inflater) throws(ProtocolViolation)
        -> InboundMessage
    {
        var bytes = message.bytes
        if message.isCompressed {
            bytes = try inflater.inflate(bytes, limit: limit, window: &window)
        }
        if message.opcode == .text, !bytes.isUTF8 { throw .text }
        return .request(bytes)
    }

    private func close(_ payload: ByteBuffer) throws(ProtocolViolation) -> InboundMessage {
        guard payload.readableBytes > 0 else { return .close(code: nil) }
        var rest = payload
        guard let code: UInt16 = rest.readInteger() else { throw .closePayload }
        // RFC 6455 section 7.4, with the codes registered since (1012–1014).
        guard (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code) else {
            throw .closePayload
        }
        guard rest.isUTF8 else { throw .text }
        return .close(code: code)
    }
}

extension ByteBuffer {
    var isUTF8: Bool {
        withUnsafeReadableBytes { bytes in
            // Nearly all requests are ASCII, and then nothing is copied.
            bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
        }
    }
}
