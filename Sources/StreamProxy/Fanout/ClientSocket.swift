import Glibc
import NIOCore

/// Where a client's bytes leave the program. The only place that writes to a client's socket after its handshake.
///
/// While the channel has nothing to write, bytes go to the descriptor directly, which costs a system call and nothing else;
/// what the kernel does not take at once goes through the channel, which waits for the socket, and until that is done
/// nobody writes past it. Under TLS all bytes go through the channel. Confined to its loop.
final class ClientSocket {
    /// When a socket that was full is tried again, for clients that get each frame in a segment of its own.
    private static let retryInterval = TimeAmount.milliseconds(5)

    private var context: ChannelHandlerContext?
    private var descriptor: CInt?
    private let keepsApart: Bool

    /// - Parameter keepsApart: Whether each write is to leave in TCP segments of its own, also when several wait in the
    ///   kernel.
    init(keepsApart: Bool = false) { self.keepsApart = keepsApart }

    /// - Parameter isPlain: Whether no handler between here and the socket changes the bytes.
    func attach(_ context: ChannelHandlerContext, isPlain: Bool = true) {
        self.context = context
        guard isPlain else { return }
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            // Valid for as long as the channel is open; `detach()` comes before it closes.
            $0
        }
    }

    /// The connection is gone; nothing is sent any more.
    func detach() {
        context = nil
        descriptor = nil
    }

    /// Hands over as much as the kernel takes at once. Never calls back. Only while no ``send(_:done:)`` is under way.
    /// - Returns: Bytes taken; an error of the socket counts as none, and the channel meets it with the next write.
    func sendNow(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let descriptor, let start = bytes.baseAddress else { return 0 }
        var sent = 0
        while sent < bytes.count {
            // The end of a record: the kernel puts nothing that comes later into the same segment.
            let end = keepsApart ? CInt(MSG_EOR) : 0
            let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT) | end
            let count = systemSend(descriptor, start + sent, bytes.count - sent, flags)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            sent += count
            // A short count means that the socket's buffer is full: asking again would only be told so.
            break
        }
        return sent
    }

    /// Hands all bytes over; there is never more than one such call under way.
    /// - Parameter done: Called when the kernel has taken them, often before this returns; not after a failure, which
    ///   ends the connection anyway.
    func send(_ bytes: ByteBuffer, done: @escaping () -> Void) {
        guard let context else { return }
        if keepsApart, descriptor != nil { return retry(bytes, done: done) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess(done)
        context.writeAndFlush(NIOAny(bytes), promise: promise)
    }

    /// Waits for the socket by trying: the channel would put the bytes and those that follow into one segment. A dead socket
    /// is noticed by its reads.
    private func retry(_ bytes: ByteBuffer, done: @escaping () -> Void) {
        context?.eventLoop.assumeIsolated().scheduleTask(in: Self.retryInterval) { [weak self] in
            guard let self, self.context != nil else { return }
            var bytes = bytes
            bytes.moveReaderIndex(forwardBy: bytes.withUnsafeReadableBytes { self.sendNow($0) })
            if bytes.readableBytes > 0 { self.retry(bytes, done: done) } else { done() }
        }
    }

    /// Stops or resumes reading: what a client sends too fast is left to TCP.
    func setReading(_ isOn: Bool) {
        // Fails only on a closed channel.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn)
    }

    /// Ends this half of the connection: the other side sees the end behind the last byte. Only when all has been sent.
    func closeOutput() { context?.close(mode: .output, promise: nil) }

    func close() { context?.close(mode: .all, promise: nil) }
}

private let systemSend = Glibc.send
