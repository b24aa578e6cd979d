import Logging
import MarketData
import NIOCore
import Testing

@testable import StreamProxy

/// A proxy on a free port with everything around it in memory.
struct House {
    let directory = DirectoryDouble()
    let bus = BusDouble()
    let proxy: ProxyServer

    private init(_ change: (inout ProxyConfiguration) -> Void) {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let bus = bus
        var configuration = ProxyConfiguration(
            port: 0, authenticator: directory, directory: directory, logger: logger, makePort: { _ in bus.makePort() })
        // Clients of tests do not answer close frames unless that is what is tested.
        configuration.closeTimeout = .milliseconds(100)
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
            await house.proxy.stop()
            throw error
        }
        await house.proxy.stop()
        #expect(house.bus.isClosed)
        #expect(house.bus.interest.isEmpty)
        #expect(house.directory.attachments == 0)
        #expect(house.proxy.counters.snapshot().clients == 0)
        #expect(house.proxy.counters.snapshot().authenticated == 0)
    }

    func connect(headers: String = "") async throws -> WireClient {
        try await WireClient.connect(port: proxy.port, headers: headers)
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

/// Reads JSON in the test's own text.
func json(_ text: String) throws -> JSONValue { try JSONParser.parse(ByteBuffer(string: text)) }
