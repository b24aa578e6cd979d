import NIOCore

/// What a client that takes its window over from message to message may refer back to: the end of what it has sent so far.
///
/// Kept instead of zlib's state, which has 7 KB and a whole window from the first message on: most clients send a few
/// hundred bytes in their lives.
struct InflateWindow {
    /// Bytes that are kept at most.
    let size: Int
    private(set) var bytes = ByteBuffer()

    init(size: Int) { self.size = size }

    /// A message has been unpacked.
    mutating func slide(over message: ByteBuffer) {
        let fresh = min(message.readableBytes, size)
        let old = min(bytes.readableBytes, size - fresh)
        var window = ByteBuffer()
        window.reserveCapacity(old + fresh)
        if let end = bytes.getSlice(at: bytes.writerIndex - old, length: old) { window.writeImmutableBuffer(end) }
        if let end = message.getSlice(at: message.writerIndex - fresh, length: fresh) {
            window.writeImmutableBuffer(end)
        }
        bytes = window
    }
}
