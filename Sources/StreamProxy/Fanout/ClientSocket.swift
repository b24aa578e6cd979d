import NIOCore

/// Where a client's bytes leave the program. The only place that writes to a client's socket after its handshake.
///
/// The seam for writing to the descriptor directly: whoever does that must keep the order of calls, and call `done`
/// once for each, at once if the kernel took everything.
final class ClientSocket {
    private var context: ChannelHandlerContext?

    init() {}

    func attach(_ context: ChannelHandlerContext) { self.context = context }

    /// The connection is gone; nothing is sent any more.
    func detach() { context = nil }

    /// Hands all bytes over; there is never more than one such call under way.
    /// - Parameter done: Called when the kernel has taken them, often before this returns; not after a failure, which
    ///   ends the connection anyway.
    func send(_ bytes: ByteBuffer, done: @escaping () -> Void) {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess(done)
        context.writeAndFlush(NIOAny(bytes), promise: promise)
    }

    /// Stops or resumes reading: what a client sends too fast is left to TCP.
    func setReading(_ isOn: Bool) {
        // Fails only on a closed channel.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn)
    }

    func close() { context?.close(mode: .all, promise: nil) }
}
