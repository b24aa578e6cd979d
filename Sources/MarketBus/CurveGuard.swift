import CZeroMQ
import Glibc
import MarketData
import Synchronization

/// Decides who may connect to the bus: answers libzmq's questions (ZAP, ZeroMQ RFC 27) on a thread of its own, and counts
/// those who do not even get that far.
final class CurveGuard: Sendable {
    /// What only the thread touches once it runs.
    private final class Desk {
        let questions: ZMQSocket
        var monitors: [ZMQSocket] = []
        var clients: CurveClients
        let message = ZMQMessage()
        /// Refusals that the log has not told yet, and when it last told some, in seconds.
        var untold = 0
        var lastTold: Int?
        var latest = ""

        init(questions: ZMQSocket, clients: CurveClients) {
            self.questions = questions
            self.clients = clients
        }
    }

    private static let endpoint = "inproc://zeromq.zap.01"
    /// Milliseconds between two looks at the folder.
    private static let interval = 1000
    /// Seconds between two lines of the log on refusals.
    private static let silence = 10

    private let context: ZMQContext
    private let counters: BusCounters
    private let events: BusEvents
    private let control: SignalPipe
    private let stopping = Atomic<Bool>(false)
    private let thread = Mutex<BusThread?>(nil)
    // Made here, handed to the thread by `start`, and touched by that alone from then on.
    nonisolated(unsafe) private let desk: Desk

    /// Binds where libzmq asks, so that no connection is ever made before somebody answers.
    /// - Throws: ``BusCurveError`` without CURVE in libzmq or without the folder.
    init(_ curve: BusCurve, context: ZMQContext, counters: BusCounters, events: BusEvents) throws {
        try BusCurve.checkSupport()
        self.context = context
        self.counters = counters
        self.events = events
        control = try SignalPipe()
        let questions = try ZMQSocket(ZMQ_REP, in: context)
        try questions.bind(CurveGuard.endpoint)
        var clients = CurveClients(folder: curve.clients)
        for problem in clients.refresh()?.problems ?? [] { events.curveTrouble(problem) }
        desk = Desk(questions: questions, clients: clients)
    }

    /// Watches the sockets for connections that fail. To be called before the thread that owns them starts.
    func watch(_ sockets: [ZMQSocket]) throws {
        for (index, socket) in sockets.enumerated() {
            let name = "inproc://feedhost.refused.\(index)"
            let kinds = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
            guard zmq_socket_monitor(socket.pointer, name, kinds) == 0 else { throw ZMQError("watch a socket") }
            let monitor = try ZMQSocket(ZMQ_PAIR, in: context)
            try monitor.connect(name)
            desk.monitors.append(monitor)
        }
    }

    /// Starts answering.
    /// - Parameter lost: Called on the guard's thread when somebody lost a permission: connections must be made anew.
    func start(lost: @escaping @Sendable () -> Void) throws {
        let started = try BusThread(name: "fh-bus-keys") { [self] in run(lost) }
        thread.withLock { $0 = started }
    }

    /// Ends the thread. To be called before the context ends.
    func stop() {
        stopping.store(true, ordering: .releasing)
        control.ring()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func run(_ lost: () -> Void) {
        var next = Self.milliseconds() + CurveGuard.interval
        while !stopping.load(ordering: .acquiring) {
            wait(until: next)
            control.drain()
            while desk.questions.receive(into: desk.message) { answer() }
            for monitor in desk.monitors {
                while monitor.receive(into: desk.message) {
                    monitor.skipRest(desk.message)
                    counters.refusedHandshakes.count()
                    refused("a connection without a key, or with a wrong key of the host")
                }
            }
            let now = Self.milliseconds()
            guard now >= next else { continue }
            next = now + CurveGuard.interval
            tell()
            guard let change = desk.clients.refresh() else { continue }
            for problem in change.problems { events.curveTrouble(problem) }
            events.curveClients(desk.clients.byKey.count)
            if change.hasLost { lost() }
        }
    }

    private func wait(until next: Int) {
        let sockets = [desk.questions] + desk.monitors
        var items = sockets.map { zmq_pollitem_t(socket: $0.pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
        items.append(zmq_pollitem_t(socket: nil, fd: control.reader, events: Int16(ZMQ_POLLIN), revents: 0))
        zmq_poll(&items, Int32(items.count), max(0, next - Self.milliseconds()))
    }

    /// One question: version, request, domain, address, identity, mechanism and credentials, each a frame.
    private func answer() {
        var frames = [Array(desk.message.bytes)]
        while desk.message.hasMore, desk.questions.receive(into: desk.message) {
            frames.append(Array(desk.message.bytes))
        }
        let isQuestion = frames.count == 7 && frames[5] == Array("CURVE".utf8) && frames[6].count == 32
        let allowed = isQuestion && desk.clients.allows(frames[6], String(decoding: frames[2], as: UTF8.self))
        if !allowed {
            counters.refusedKeys.count()
            let address = frames.count > 3 ? String(decoding: frames[3], as: UTF8.self) : "?"
            let key = isQuestion ? frames[6].withUnsafeBytes { Z85.encode($0) } ?? "?" : "?"
            let isKnown = isQuestion && desk.clients.byKey[frames[6]] != nil
            refused("\(address) with the \(isKnown ? "key of another role," : "unknown key") \(key)")
        }
        // 300 and not 400: after that libzmq never tries again, and a key that is added later would need a restart. It
        // tries again when the handshake has taken too long (`BusCurve.handshakeTime`).
        let request = frames.count > 1 ? frames[1] : []
        let reply: [[UInt8]] = [
            Array("1.0".utf8), request, Array((allowed ? "200" : "300").utf8),
            Array((allowed ? "OK" : "No such key").utf8),
            [], [],
        ]
        for (index, frame) in reply.enumerated() {
            _ = frame.withUnsafeBytes { desk.questions.send($0, more: index + 1 < reply.count) }
        }
    }

    private func refused(_ what: String) {
        desk.untold += 1
        desk.latest = what
        tell()
    }

    /// A refused program tries again and again; the log hears of it every 10 seconds.
    private func tell() {
        let now = Self.milliseconds() / 1000
        guard desk.untold > 0, desk.lastTold.map({ now >= $0 + CurveGuard.silence }) ?? true else { return }
        events.refused(desk.untold, desk.latest)
        desk.untold = 0
        desk.lastTold = now
    }

    private static func milliseconds() -> Int { Int(Uptime.now() / 1_000_000) }
}
