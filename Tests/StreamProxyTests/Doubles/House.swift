import Logging
import MarketData
import NIOCore
import Synchronization
import Testing

@testable import StreamProxy

/// A proxy on a free port with everything around it in memory.
struct House {
    let directory = DirectoryDouble()
    let bus = BusDouble()
    let proxy: ProxyServer
    private let clients = ClientList()

    private init(_ change: (inout ProxyConfiguration) -> Void) {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let bus = bus
        var configuration = ProxyConfiguration(
            port: 0, authenticator: directory, directory: directory, logger: logger,
            makeReader: { _ in bus.makeReader() })
        // Longer than any test should take, so that a busy machine changes nothing; who tests a deadline sets it.
        configuration.closeTimeout = .seconds(20)
        configuration.sweepInterval = .milliseconds(10)
        change(&configuration)
        proxy = ProxyServer(configuration)
    }

    /// Runs a test against a fresh proxy, which is stopped afterwards.
    static func with(
        _ change: (inout ProxyConfiguration) -> Void = { _ in }, _ body: (House) async throws -> Void
    ) async throws {
        let house = House(change)
        try await house.proxy.start()
        do {
            try await body(house)
        } catch {
            await house.leave()
            throw error
        }
        await house.leave()
        #expect(house.bus.isClosed)
        #expect(house.bus.interest.isEmpty)
        #expect(house.directory.attachments == 0)
        #expect(house.proxy.counters.snapshot().clients == 0)
        #expect(house.proxy.counters.snapshot().authenticated == 0)
    }

    private func leave() async {
        for client in clients.all { await client.close() }
        await proxy.stop()
    }

    func connect(path: String = "/", headers: String = "", trailing: [UInt8] = []) async throws -> WireClient {
        let client = try await WireClient.connect(port: proxy.port, path: path, headers: headers, trailing: trailing)
        clients.add(client)
        return client
    }

    /// A client that is authenticated as alice, or by another key.
    func client(key: String = "key-alice", headers: String = "") async throws -> WireClient {
        let client = try await connect(headers: headers)
        let reply = try await client.reply(to: #"{"action":"authenticate","api_key":"\#(key)"}"#)
        #expect(reply["status"] == "success")
        return client
    }

    /// The route that a wish of a user is granted.
    func route(
        _ symbol: String, _ mode: Mode = .ltp, depth: Int = 5, suffixed: Bool = false, user: String = "alice",
        broker: String = "zerodha"
    ) throws -> RouteKey {
        let wish = Wish(
            instrument: Instrument(exchange: "NSE", symbol: symbol), mode: mode, depth: depth, suffixed: suffixed)
        return try #require(directory.session(user: user, broker: broker).route(wish))
    }
}

/// Who has connected.
private final class ClientList: Sendable {
    private let clients = Mutex<[WireClient]>([])
    var all: [WireClient] { clients.withLock { $0 } }
    func add(_ client: WireClient) { clients.withLock { $0.append(client) } }
}

/// Reads JSON in the test's own text.
func json(_ text: String) throws -> JSONValue { try JSONParser.parse(ByteBuffer(string: text)) }
