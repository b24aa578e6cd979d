import Foundation
import GRDB
import MarketData
import TestSupport
import Testing

@testable import Instruments

struct StoreTests {
    private let folder: TemporaryFolder
    private let store: MasterStore

    init() throws {
        folder = try TemporaryFolder()
        store = try MasterStore(path: folder.file("instruments.sqlite")) { 1_700_000_000 }
    }

    private struct Interrupted: Error {}

    private func symbols(_ broker: String = "zerodha") async throws -> [String] {
        try await store.search(MasterSearch("", broker: broker, limit: 1000)).map(\.listing.instrument.symbol).sorted()
    }

    @Test func rowsComeBackAsTheyWere() async throws {
        let rows = (4_990..<5_010).map(Rows.synthetic)
        let record = try store.replace(broker: "angel", source: "a.json") { add in
            for row in rows { try add(row) }
            var left = LeftOutRows()
            left.add("no token", .fault, count: 3)
            return left
        }
        #expect(record.rows == 20)
        #expect(record.leftOut == 3)
        #expect(record.syncedAt == 1_700_000_000)
        #expect(try await store.records() == [record])
        let found = try await store.search(MasterSearch("", limit: 1000))
        #expect(Set(found.map(\.listing)) == Set(rows))
        #expect(found.allSatisfy { $0.broker == "angel" })
    }

    @Test func aFailureLeavesTheOldRows() async throws {
        try store.replace(broker: "zerodha", source: "old") { add in
            for row in Rows.shares { try add(row) }
            return LeftOutRows()
        }
        let before = try await (store.records(), symbols())
        #expect(throws: Interrupted.self) {
            try store.replace(broker: "zerodha", source: "new") { add in
                for index in 0..<5000 { try add(Rows.synthetic(index)) }
                throw Interrupted()
            }
        }
        #expect(try await store.records() == before.0)
        #expect(try await symbols() == before.1)
        let error = #expect(throws: MasterError.self) {
            try store.replace(broker: "zerodha", source: "new") { _ in LeftOutRows() }
        }
        #expect(error?.code == .empty)
        #expect(try await symbols() == before.1)
    }

    @Test func readersSeeTheOldRowsUntilTheSwap() async throws {
        try store.replace(broker: "zerodha", source: "old") { add in
            for row in Rows.shares { try add(row) }
            return LeftOutRows()
        }
        let other = try DatabaseQueue(path: store.path)
        try store.replace(broker: "zerodha", source: "new") { add in
            for index in 0..<3000 { try add(Rows.synthetic(index)) }
            // In the middle of it, from another connection: nothing has happened, and nothing is locked.
            let count = try other.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM instruments") }
            #expect(count == Rows.shares.count)
            try other.write { try $0.execute(sql: "CREATE TABLE other_things (x)") }
            return LeftOutRows()
        }
        #expect(try await symbols().count == 1000)
        #expect(try await store.records().map(\.rows) == [3000])
    }

    @Test func eachBrokerHasItsOwn() async throws {
        for broker in ["angel", "zerodha", "angel"] {
            try store.replace(broker: broker, source: "s") { add in
                for row in Rows.shares { try add(row) }
                return LeftOutRows()
            }
        }
        let records = try await store.records()
        #expect(records.map(\.broker) == ["angel", "zerodha"])
        #expect(Set(records.map(\.sync)).count == 2)
        #expect(try await symbols("angel") == symbols("zerodha"))
    }

    @Test func theFirstOfTwoRowsCounts() async throws {
        let record = try store.replace(broker: "zerodha", source: "s") { add in
            try add(Rows.listing("NSE", "SBIN", token: "1"))
            try add(Rows.listing("BSE", "SBIN", token: "2"))
            try add(Rows.listing("NSE", "SBIN", token: "3"))
            return LeftOutRows()
        }
        #expect(record.rows == 2)
        #expect(record.leftOut == 1)
        let found = try await store.search(MasterSearch("sbin", exchange: "NSE"))
        #expect(found.map(\.listing.brokerToken) == ["1"])
    }

    @Test func searching() async throws {
        try store.replace(broker: "zerodha", source: "s") { add in
            for row in Rows.shares { try add(row) }
            try add(Rows.listing("BSE", "RELIANCE", token: "500325"))
            try add(Rows.listing("NFO", "A_B%C", token: "9", brokerSymbol: "weird"))
            return LeftOutRows()
        }
        func names(_ search: MasterSearch) async throws -> [String] {
            try await store.search(search).map(\.listing.instrument.description)
        }
        #expect(try await names(MasterSearch("rel")) == ["BSE:RELIANCE", "NSE:RELIANCE", "NSE:RELINFRA"])
        #expect(try await names(MasterSearch("reliance", exchange: "NSE")) == ["NSE:RELIANCE"])
        #expect(try await names(MasterSearch("motors lim")) == ["NSE:TATAMOTORS"])
        #expect(try await names(MasterSearch("WEIRD")) == ["NFO:A_B%C"])
        #expect(try await names(MasterSearch("_B%")) == ["NFO:A_B%C"])
        #expect(try await names(MasterSearch("%")) == ["NFO:A_B%C"])
        #expect(try await names(MasterSearch("rel", broker: "angel")) == [])
        #expect(try await names(MasterSearch("e", limit: 2)).count == 2)
        #expect(try await names(MasterSearch("'; DROP TABLE instruments; --")) == [])
        #expect(try await names(MasterSearch("tcs")).first == "NSE:TCS")
    }

    @Test func theFileIsClosedToOthers() throws {
        for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: store.path + suffix) {
            var status = stat()
            #expect(stat(store.path + suffix, &status) == 0)
            #expect(status.st_mode & 0o077 == 0, "others can read \(suffix)")
        }
    }

    @Test func filesThatAreNoStore() throws {
        let text = folder.file("text.sqlite")
        try Data("this is no database, but it is long enough to look at".utf8).write(to: URL(fileURLWithPath: text))
        let foreign = folder.file("foreign.sqlite")
        try DatabaseQueue(path: foreign).write { try $0.execute(sql: "CREATE TABLE theirs (x)") }
        for (path, word) in [(text, "damaged"), (foreign, "another program")] {
            let error = #expect(throws: MasterError.self) { try MasterStore(path: path) }
            #expect(error?.code == .store)
            #expect(error?.description.contains(path) == true)
            #expect(error?.description.contains(word) == true)
        }
        #expect(try MasterStore.existing(path: folder.file("nothing.sqlite")) == nil)
        #expect(!FileManager.default.fileExists(atPath: folder.file("nothing.sqlite")))
    }

    @Test func besideTheAccountStore() {
        #expect(MasterStore.path(beside: "/var/lib/feedhost/feedhost.db") == "/var/lib/feedhost/instruments.sqlite")
        #expect(MasterStore.path(beside: "/a/../b/x.db") == "/b/instruments.sqlite")
    }
}
