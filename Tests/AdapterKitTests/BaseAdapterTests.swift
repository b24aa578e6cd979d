import AdapterTestKit
import CFeedhostABI
import Testing

@testable import AdapterKit

/// An adapter that does what its settings say.
private final class Scripted: BaseAdapter {
    static let descriptor: AdapterDescriptor = {
        var capabilities = Capabilities(exchanges: ["NSE", "NFO"])
        capabilities.traits = [.confirmsSubscriptions]
        capabilities.depth = [DepthLevels("NFO", [20, 5]), DepthLevels("*", [5])]
        var market = Link("market", carries: .marketData)
        market.quota = 3_000
        capabilities.links = [market]
        capabilities.keepAlive = .seconds(5)
        return AdapterDescriptor(
            id: "io.feedhost.scripted", broker: "scripted", name: "Scripted", vendor: "Tests", version: "1.0.0",
            capabilities: capabilities,
            configKeys: [
                ConfigKey("size", .integer, default: "3", help: "A number."), ConfigKey("note", .string, help: "Text."),
            ],
            credentialKeys: [ConfigKey("pin", .secret, required: true, help: "A secret.")])
    }()

    static let entry = AdapterEntry([
        AdapterRegistration(descriptor) { context throws(AdapterError) in
            try Scripted(context)
        }
    ])

    private var socket: SocketID?

    override init(_ context: AdapterContext) throws(AdapterError) {
        _ = try context.host.config("size", default: 3, in: 1...9)
        try super.init(context)
    }

    override func connect(credentials: Credentials) throws(AdapterError) {
        guard !credentials.accessToken.isEmpty else { throw AdapterError(.authentication, "no token") }
        socket = try openSocket(
            "wss://venue.example/feed",
            headers: [("Authorization", credentials.accessToken), ("X-Pin", pin(credentials))],
            tag: 5)
    }

    private func pin(_ credentials: Credentials) -> String { credentials.fields["pin"] ?? "" }

    override func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) {
        authenticating()
        _ = try? startHeartbeat(Array("ping".utf8), on: socket, every: .seconds(10))
        ready()
        ready()
    }

    override func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        for request in requests {
            switch request.symbol {
            case "NOW": settle(request.handle, .acknowledged)
            case "NEVER": settle(request.handle, .rejected(.limit, message: "full", brokerCode: 7))
            case "THROW": throw AdapterError(.network, "gone")
            default: break
            }
        }
    }

    override func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {}

    override func receive(_ frame: Frame) {
        if frame.bytes == "confirm" { for handle in 1...9 { settle(UInt32(handle), .acknowledged) } }
        if frame.bytes == "leave" { failed(.replaced, message: "elsewhere") }
        if frame.bytes == "fetch" { _ = try? fetch("https://venue.example/x", method: .post, body: [1, 2], tag: 9) }
    }

    override func fetched(_ id: FetchID, tag: UInt64, response: Response) {
        host.log(.info, "\(tag) \(response.httpStatus) \(String(response.body))")
    }
}

@Suite struct BaseAdapterTests {
    private func open() throws -> InMemoryHost {
        let host = try InMemoryHost(Scripted.entry)
        host.connect(accessToken: "token", fields: ["pin": "1234"])
        host.acceptUpgrade()
        return host
    }

    @Test func fillsTheTables() throws {
        let entry = Scripted.entry.table.pointee
        #expect(entry.magic == FH_MAGIC)
        #expect(entry.size == UInt32(MemoryLayout<fh_entry>.size))
        #expect((entry.layout.ptr, entry.layout.tick, entry.layout.level, entry.layout.str) == (8, 256, 24, 16))
        let descriptor = try #require(entry.descriptors?[0]).pointee
        #expect(entry.descriptors?[1] == nil)
        #expect(String(cString: descriptor.broker) == "scripted")
        #expect(descriptor.url == nil)
        let keys = try #require(descriptor.config_keys)
        #expect(String(cString: keys[0].name) == "size" && keys[0].type == UInt32(FH_CFG_INT))
        #expect(keys[1].default_value == nil && keys[2].name == nil)
        #expect(descriptor.credential_keys[0].required == 1 && descriptor.credential_keys[1].name == nil)
        let capabilities = descriptor.capabilities.pointee
        #expect(capabilities.modes == 7 && capabilities.keep_alive_ms == 5_000 && capabilities.ws_ping_ms == 0)
        #expect(String(cString: try #require(capabilities.exchanges[1])) == "NFO" && capabilities.exchanges[2] == nil)
        #expect(capabilities.depth_count == 2 && capabilities.depth[0].count == 2)
        #expect((capabilities.depth[0].levels.0, capabilities.depth[0].levels.1) == (5, 20))
        #expect(capabilities.link_count == 1 && capabilities.links[0].quota == 3_000)
        #expect(entry.adapter("io.nobody") == nil)
        #expect(MemoryLayout<Tick>.size == 256 && MemoryLayout<Tick>.stride == 256)
        #expect(MemoryLayout<Level>.size == 24 && MemoryLayout<Level>.stride == 24)
    }

    @Test func tellsHowTheConnectionStands() throws {
        let host = try open()
        #expect(
            host.connections.map(\.state)
                == [FH_CONN_CONNECTING, FH_CONN_AUTHENTICATING, FH_CONN_READY].map { UInt32($0) })
        #expect(host.sockets[0].headers == [["Authorization", "token"], ["X-Pin", "1234"]])
        #expect(host.sockets[0].tag == 5)
        host.drop(code: 1_001)
        #expect(host.connections.last?.reason == UInt32(FH_WHY_NETWORK))
        #expect(host.connections.last?.message == "the socket closed with code 1001")
        host.connect(accessToken: "new")
        #expect(host.connections.last?.generation == 2)
        #expect(host.sockets[1].headers[0] == ["Authorization", "new"])
    }

    @Test func returnsWhatConnectThrows() throws {
        let host = try InMemoryHost(Scripted.entry)
        #expect(host.connect() == .authentication)
        #expect(host.log == ["connect: no token"])
        #expect(host.subscribe([host.wish("NSE", "NOW", FH_MODE_LTP)]) == .wrongState)
        host.openStatus = .limit
        #expect(host.connect(accessToken: "x") == .limit)
    }

    @Test func keepsTheBooksOfWishes() throws {
        let host = try open()
        host.subscribe(["NOW", "LATER", "NEVER"].map { host.wish("NSE", $0, FH_MODE_QUOTE) })
        #expect(host.resultCalls == 1)
        #expect(host.results.map(\.handle) == [1, 3])
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_ACKED), UInt32(FH_SUB_REJECTED)])
        #expect(host.results[1].status == .limit && host.results[1].message == "full")
        #expect(host.results[0].mode == UInt16(FH_MODE_QUOTE) && host.results[0].request == 1)
        host.subscribe([host.wish("NSE", "ALSO", FH_MODE_LTP), host.wish("NSE", "GONE", FH_MODE_LTP)])
        host.unsubscribe([host.wish("NSE", "GONE", FH_MODE_LTP)])
        host.deliver("confirm")
        host.deliver("confirm")
        #expect(host.results.map(\.handle) == [1, 3, 2, 4])
        #expect(host.results.map(\.request) == [1, 1, 1, 2])
    }

    @Test func rejectsWhatIsLeftWhenSubscribeThrows() throws {
        let host = try open()
        let status = host.subscribe(["NOW", "THROW", "LATER"].map { host.wish("NSE", $0, FH_MODE_LTP) })
        #expect(status == .ok)
        #expect(host.results.map(\.handle) == [1, 2, 3])
        #expect(host.results.map(\.status) == [.ok, .network, .network])
        #expect(host.results[2].message == "gone")
    }

    @Test func sendsHeartbeatsWhileTheSocketLives() throws {
        let host = try open()
        host.advance(by: .seconds(25))
        #expect(host.sockets[0].sentText == ["ping", "ping"])
        host.drop()
        host.advance(by: .seconds(60))
        #expect(host.sockets[0].sent.count == 2 && host.timerCount == 0)
    }

    @Test func endsEverythingWithTheConnection() throws {
        let host = try open()
        host.deliver("fetch")
        #expect(host.fetches.first?.body == [1, 2] && host.fetches.first?.method == UInt32(FH_HTTP_POST))
        host.answer(host.fetches[0].id, httpStatus: 202, body: "fine")
        #expect(host.log == ["9 202 fine"])
        host.deliver("fetch")
        host.deliver("leave")
        #expect(host.connections.last?.state == UInt32(FH_CONN_FAILED))
        #expect(host.connections.last?.message == "elsewhere")
        #expect(host.sockets[0].closeCode == 1_000 && host.timerCount == 0)
        host.answer(host.fetches[1].id)
        host.deliver("confirm", on: host.sockets[0].id)
        #expect(host.log.count == 1 && host.results.isEmpty)
        host.disconnect()
        #expect(host.connections.last?.state == UInt32(FH_CONN_FAILED), "the end is told once")
    }

    @Test func refusesWrongArguments() throws {
        let host = try open()
        #expect(host.adapter.pointee.connect(nil, 1, nil) == FH_E_INVALID)
        #expect(host.adapter.pointee.subscribe(nil, 1, nil, 0) == FH_E_INVALID)
        var wish = fh_sub_request()
        #expect(host.adapter.pointee.subscribe(host.instance, 1, &wish, 1) == FH_E_INVALID)
        #expect(host.adapter.pointee.disconnect(host.instance, 99) == FH_E_STATE)
        #expect(host.adapter.pointee.create(nil, nil) == FH_E_INVALID)
        var params = fh_create_params()
        var instance: OpaquePointer?
        #expect(host.adapter.pointee.create(&params, &instance) == FH_E_INVALID)
        params.size = UInt32(MemoryLayout<fh_create_params>.size)
        #expect(host.adapter.pointee.create(&params, &instance) == FH_E_UNSUPPORTED)
        #expect(instance == nil)
        #expect(throws: InMemoryHost.LoadFailure.self) { try InMemoryHost(Scripted.entry, settings: ["size": "10"]) }
        do {
            _ = try InMemoryHost(Scripted.entry, settings: ["size": "ten"])
        } catch let failure as InMemoryHost.LoadFailure {
            #expect(failure.status == .invalid)
            #expect(failure.log == [#"scripted: size must be a whole number from 1 to 9, not "ten""#])
        }
    }

    @Test(arguments: [("NFO", 30, 20), ("NFO", 20, 20), ("NFO", 19, 5), ("NFO", 1, 5), ("NSE", 20, 5)])
    func grantsDepth(exchange: String, wish: Int, granted: Int) {
        #expect(Scripted.descriptor.capabilities.depthLevels(for: wish, on: exchange) == granted)
    }
}
