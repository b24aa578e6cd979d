import NIOCore

/// What waits to be sent to one client.
///
/// While the socket takes everything, a batch of market data goes straight from its cohort to the socket. While a write is
/// under way the client is slow: then control frames (acknowledgements, order updates, pings) still queue up in order, and
/// market data shrinks to a list of streams that have something new; each stream holds its newest frame itself. So a
/// stalled client costs one list entry a subscription, and nobody waits for it. Confined to its loop.
final class Outbox {
    /// Bytes of one write. Large enough to batch, small enough that a slow client is seen to make progress, and that a
    /// burst to thousands of clients does not pile up in buffers.
    static let chunk = 64 << 10

    /// A client that is slow again and again is told so now and then.
    static let noticeInterval = TimeAmount.seconds(10)

    let wire: Cohort.Wire
    /// The clients whose streams this one shares; nil while it has none.
    var cohort: Cohort?
    /// Position in the cohort's list.
    var place = 0
    /// How much it has got of what the cohort gathers.
    var got = Cohort.Place()
    /// Where the table has noted that it waits to be put into the right cohort.
    var unsettledPlace: Int?

    private(set) var isWriting = false
    /// When the write under way began.
    private(set) var writingSince: NIODeadline = .uptimeNanoseconds(0)
    /// Told that it is slow, in this spell or shortly before.
    private var isWarned = false
    private var warnedAt: NIODeadline = .uptimeNanoseconds(0)

    private let socket: ClientSocket
    private let loop: any EventLoop
    private let counters: ProxyCounters
    private unowned let postponed: PostponedWrites
    private var ready = ByteBuffer()
    private var readyMessages = 0
    /// What the kernel has not taken of a batch, until the channel is given it.
    private var rest: ByteBuffer?
    private var changed: ContiguousArray<Stream> = []
    /// Those of `changed` that the client still has.
    private var waiting: Set<ObjectIdentifier> = []
    private var pong: ByteBuffer?
    private var isPumping = false
    private var isSealed = false
    private var onDrained: (() -> Void)?

    init(
        socket: ClientSocket, loop: any EventLoop, wire: Cohort.Wire, shard: (counters: ProxyCounters, PostponedWrites)
    ) {
        self.socket = socket
        self.loop = loop
        self.wire = wire
        (counters, postponed) = shard
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

    // MARK: Market data

    /// Sends a batch of the cohort's: frames of `streams`, one behind the other. Never calls back.
    /// - Parameters:
    ///   - first: Where that begins which this client has still to get.
    ///   - ends: Where each frame ends, for clients that want one a write.
    func deliver(
        _ batch: UnsafeRawBufferPointer, _ streams: ContiguousArray<Unmanaged<Stream>>, from first: Cohort.Place,
        ends: ContiguousArray<Int>?
    ) {
        guard !isSealed else { return }
        guard !isWriting else {
            for frame in first.frames..<streams.count { streams[frame]._withUnsafeGuaranteedRef { mark($0) } }
            return
        }
        if ready.readableBytes > 0 || pong != nil {
            // Control frames came first.
            ready.writeBytes(batch[first.bytes...])
            readyMessages += streams.count - first.frames
            return postpone()
        }
        if let ends { return deliverApart(batch, streams, from: first, ends) }
        let sent = first.bytes + socket.sendNow(UnsafeRawBufferPointer(rebasing: batch[first.bytes...]))
        counters.messagesOut.add(streams.count - first.frames)
        counters.bytesOut.add(batch.count - first.bytes)
        if sent < batch.count { wait(with: ByteBuffer(bytes: batch[sent...])) }
    }

    /// One write a frame. Of those behind one that the kernel does not take, the newest of each stream waits.
    private func deliverApart(
        _ batch: UnsafeRawBufferPointer, _ streams: ContiguousArray<Unmanaged<Stream>>, from first: Cohort.Place,
        _ ends: ContiguousArray<Int>
    ) {
        var start = first.bytes
        for frame in first.frames..<streams.count {
            guard !isWriting else {
                streams[frame]._withUnsafeGuaranteedRef { mark($0) }
                continue
            }
            let end = ends[frame]
            let sent = start + socket.sendNow(UnsafeRawBufferPointer(rebasing: batch[start..<end]))
            counters.messagesOut.add()
            counters.bytesOut.add(end - start)
            if sent < end { wait(with: ByteBuffer(bytes: batch[sent..<end])) }
            start = end
        }
    }

    /// The socket is full: the channel is given the rest when nobody walks through the lists of clients.
    private func wait(with bytes: ByteBuffer) {
        isWriting = true
        writingSince = loop.now
        rest = bytes
        postpone()
    }

    /// Queues the newest frame of a stream for this client alone.
    func append(_ stream: Stream) {
        if isSealed { return }
        if isWriting {
            mark(stream)
        } else {
            copyFrame(of: stream)
            if ready.readableBytes >= Self.chunk { flush() }
        }
    }

    private func mark(_ stream: Stream) {
        if waiting.insert(ObjectIdentifier(stream)).inserted {
            changed.append(stream)
        } else {
            counters.conflated.add()
            if !isWarned { warn() }
        }
    }

    /// The first step: the client is told, before anything newer, that it does not get everything any more.
    private func warn() {
        isWarned = true
        warnedAt = loop.now
        counters.slowNotices.add()
        append(Self.notice)
    }

    private static let notice: ByteBuffer = {
        let text: StaticString = """
            {"type":"notice","code":"SLOW_CLIENT","message":"You read more slowly than data comes. Until you have caught \
            up, you get the newest value of each instrument only."}
            """
        var frame = ByteBuffer()
        FrameHeader.write(.text, length: text.utf8CodeUnitCount, to: &frame)
        frame.writeStaticString(text)
        return frame
    }()

    private func copyFrame(of stream: Stream) {
        if wire.deflates {
            stream.withDeflatedFrame { _ = ready.writeBytes($0) }
        } else {
            ready.writeBytes(stream.frame.bytes)
        }
        readyMessages += 1
    }

    /// The client has left the stream: what waits of it is not sent.
    func forget(_ stream: Stream) { waiting.remove(ObjectIdentifier(stream)) }

    // MARK: The end

    /// Queues the last frame of this connection, and drops the market data that waits.
    /// - Parameter drained: Called once everything has left.
    func seal(with frame: ByteBuffer, drained: (() -> Void)? = nil) {
        forgetMarketData()
        append(frame)
        isSealed = true
        onDrained = drained
        flush()
    }

    /// The connection is gone: nothing is kept.
    func discard() {
        isSealed = true
        forgetMarketData()
        ready = ByteBuffer()
        rest = nil
        onDrained = nil
    }

    private func forgetMarketData() {
        changed = []
        waiting = []
        pong = nil
    }

    // MARK: Writing

    private func postpone() { postponed.add(self) }

    /// Goes on with a write that was postponed: what it meets may end the connection.
    func resume() {
        guard let rest else { return flush() }
        self.rest = nil
        hand(rest)
    }

    /// Sends what waits, unless a write is under way.
    func flush() {
        // A write that completes at once comes back here; the loop below goes on instead of nesting.
        guard !isPumping else { return }
        isPumping = true
        while !isWriting, let bytes = nextChunk() { write(bytes) }
        isPumping = false
        if isWarned, !isWriting, loop.now >= warnedAt + Self.noticeInterval { isWarned = false }
        if !isWriting, let drained = onDrained {
            onDrained = nil
            drained()
        }
    }

    private func write(_ bytes: ByteBuffer) {
        counters.messagesOut.add(readyMessages)
        counters.bytesOut.add(bytes.readableBytes)
        readyMessages = 0
        var bytes = bytes
        let sent = bytes.withUnsafeReadableBytes { socket.sendNow($0) }
        bytes.moveReaderIndex(forwardBy: sent)
        guard bytes.readableBytes > 0 else { return }
        isWriting = true
        writingSince = loop.now
        hand(bytes)
    }

    /// Gives bytes to the channel, which waits until the socket takes them.
    private func hand(_ bytes: ByteBuffer) {
        socket.send(bytes) { [weak self] in
            guard let self else { return }
            self.isWriting = false
            self.flush()
        }
    }

    /// The next bytes to write: control frames first, then as much market data as fits; one frame where each is a write.
    private func nextChunk() -> ByteBuffer? {
        if let pong {
            append(pong)
            self.pong = nil
        }
        if !changed.isEmpty, ready.readableBytes < Self.chunk {
            var taken = 0
            while taken < changed.count, ready.readableBytes < Self.chunk {
                let stream = changed[taken]
                if waiting.remove(ObjectIdentifier(stream)) != nil { copyFrame(of: stream) }
                taken += 1
            }
            changed.removeFirst(taken)
        }
        guard ready.readableBytes > 0 else { return nil }
        let frame = wire.coalesces ? nil : FrameHeader.wholeSize(ready)
        if ready.readableBytes <= frame ?? (2 * Self.chunk) {
            // The buffer goes as it is; an idle client keeps none.
            defer { ready = ByteBuffer() }
            return ready
        }
        // A backlog leaves in pieces. Copied: a slice would make the next append copy everything instead.
        let size = frame ?? Self.chunk
        var piece = ByteBuffer()
        piece.reserveCapacity(size)
        if let head = ready.readSlice(length: size) { piece.writeImmutableBuffer(head) }
        // Now and then only: moving the rest for every piece would take quadratic time.
        if ready.readerIndex > ready.readableBytes { ready.discardReadBytes() }
        return piece
    }
}

/// Writes that have to wait until nobody walks through the lists of clients: the channel may answer one by ending the
/// connection at once.
final class PostponedWrites {
    private var outboxes: ContiguousArray<Outbox> = []

    func add(_ outbox: Outbox) { outboxes.append(outbox) }

    func run() {
        var index = 0
        while index < outboxes.count {
            outboxes[index].resume()
            index += 1
        }
        outboxes.removeAll(keepingCapacity: true)
    }
}
