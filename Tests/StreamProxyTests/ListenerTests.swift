import Foundation
import Logging
import MarketData
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import StreamProxy

@Suite(.timeLimit(.minutes(1))) struct ListenerTests {
    /// A path that a Unix socket's name has room for.
    private let path = "/tmp/feedhost-\(UInt64.random(in: 0 ... .max)).sock"

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    @Test func severalSideBySide() async throws {
        let more = [try ListenerAddress("ws://127.0.0.1:0?coalesce=no"), try ListenerAddress("unix:\(path)?mode=0600")]
        try await House.with({ $0.listeners = more }) { house in
            let places = house.proxy.listeners
            #expect(places.count == 3 && places[2].description == "unix:\(path)")
            #expect(try mode(path) == 0o600)
            #expect(!exists(path + ".new"))
            guard case .tcp(_, let port) = places[1].place else { throw ChannelError.eof }
            #expect(port != 0 && port != house.proxy.port)
            for client in [
                try await house.connect(), try await WireClient.connect(port: port),
                try await WireClient.connect(unix: path),
            ] {
                #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
                await client.close()
            }
        }
        #expect(!exists(path))
    }

    @Test func theirFramesAreTheListeners() async throws {
        let more = [try ListenerAddress("unix:\(path)?coalesce=no")]
        try await House.with({ $0.listeners = more }) { house in
            let single = try await WireClient.connect(unix: path)
            let other = try await house.client()
            _ = try await single.reply(to: #"{"action":"authenticate","api_key":"key-alice"}"#)
            let all =
                #"{"action":"subscribe","mode":1,"symbols":[{"symbol":"A","exchange":"NSE"},{"symbol":"B","exchange":"NSE"}]}"#
            for client in [single, other] { _ = try await client.reply(to: all) }
            let messages = try ["A", "B"].map {
                BusDouble.Message.data(try house.route($0), snapshot: false, #"{"ltp":1}"#)
            }
            house.bus.publish(messages)
            for client in [single, other] {
                #expect(try await client.json()["symbol"] == "A")
                #expect(try await client.json()["symbol"] == "B")
            }
            await single.close()
        }
    }

    @Test func aStaleSocketIsReplacedAndALiveOneIsNot() async throws {
        let address = try ListenerAddress("unix:\(path)")
        // As a host that was killed leaves it: bound, and nobody there.
        let (stale, descriptor) = try UnixSocketFile.bind(path: path, mode: 0o600)
        close(descriptor)
        #expect(exists(path))
        try await House.with({ $0.listeners = [address] }) { house in
            #expect(try mode(path) == 0o660)
            await #expect {
                try await House.with({ $0.listeners = [address] }, { _ in })
            } throws: { error in
                let error = error as? ProxyStartError
                return error?.code == .addressInUse && error?.isMain == false && error?.address == address
            }
            // The one that was replaced is gone, and its owner does not remove ours.
            stale.remove()
            let client = try await WireClient.connect(unix: path)
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            await client.close()
        }
        #expect(!exists(path))
    }

    @Test func aFileThatIsNoSocketStays() async throws {
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let address = try ListenerAddress("unix:\(path)")
        await #expect {
            try await House.with({ $0.listeners = [address] }, { _ in })
        } throws: { error in
            "\(error)".contains("is not a socket")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("precious".utf8))
    }

    @Test func aTakenPortOfAnotherListenerIsNamedAndNothingStaysOpen() async throws {
        try await House.with { house in
            let taken = try ListenerAddress("ws://127.0.0.1:\(house.proxy.port)")
            let unix = try ListenerAddress("unix:\(path)")
            await #expect {
                try await House.with({ $0.listeners = [unix, taken] }, { _ in })
            } throws: { error in
                let error = error as? ProxyStartError
                return error?.code == .addressInUse && error?.address == taken && error?.isMain == false
            }
            #expect(!exists(path))
        }
    }

    @Test func tlsNeedsACertificate() async throws {
        let address = try ListenerAddress("wss://127.0.0.1:0")
        for tls in [nil, TLSFiles(certificate: "/nowhere/a.pem", key: "/nowhere/a.key")] {
            await #expect {
                try await House.with(
                    {
                        $0.listeners = [address]
                        $0.tls = tls
                    }, { _ in })
            } throws: { error in
                let error = error as? ProxyStartError
                return error?.code == .certificate
                    && "\(error?.cause as Any)".contains(
                        tls == nil ? "no certificate" : "/nowhere/a.pem cannot be read")
            }
        }
    }

    /// Many loops: connections are spread evenly, and everybody gets everything once.
    @Test func fourLoops() async throws {
        let buses = (0..<4).map { _ in BusDouble() }
        let directory = DirectoryDouble()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let ports = Mutex<[UInt8]>([])
        let proxy = ProxyServer(
            ProxyConfiguration(
                port: 0, eventLoops: 4, authenticator: directory, directory: directory, logger: logger,
                makeReader: { shard in
                    ports.withLock { $0.append(shard) }
                    return buses[Int(shard)].makeReader()
                }))
        try await proxy.start()
        #expect(ports.withLock { $0.sorted() } == [0, 1, 2, 3])
        var clients: [WireClient] = []
        for number in 0..<40 {
            let client = try await WireClient.connect(port: proxy.port)
            let key = number.isMultiple(of: 8) ? "key-bob" : "key-alice"
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"\#(key)"}"#)
            // One of its own, to see where it is, and one of everybody.
            _ = try await client.reply(
                to:
                    #"{"action":"subscribe","mode":1,"symbols":[{"symbol":"S\#(number)","exchange":"NSE"},{"symbol":"ALL","exchange":"NSE"}]}"#
            )
            clients.append(client)
        }
        let alice = try #require(directory.session(of: "alice"))
        let bob = try #require(directory.session(of: "bob_k"))
        let all = try [alice, bob].map { session in
            try #require(
                session.route(Wish(instrument: Instrument(exchange: "NSE", symbol: "ALL"), mode: .ltp, depth: 5)))
        }
        // Ten of their own symbols each, and one or two of ALL.
        #expect(buses.allSatisfy { bus in bus.interest.subtracting(all).count == 10 })
        for tick in 1...5 {
            for bus in buses { for route in all { bus.publish(route, #"{"ltp":\#(tick)}"#) } }
        }
        for client in clients {
            for tick in 1...5 { #expect(try await client.json()["data"]?["ltp"] == .int(Int64(tick))) }
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong", "nothing twice")
        }
        // What concerns a user reaches its clients on every loop.
        proxy.apply(AccountChange(.userChanged(user: "bob_k")))
        for (number, client) in clients.enumerated() where number.isMultiple(of: 8) {
            #expect(try await client.closeFrame().code == 4001)
            await client.close()
        }
        for (number, client) in clients.enumerated() where !number.isMultiple(of: 8) {
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
        }
        async let stopped: Void = proxy.stop()
        for (number, client) in clients.enumerated() where !number.isMultiple(of: 8) {
            #expect(try await client.closeFrame().code == 1001)
            await client.close()
        }
        await stopped
        #expect(buses.allSatisfy { $0.isClosed && $0.interest.isEmpty })
        #expect(directory.attachments == 0 && proxy.counters.snapshot().clients == 0)
    }
}
