import Foundation
import Logging
import MarketData
import TestSupport
import Testing

@testable import Instruments

struct CatalogTests {
    private let folder: TemporaryFolder
    private let path: String
    private let catalog: InstrumentCatalog

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("instruments.sqlite")
        catalog = InstrumentCatalog(path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func fill(_ broker: String, _ rows: some Sequence<Listing>, path: String? = nil) throws {
        try MasterStore(path: path ?? self.path).replace(broker: broker, source: "test", insist: true) { add in
            for row in rows { try add(row) }
            return LeftOutRows()
        }
    }

    @Test func nothingIsLoadedWithoutAMaster() async throws {
        await catalog.load()
        #expect(catalog.count(broker: "zerodha") == nil)
        #expect(!FileManager.default.fileExists(atPath: path), "looking must not make the file")
        try fill("angel", Rows.shares)
        await catalog.load()
        #expect(catalog.count(broker: "zerodha") == nil)
        #expect(catalog.count(broker: "angel") == Rows.shares.count)
    }

    @Test func bothWays() async throws {
        let rows = [
            Rows.listing("NSE", "SBIN", token: "779521", brokerSymbol: "SBIN-EQ", brokerExchange: "nse_cm"),
            Rows.listing("BSE", "SBIN", token: "779521", brokerSymbol: "SBIN", brokerExchange: "bse_cm"),
            Rows.listing("NSE_INDEX", "NIFTY", token: "26000", brokerSymbol: "Nifty 50", brokerExchange: "nse_cm"),
            Rows.listing("NSE", "M&M", token: "", brokerSymbol: "M&M-EQ", brokerExchange: "nse_cm"),
        ]
        try fill("angel", rows)
        await catalog.load()
        for row in rows {
            #expect(catalog.listing(of: row.instrument, broker: "angel") == row)
            let bySymbol = catalog.instrument(
                broker: "angel", brokerExchange: row.brokerExchange, brokerSymbol: row.brokerSymbol)
            #expect(bySymbol == row.instrument)
            let byToken = catalog.instrument(
                broker: "angel", brokerExchange: row.brokerExchange, brokerToken: row.brokerToken)
            #expect(byToken == (row.brokerToken.isEmpty ? nil : row.instrument))
        }
        for (exchange, symbol) in [("NSE", "sbin"), ("NSE", "SBI"), ("NSE", ""), ("", "SBIN"), ("NFO", "SBIN")] {
            #expect(catalog.listing(of: Instrument(exchange: exchange, symbol: symbol), broker: "angel") == nil)
        }
        #expect(catalog.listing(of: rows[0].instrument, broker: "zerodha") == nil)
        #expect(catalog.instrument(broker: "angel", brokerExchange: "nse_fo", brokerToken: "26000") == nil)
    }

    /// The size of a real market: every row is found in every way, and none is invented.
    @Test func twoHundredThousandRows() async throws {
        let count = 200_000
        try fill("angel", (0..<count).lazy.map(Rows.synthetic))
        await catalog.load()
        #expect(catalog.count(broker: "angel") == count)
        var wrong: [Int] = []
        for index in 0..<count {
            let row = Rows.synthetic(index)
            let isRight =
                catalog.listing(of: row.instrument, broker: "angel") == row
                && catalog.instrument(
                    broker: "angel", brokerExchange: row.brokerExchange, brokerToken: row.brokerToken)
                    == row.instrument
                && catalog.instrument(
                    broker: "angel", brokerExchange: row.brokerExchange, brokerSymbol: row.brokerSymbol)
                    == row.instrument
                && catalog.instrument(
                    broker: "angel", brokerExchange: row.brokerExchange, brokerToken: "\(index + count)") == nil
            if !isRight { wrong.append(index) }
        }
        #expect(wrong.isEmpty)
    }

    @Test func nearMatches() async throws {
        try fill("zerodha", Rows.shares + [Rows.listing("NSE_INDEX", "NIFTY", token: "1")])
        await catalog.load()
        func near(_ symbol: String, _ exchange: String = "NSE", limit: Int = 3) -> [String] {
            catalog.nearMatches(Instrument(exchange: exchange, symbol: symbol), broker: "zerodha", limit: limit)
                .map(\.description)
        }
        #expect(near("RELIANC") == ["NSE:RELIANCE"])
        #expect(near("ERLIANCE") == ["NSE:RELIANCE"])
        #expect(near("XELIANCE") == ["NSE:RELIANCE"])
        #expect(near("TATAMOTOR") == ["NSE:TATAMOTORS"])
        #expect(near("reliance") == ["NSE:RELIANCE"])
        #expect(near("REL") == ["NSE:RELIANCE", "NSE:RELINFRA"])
        #expect(near("REL", limit: 1) == ["NSE:RELIANCE"])
        #expect(near("SBIM") == ["NSE:SBIN"])
        #expect(near("COMPLETELYELSE") == [])
        #expect(near("") == [])
        #expect(near("SBIN", limit: 0) == [])
        #expect(near("SBIN", "NFO") == ["NSE:SBIN"], "the right symbol on the wrong exchange")
        #expect(near("NIFTY", "NSE") == ["NSE_INDEX:NIFTY"])
        #expect(near(String(repeating: "X", count: 5000)) == [])
        #expect(near("ÄÖÜ€") == [])
    }

    @Test func aNewMasterTakesTheOldOnesPlace() async throws {
        try fill("zerodha", Rows.shares)
        try fill("angel", Rows.shares)
        await catalog.load()
        let fresh = Rows.listing("NSE", "NEWCO", token: "5")
        try fill("zerodha", [fresh])
        await catalog.look()
        #expect(catalog.count(broker: "zerodha") == 1)
        #expect(catalog.listing(of: fresh.instrument, broker: "zerodha") == fresh)
        #expect(catalog.listing(of: Rows.shares[0].instrument, broker: "zerodha") == nil)
        #expect(catalog.count(broker: "angel") == Rows.shares.count)
    }

    @Test func anotherFileInItsPlace() async throws {
        try fill("zerodha", Rows.shares)
        await catalog.load()
        let other = folder.file("other.sqlite")
        try fill("flattrade", Rows.shares.prefix(2), path: other)
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        #expect(rename(other, path) == 0)
        await catalog.look()
        #expect(catalog.count(broker: "zerodha") == nil)
        #expect(catalog.count(broker: "flattrade") == 2)
    }

    @Test func aDamagedFileKeepsWhatIsLoaded() async throws {
        try fill("zerodha", Rows.shares)
        await catalog.load()
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try Data("no database at all, but long enough for a header to be read".utf8)
            .write(to: URL(fileURLWithPath: path), options: .atomic)
        await catalog.look()
        #expect(catalog.count(broker: "zerodha") == Rows.shares.count)
        try FileManager.default.removeItem(atPath: path)
        await catalog.look()
        #expect(catalog.count(broker: "zerodha") == Rows.shares.count)
        try fill("zerodha", Rows.shares.prefix(1))
        await catalog.look()
        #expect(catalog.count(broker: "zerodha") == 1)
    }

    /// Masters change under readers; each answer is of one master or of the other, never of a mixture.
    @Test func readersDuringReloads() async throws {
        let sizes = [2_000, 3_000]
        func master(_ round: Int) -> [Listing] {
            (0..<sizes[round % 2]).map { Rows.listing("NSE", "S\($0)", token: "\($0 * 2 + round % 2)") }
        }
        try fill("zerodha", master(0))
        await catalog.load()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask { [catalog] in
                    var looks = 0
                    let instrument = Instrument(exchange: "NSE", symbol: "S1234")
                    while !Task.isCancelled {
                        let listing = try #require(catalog.listing(of: instrument, broker: "zerodha"))
                        #expect(["2468", "2469"].contains(listing.brokerToken))
                        #expect(sizes.contains(catalog.count(broker: "zerodha") ?? 0))
                        looks += 1
                        await Task.yield()
                    }
                    return looks
                }
            }
            for round in 1...6 {
                try fill("zerodha", master(round))
                await catalog.look()
                #expect(catalog.count(broker: "zerodha") == sizes[round % 2])
            }
            group.cancelAll()
            for try await looks in group { #expect(looks > 0) }
        }
    }
}
