import NIOCore

/// What waits to be sent to one client.
///
/// While the socket takes everything, frames are appended to one buffer that leaves in one write. While a write is under
/// way the client is slow: then control frames (acknowledgements, order updates, pings) still queue up in order, and
/// market data shrinks to a list of streams that have something new; each stream holds its newest frame itself. So a
/// stalled client costs one list entry a subscription, and nobody waits for it. Confined to its loop.
final class Outbox {
    /// Bytes of one write. Large enough to batch, small enough that a slow client is seen to make progress, and that a
    /// burst to thousands of clients does not pile up in buffers.
    static let chunk = 64 << 10

    /// Whether the client agreed on permessage-deflate.
    let deflates: Bool
    private(set) var isWriting = false
    /// The shard will call ``flush()`` at the end of this batch.
    var isTouched = false
    /// When the write under way began.
    private(set) var writingSince: NIODeadline = .uptimeNanoseconds(0)

    private let socket: ClientSocket
    private let loop: any EventLoop
    private let counters: ProxyCounters
    private var ready = ByteBuffer()
    private var readyMessages = 0
    private var changed: ContiguousArray<Subscription> = []
    private var pong: ByteBuffer?
    private var isPumping = false
    private var isSealed = false
    private var onDrained: (() -> Void)?

    init(socket: ClientSocket, loop: any EventLoop, deflates: Bool, counters: ProxyCounters) {
        self.socket = socket
        self.loop = loop
        self.deflates = deflates
        self.counters = counters
    }

    /// Bytes of control frames that a client which does not read has made us keep.
    var backlog: Int { isWriting ? ready.readableBytes : 0 }

    /// Queues a frame that is never dropped.
    func append(_ frame: ByteBuffer) {
        guard !isSealed else { return }
        ready.writeImmutableBuffer(frame)
        readyMessages += 1
    }

    /// Answers a ping. Only the newest is answered (RFC 6455 section 5.5.3): a client that floods us with pings and reads
    /// nothing makes us keep one.
    func answerPing(_ payload: ByteBuffer) {
        let frame = ByteBuffer.controlFrame(.pong, payload: payload)
        if isWriting {
            pong = frame
        } else {
            append(frame)
        }
    }

    /// Queues the newest frame of a stream.
    @inline(__always)
    func append(_ stream: Stream, for subscription: @autoclosure () -> Subscription) {
        if isSealed { return }
        if isWriting {
            mark(subscription())
        } else {
            copyFrame(of: stream)
            if ready.readableBytes >= Self.chunk { flush() }
        }
    }

    private func mark(_ subscription: Subscription) {
        if subscription.isWaiting {
            counters.conflated.add()
        } else {
            subscription.isWaiting = true
            changed.append(subscription)
        }
    }

    @inline(__always)
    private func copyFrame(of stream: Stream) {
        if deflates {
            ready.writeImmutableBuffer(stream.deflatedFrame())
        } else {
            ready.writeImmutableBuffer(stream.frame)
        }
        readyMessages += 1
    }

    /// Forgets the streams that the client has left.
    func forgetLeftStreams() {
        changed.removeAll { $0.hasLeft }
    }

    /// Queues the last frame of this connection, and drops the market data that waits.
    /// - Parameter drained: Called once everything has left.
    func seal(with frame: ByteBuffer, drained: (() -> Void)? = nil) {
        changed = []
        pong = nil
        append(frame)
        isSealed = true
        onDrained = drained
        flush()
    }

    /// The connection is gone: nothing is kept.
    func discard() {
        isSealed = true
        changed = []
        pong = nil
        ready = ByteBuffer()
        onDrained = nil
    }

    /// Sends what waits, unless a write is under way.
    func flush() {
        // A write that completes at once comes back here; the loop below goes on instead of nesting.
        guard !isPumping else { return }
        isPumping = true
        while !isWriting, let bytes = nextChunk() { write(bytes) }
        isPumping = false
        if !isWriting, let drained = onDrained {
            onDrained = nil
            drained()
        }
    }

    private func write(_ bytes: ByteBuffer) {
        isWriting = true
        writingSince = loop.now
        counters.messagesOut.add(readyMessages)
        counters.bytesOut.add(bytes.readableBytes)
        readyMessages = 0
        socket.send(bytes) { [weak self] in
            guard let self else { return }
            self.isWriting = false
            self.flush()
        }
    }

    /// The next bytes to write: control frames first, then as much market data as fits.
    private func nextChunk() -> ByteBuffer? {
        if let pong {
            append(pong)
            self.pong = nil
        }
        if !changed.isEmpty, ready.readableBytes < Self.chunk {
            var taken = 0
            while taken < changed.count, ready.readableBytes < Self.chunk {
                let subscription = changed[taken]
                subscription.isWaiting = false
                if !subscription.hasLeft { copyFrame(of: subscription.stream) }
                taken += 1
            }
            changed.removeFirst(taken)
        }
        guard ready.readableBytes > 0 else { return nil }
        if ready.readableBytes <= 2 * Self.chunk {
            // The buffer goes as it is; an idle client keeps none.
            defer { ready = ByteBuffer() }
            return ready
        }
        // A backlog leaves in pieces. Copied: a slice would make the next append copy everything instead.
        var piece = ByteBuffer()
        piece.reserveCapacity(Self.chunk)
        if let head = ready.readSlice(length: Self.chunk) { piece.writeImmutableBuffer(head) }
        // Now and then only: moving the rest for every piece would take quadratic time.
        if ready.readerIndex > ready.readableBytes { ready.discardReadBytes() }
        return piece
    }
}
