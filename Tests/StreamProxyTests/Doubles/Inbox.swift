import NIOCore
import Synchronization

/// What a ``WireClient`` has received, cut into frames when somebody asks.
final class Inbox: Sendable {
    private struct State {
        var bytes = ByteBuffer()
        var isOver = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func add(_ more: ByteBuffer) {
        wake { state in
            state.bytes.discardReadBytes()
            state.bytes.writeImmutableBuffer(more)
        }
    }

    func end() { wake { $0.isOver = true } }

    private func wake(_ change: (inout sending State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Takes something out as soon as it is there.
    private func take<T: Sendable>(_ attempt: (inout ByteBuffer, _ isOver: Bool) -> T?) async throws -> T {
        while true {
            var result: T?
            var isOver = false
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    result = attempt(&state.bytes, state.isOver)
                    isOver = state.isOver
                    if result == nil, !isOver { state.waiting = continuation }
                    return result != nil || isOver
                }
                if isDone { continuation.resume() }
            }
            if let result { return result }
            if isOver { throw WireClient.Closed() }
        }
    }

    /// The answer to the handshake.
    func head() async throws -> String {
        try await take { bytes, _ in
            let text = String(buffer: bytes)
            guard let end = text.range(of: "\r\n\r\n") else { return nil }
            let head = String(text[..<end])
            bytes.moveReaderIndex(forwardBy: head.utf8.count + 4)
            return head
        }
    }

    func everything() async throws -> String {
        try await take { bytes, isOver in isOver ? String(buffer: bytes) : nil }
    }

    func frame() async throws -> WireClient.Frame { try await take { bytes, _ in Self.frame(in: &bytes) } }

    static func frames(in bytes: ByteBuffer) -> [WireClient.Frame] {
        var bytes = bytes
        var frames: [WireClient.Frame] = []
        while let frame = frame(in: &bytes) { frames.append(frame) }
        return frames
    }

    private static func frame(in bytes: inout ByteBuffer) -> WireClient.Frame? {
        var rest = bytes
        guard let first: UInt8 = rest.readInteger(), let second: UInt8 = rest.readInteger() else { return nil }
        var length = Int(second & 0x7F)
        if length == 126 {
            guard let value: UInt16 = rest.readInteger() else { return nil }
            length = Int(value)
        } else if length == 127 {
            guard let value: UInt64 = rest.readInteger() else { return nil }
            length = Int(value)
        }
        guard let payload = rest.readBytes(length: length) else { return nil }
        bytes = rest
        return WireClient.Frame(opcode: first & 0x0F, isCompressed: first & 0x40 != 0, payload: payload)
    }
}

extension String {
    /// The first place of a text; Foundation is not needed for that.
    func range(of text: String) -> String.Index? {
        var index = startIndex
        while index < endIndex {
            if self[index...].utf8.starts(with: text.utf8) { return index }
            index = utf8.index(after: index)
        }
        return nil
    }
}
