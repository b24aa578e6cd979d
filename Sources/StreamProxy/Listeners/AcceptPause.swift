import Glibc
import Logging
import NIOCore
import Synchronization

/// Leaves clients in the kernel's queue while the process has hardly a descriptor left, instead of asking for them again and
/// again. Of each listening socket; confined to its loop.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private static let shortest = TimeAmount.milliseconds(100)
    private static let longest = TimeAmount.seconds(1)

    private let descriptors: SpareDescriptors
    private var isPaused = false

    init(_ descriptors: SpareDescriptors) { self.descriptors = descriptors }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if !isPaused, !descriptors.areThere { pause(context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let code = (error as? IOError)?.errnoCode
        guard let code, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else { return context.fireErrorCaught(error) }
        if !isPaused { pause(context) }
    }

    private func pause(_ context: ChannelHandlerContext) {
        isPaused = true
        descriptors.sayExhausted()
        // Not by holding reads back: NIO goes on polling a socket whose read has failed.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        wait(Self.shortest, context)
    }

    private func wait(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            guard context.channel.isActive else { return }
            guard self.descriptors.areThere else { return self.wait(min(time * 2, Self.longest), context) }
            self.isPaused = false
            self.descriptors.sayFreed()
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}

/// Descriptors that clients are not given, so that brokers can be reached, stores read and the bus goes on when clients have
/// taken all others. (libzmq, for one, asks for a descriptor again and again when there is none.) Any thread.
final class SpareDescriptors: Sendable {
    /// How often the log says that they are used up, at most.
    static let sayInterval = TimeAmount.seconds(60)

    private let limit: Int
    /// The lowest that is kept back.
    private let ceiling: Int
    private let counters: ProxyCounters
    private let logger: Logger
    private let said = Mutex<(last: NIODeadline?, isOpen: Bool)>((nil, false))

    init(limit: Int = SpareDescriptors.limit, _ counters: ProxyCounters, _ logger: Logger) {
        self.limit = limit
        ceiling = limit - min(max(limit / 16, 32), 256)
        self.counters = counters
        self.logger = logger
    }

    /// How many descriptors this process may have open now.
    static var limit: Int {
        var files = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        return getrlimit(resource, &files) == 0 ? Int(clamping: files.rlim_cur) : 1024
    }

    /// The system gives the lowest free one, so one look tells. False as well when the whole machine has none.
    var areThere: Bool {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return descriptor < ceiling
    }

    func sayExhausted() {
        counters.acceptPauses.add()
        let isNew = said.withLock { said in
            let now = NIODeadline.now()
            if let last = said.last, now < last + Self.sayInterval { return false }
            said = (now, true)
            return true
        }
        guard isNew else { return }
        logger.warning(
            "new clients wait: nearly all of the \(limit) files and sockets that this process may open are in use (the rest is kept for brokers). Raise the limit: LimitNOFILE= in the systemd service, `ulimit -n` in the shell, --ulimit nofile= of a container"
        )
    }

    func sayFreed() {
        let isSaid = said.withLock { said in
            defer { said.isOpen = false }
            return said.isOpen
        }
        if isSaid { logger.notice("new clients are let in again") }
    }
}
