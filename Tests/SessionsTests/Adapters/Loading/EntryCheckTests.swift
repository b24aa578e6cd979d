import CFeedhostABI
import Testing

@testable import Adapters

@Suite struct EntryCheckTests {
    @Test func aSoundEntryIsCopiedWithDefaults() throws {
        let entry = try EntryFixture().check()
        #expect(entry.abi.description == "1.0")
        let broker = try #require(entry.facts.brokers.first)
        #expect(broker.broker == "zerodha")
        #expect(broker.configKeys.map(\.name) == ["endpoint"])
        #expect(broker.credentialKeys.isEmpty)
        let able = broker.capabilities
        #expect(able.summary == "LTP Quote Depth 5/20/30, NSE BSE")
        #expect(able.timings.ackTimeout == 3_000)
        #expect(able.timings.keepAlive == 30_000)
        #expect(able.timings.webSocketPing == nil)
        #expect(able.timings.backoffMax == 60_000)
        #expect(able.links.first?.maxLinks == 1)
    }

    @Test func depthFallsBackToTheLargestNotAboveTheWish() throws {
        let able = try #require(try EntryFixture().check().facts.brokers.first).capabilities
        #expect(
            [1, 5, 19, 20, 29, 30, 200].map { able.depth(wish: $0, exchange: "NSE") } == [5, 5, 5, 20, 20, 30, 30])
        #expect(able.depth(wish: 50, exchange: "BSE") == 5)
    }

    @Test func sizesOfTheFirstVersion() {
        #expect(EntryCheck.FirstSize.entry == UInt32(MemoryLayout<fh_entry>.size))
        #expect(EntryCheck.FirstSize.descriptor == UInt32(MemoryLayout<fh_descriptor>.size))
        #expect(EntryCheck.FirstSize.capabilities == UInt32(MemoryLayout<fh_capabilities>.size))
        #expect(EntryCheck.FirstSize.adapter == UInt32(MemoryLayout<fh_adapter>.size))
    }

    @Test func everyMismatchNamesBothValues() throws {
        #expect(EntryFixture().refusal() == nil)
        try expect(["0x1", "0x31484446"]) { $0.entry.pointee.magic = 1 }
        try expect(["2.7", "1.1"]) { ($0.entry.pointee.abi_major, $0.entry.pointee.abi_minor) = (2, 7) }
        try expect(["1.9", "1.1"]) { $0.entry.pointee.min_host_minor = 9 }
        try expect(["fh_tick has 248", "256", "fh_str has 8", "16"]) {
            ($0.entry.pointee.layout.tick, $0.entry.pointee.layout.str) = (248, 8)
        }
        try expect(["39", "40"]) { $0.entry.pointee.size = 39 }
        try expect(["descriptor 1", "80", "88"]) { $0.descriptor.pointee.size = 80 }
        try expect(["80", "88"]) { $0.capabilities.pointee.size = 80 }
        try expect(["4294967295"]) { $0.entry.pointee.size = .max }
    }

    @Test func descriptorsAreHeldToTheContract() throws {
        try expect(["no list of descriptors"]) { $0.entry.pointee.descriptors = nil }
        try expect(["carries no broker"]) { $0.descriptors[0] = nil }
        try expect(["twice"]) { $0.descriptors[1] = $0.descriptors[0] }
        try expect(["id", "empty"]) { $0.descriptor.pointee.id = EntryFixture.text("") }
        try expect(["Zerodha", "a-z"]) { $0.descriptor.pointee.broker = EntryFixture.text("Zerodha") }
        try expect(["version", "missing"]) { $0.descriptor.pointee.version = nil }
        try expect(["vendor", "UTF-8"]) { $0.descriptor.pointee.vendor = EntryFixture.bytes([0xFF, 0xFE]) }
        try expect(["name", "longer than 256"]) {
            $0.descriptor.pointee.name = EntryFixture.text(String(repeating: "x", count: 300))
        }
        try expect(["name", "control"]) { $0.descriptor.pointee.name = EntryFixture.text("a\u{1B}[2J") }
        try expect(["no capabilities", "no accounts either", "feedhost.auth/1"]) {
            $0.descriptor.pointee.capabilities = nil
        }
        try expect(["endpoint", "type 9"]) { $0.keys[0].type = 9 }
        try expect(["endpoint", "twice"]) { $0.keys[1] = $0.keys[0] }
    }

    /// What serves no broker needs accounts, and nothing else in its table.
    @Test func aPluginOfAccountsAlone() throws {
        let fixture = EntryFixture()
        fixture.descriptor.pointee.capabilities = nil
        fixture.entry.pointee.adapter = { _ in UnsafePointer(AccountsAlone.shared.table) }
        let entry = try fixture.check()
        let plugin = try #require(entry.facts.brokers.first)
        #expect(!plugin.servesBroker && plugin.broker == "zerodha" && plugin.configKeys.map(\.name) == ["endpoint"])
        #expect(entry.possibleMasters.isEmpty && entry.possibleProviders.isEmpty, "nothing is left to find out")
        // With capabilities the same table is that of a broken adapter.
        fixture.descriptor.pointee.capabilities = UnsafePointer(fixture.capabilities)
        #expect(fixture.refusal()?.contains("lacks create()") == true)
        #expect(try EntryFixture().check().facts.brokers.first?.servesBroker == true)
    }

    /// `@unchecked Sendable`: written once and only read.
    private struct AccountsAlone: @unchecked Sendable {
        static let shared = AccountsAlone()
        let table = UnsafeMutablePointer<fh_adapter>.allocate(capacity: 1)

        init() {
            table.initialize(to: fh_adapter())
            table.pointee.size = UInt32(MemoryLayout<fh_adapter>.size)
            // Any pointer will do: the check looks no further.
            table.pointee.extension = { _, id in
                id.map { String(cString: $0) } == "feedhost.auth/1" ? UnsafeRawPointer(AccountsAlone.shared.table) : nil
            }
        }
    }

    @Test func capabilitiesAreHeldToTheContract() throws {
        try expect(["modes 8"]) { $0.capabilities.pointee.modes = 8 }
        try expect(["order stream 9"]) { $0.capabilities.pointee.order_stream = 9 }
        try expect(["no exchange"]) { $0.exchanges[0] = nil }
        try expect(["nse"]) { $0.exchanges[0] = EntryFixture.text("nse") }
        try expect(["20, 5"]) {
            $0.depth[0].levels = (20, 5, 0, 0, 0, 0); $0.depth[0].count = 2
        }
        try expect(["7 depth levels"]) { $0.depth[0].count = 7 }
        try expect(["MCX"]) { $0.depth[0].exchange = EntryFixture.text("MCX") }
        try expect(["depth entries"]) { $0.capabilities.pointee.depth = nil }
        try expect(["kinds of connection"]) { $0.capabilities.pointee.link_count = 1_000 }
        try expect(["carry 16"]) { $0.link[0].carries = 16 }
        try expect(["unit 3"]) { $0.link[0].unit = 3 }
        try expect(["modes 7", "only 3"]) { $0.link[0].carries = 3 }
        try expect(["70000", "60000"]) { $0.capabilities.pointee.backoff_base_ms = 70_000 }
    }

    @Test func theTableMustBeWhole() throws {
        try expect(["returns nothing", "in.example.zerodha"]) { $0.entry.pointee.adapter = { _ in nil } }
        try expect(["lacks create(), connect()"]) { fixture in
            fixture.entry.pointee.adapter = { _ in
                let table = UnsafeMutablePointer<fh_adapter>.allocate(capacity: 1)
                table.initialize(to: fh_adapter())
                table.pointee.size = UInt32(MemoryLayout<fh_adapter>.size)
                return UnsafePointer(table)
            }
        }
    }

    private func expect(
        _ parts: [String], location: SourceLocation = #_sourceLocation, _ spoil: (EntryFixture) -> Void
    ) throws {
        let fixture = EntryFixture()
        spoil(fixture)
        let reason = try #require(fixture.refusal(), sourceLocation: location)
        for part in parts {
            #expect(reason.contains(part), "\(reason)", sourceLocation: location)
        }
    }
}
