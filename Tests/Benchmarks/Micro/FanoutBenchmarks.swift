import CFeedhostABI
import Glibc
import Logging
import MarketBus
import MarketData
import NIOCore
import StreamProxy

/// Allocations a tick that may be seen on a busy machine: a buffer that still grows in a short run. One a tick would be 1, one a
/// delivered message 50.
private let settling = 0.05

/// The bus by itself, and the whole way from a ring to the sockets of clients. All threads' allocations count.
var fanoutBenchmarks: [Benchmark] {
    [
        Benchmark(name: "bus: ring to shard, a tick", limit: 1_000, allocations: settling) { try BusBench().body() },
        // libzmq takes a new buffer for what it reads while messages of the last one are still waiting: one a read, not one
        // a message. Ticks that come one by one allocate nothing.
        Benchmark(name: "bus: outside feed to shard, a tick", limit: nil, allocations: 0.5) {
            try OutsideBench().body(ahead: 512)
        },
        Benchmark(name: "bus: outside feed to shard, one by one", limit: nil, allocations: settling) {
            try OutsideBench().body(ahead: 1)
        },
        Benchmark(name: "fan-out: a tick to 1 client", limit: nil, allocations: settling) {
            try FanoutBench(clients: 1, differently: false).body()
        },
        Benchmark(name: "index: a tick to 1 client of 10,000 routes", limit: nil, allocations: settling) {
            try FanoutBench(clients: 1, symbols: 10_000, differently: false).body()
        },
        Benchmark(name: "fan-out: a tick to 50 clients, one set", limit: nil, allocations: settling) {
            try FanoutBench(clients: 50, differently: false).body()
        },
        Benchmark(name: "fan-out: a tick to 50 clients, 50 sets", limit: nil, allocations: settling) {
            try FanoutBench(clients: 50, differently: true).body()
        },
    ]
}

struct BenchError: Error {
    let what: String
}

/// A bus with a session whose ticks a benchmark makes.
private final class Feeding {
    let instruments = InstrumentHandles()
    let bus: SharedPublisher
    let session: UInt32
    let feed: TickFeed
    let handles: [UInt32]
    private var ticks: [fh_tick]
    private var step = 0

    init(symbols: Int = 10) throws {
        var configuration = BusConfiguration()
        configuration.port = .init(0, isExplicit: true)
        bus = try SharedPublisher(configuration, instruments: instruments)
        session = bus.openSession(user: "bench", broker: "bench")
        feed = bus.makeFeed(session: session)
        handles = (0..<symbols).compactMap { [instruments] in
            instruments.handle(of: Instrument(exchange: "NSE", symbol: "SYM\($0)"))
        }
        ticks = handles.map { quoteTick(handle: $0) }
        for handle in handles { bus.track(session: session, instrument: handle) }
    }

    /// One tick; waits when the ring is full.
    func publish() {
        let place = step % ticks.count
        step += 1
        ticks[place].ltp = 118_775 &+ Int64(step & 0xFF)
        while ticks.withUnsafeBufferPointer({
            feed.publish(UnsafeBufferPointer(rebasing: $0[place...place]), now: 0)
        }) == 0 { sched_yield() }
    }
}

/// Ring, last value, JSON, and the way to a shard.
private final class BusBench {
    private let feeding: Feeding
    private let port: any BusReader

    init() throws {
        feeding = try Feeding()
        port = feeding.bus.makeReader(0)
        for handle in feeding.handles {
            port.subscribe(RouteKey(session: feeding.session, instrument: handle, mode: .ltp))
        }
    }

    func body() -> (Int) -> Void { drain(port, ahead: 512) { [feeding] in feeding.publish() } }
}

/// A tick of a publisher outside: ZeroMQ over TCP, and the way to a shard. What libzmq allocates counts as well.
private final class OutsideBench {
    private let feeding: Feeding
    private let port: any BusReader
    private let publisher: HandPublisher

    init() throws {
        feeding = try Feeding()
        let outside = feeding.bus.openSession(user: "bench", broker: "outside", isExternal: true)
        port = feeding.bus.makeReader(0)
        for handle in feeding.handles { port.subscribe(RouteKey(session: outside, instrument: handle, mode: .ltp)) }
        port.flush()
        guard let number = feeding.bus.endpoint.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw BenchError(what: "no port in \(feeding.bus.endpoint)")
        }
        publisher = try HandPublisher(port: number, symbols: feeding.handles.count)
    }

    func body(ahead: Int) -> (Int) -> Void { drain(port, ahead: ahead) { [self] in publisher.publish() } }
}

/// Publishes, and takes what arrives, with at most `ahead` ticks under way.
private func drain(_ port: any BusReader, ahead: Int, _ publish: @escaping () -> Void) -> (Int) -> Void {
    { repetitions in
        var (sent, received) = (0, 0)
        while received < repetitions {
            while sent < repetitions, sent - received < ahead {
                publish()
                sent += 1
            }
            received += port.drain(limit: 512) { _ in }
        }
    }
}

/// A proxy with clients on real sockets, which a thread of their own reads.
private final class FanoutBench {
    private let feeding: Feeding
    private let proxy: ProxyServer
    private let clients: BenchClients
    private let perRound: Int

    /// - Parameter differently: Each client has a set of symbols of its own, so that nothing is gathered for several.
    init(clients count: Int, symbols: Int = 10, differently: Bool) throws {
        let feeding = try Feeding(symbols: symbols)
        self.feeding = feeding
        let house = BenchHouse(feeding.bus, session: feeding.session, instruments: feeding.instruments)
        var configuration = ProxyConfiguration(
            host: "127.0.0.1", port: 0, authenticator: house, directory: house,
            logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }),
            makeReader: { [bus = feeding.bus] in bus.makeReader($0) })
        // Its timer allocates, which is nothing a tick does.
        configuration.sweepInterval = .hours(1)
        let proxy = ProxyServer(configuration)
        self.proxy = proxy
        try wait { try await proxy.start() }
        clients = try BenchClients(port: proxy.port, count: count) { number in
            // Symbols that have no ticks make the sets differ.
            let more = differently ? [Instrument(exchange: "NSE", symbol: "OWN\(number)")] : []
            return (0..<symbols).map { Instrument(exchange: "NSE", symbol: "SYM\($0)") } + more
        }
        perRound = count
    }

    func body() -> (Int) -> Void {
        { [self] repetitions in
            let before = delivered
            var sent = 0
            while sent < repetitions {
                feeding.publish()
                sent += 1
                while delivered - before < (sent - 64) * perRound { sched_yield() }
            }
            while delivered - before < sent * perRound { sched_yield() }
        }
    }

    private var delivered: Int { proxy.counters.settled }
}

/// Waits for something asynchronous on a thread that has nothing else to do.
private func wait(_ body: @escaping @Sendable () async throws -> Void) throws {
    let done = Waiting()
    Task {
        do {
            try await body()
            done.finish(nil)
        } catch {
            done.finish("\(error)")
        }
    }
    if let trouble = done.wait() { throw BenchError(what: trouble) }
}
