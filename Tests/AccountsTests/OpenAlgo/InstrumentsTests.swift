import Foundation
import GRDB
import MarketData
import Testing

@testable import Accounts

struct OpenAlgoInstrumentsTests {
    let openAlgo: Installation
    init() throws {
        openAlgo = try Installation()
        try insert(
            "'RELIANCE', 'RELIANCE', 'RELIANCE INDUSTRIES', 'NSE', 'NSE', '738561::::2885', '', -0.01, 1, 'EQ', 0.1")
    }

    private func insert(_ row: String) throws {
        try openAlgo.execute(
            """
            INSERT INTO symtoken (symbol, brsymbol, name, exchange, brexchange, token, expiry, strike, lotsize,
            instrumenttype, tick_size) VALUES (\(row))
            """)
    }

    private func instruments(redirect: String? = "http://127.0.0.1:5000/zerodha/callback") throws -> OpenAlgoInstruments
    {
        OpenAlgoInstruments(try openAlgo.settings(redirect: redirect))
    }

    private func status(_ broker: String, _ status: String, _ time: String) throws {
        try openAlgo.execute(
            """
            CREATE TABLE IF NOT EXISTS master_contract_status (broker VARCHAR NOT NULL PRIMARY KEY, status VARCHAR,
            last_updated DATETIME);
            INSERT OR REPLACE INTO master_contract_status VALUES ('\(broker)', '\(status)', '\(time)')
            """)
    }

    /// Two looks that see the same.
    private func settled(_ instruments: OpenAlgoInstruments) async throws -> OpenAlgoInstruments.Master? {
        let first = try await instruments.look()
        #expect(first == nil, "one look cannot know whether the table still grows")
        return try await instruments.look()
    }

    @Test func rows() async throws {
        try insert(
            "'NIFTY', 'NIFTY 50', 'NIFTY 50', 'NSE_INDEX', 'NSE_INDEX', '256265::::1001', '', -0.01, 1, 'INDEX', 0.05")
        try insert(
            "'NIFTY29DEC2624000CE', 'NIFTY26DEC24000CE', 'NIFTY', 'NFO', 'NFO', '11536642', '29-DEC-26', 24000.0, 65, 'CE', 0.05"
        )
        try insert("'USDINR29DEC26FUT', 'U', 'USDINR', 'CDS', 'CDS', '5', '29-DEC-2026', 0, 1000, 'FUT', 0.0025")
        try insert("'', 'x', NULL, 'NSE', 'NSE', '1', NULL, NULL, NULL, NULL, NULL")
        try insert("'TOKENLESS', 'x', NULL, 'NSE', 'NSE', NULL, NULL, NULL, NULL, NULL, NULL")
        try insert("'BARE', 'BARE', NULL, 'BSE', NULL, '7', NULL, NULL, NULL, NULL, NULL")
        let (rows, left) = try await instruments().listings()
        #expect(left == 2)
        #expect(
            rows == [
                Listing(
                    instrument: Instrument(exchange: "NSE", symbol: "RELIANCE"), brokerSymbol: "RELIANCE",
                    brokerExchange: "NSE", brokerToken: "738561", name: "RELIANCE INDUSTRIES", type: "EQ",
                    priceExponent: -2, tickSize: 10, lotSize: 1),
                Listing(
                    instrument: Instrument(exchange: "NSE_INDEX", symbol: "NIFTY"), brokerSymbol: "NIFTY 50",
                    brokerExchange: "NSE", brokerToken: "256265", name: "NIFTY 50", type: "INDEX", priceExponent: -2,
                    tickSize: 5, lotSize: 1),
                Listing(
                    instrument: Instrument(exchange: "NFO", symbol: "NIFTY29DEC2624000CE"),
                    brokerSymbol: "NIFTY26DEC24000CE", brokerExchange: "NFO", brokerToken: "11536642", name: "NIFTY",
                    type: "CE", priceExponent: -2, tickSize: 5, strike: 2_400_000, lotSize: 65, expiry: 20_261_229),
                Listing(
                    instrument: Instrument(exchange: "CDS", symbol: "USDINR29DEC26FUT"), brokerSymbol: "U",
                    brokerExchange: "CDS", brokerToken: "5", name: "USDINR", type: "FUT", priceExponent: -4,
                    tickSize: 25, lotSize: 1000, expiry: 20_261_229),
                Listing(
                    instrument: Instrument(exchange: "BSE", symbol: "BARE"), brokerSymbol: "BARE", brokerExchange: "",
                    brokerToken: "7", priceExponent: -2),
            ])
    }

    @Test(arguments: ["", "tomorrow", "32-DEC-26", "29-XXX-26", "29-DEC-1", "-1-DEC-26", "29-DEC-26-1", "29-DEC-²6"])
    func daysThatAreNone(text: String) { #expect(SymbolRow.expiry(text) == 0) }

    @Test func masterIsTheBrokersOfTheLogin() async throws {
        let instruments = try instruments()
        let master = try #require(try await settled(instruments))
        #expect(master.broker == "zerodha" && master.rows == 1)
        // Told once.
        #expect(try await instruments.look() == nil)
        try openAlgo.execute("INSERT INTO login_attempts (username) VALUES ('x')")
        #expect(try await instruments.look() == nil)
    }

    @Test func newRowsAreANewMaster() async throws {
        let instruments = try instruments()
        let first = try await settled(instruments)
        try openAlgo.execute("DELETE FROM symtoken")
        #expect(try await settled(instruments) == nil, "an empty table is one that is being rewritten")
        try insert("'SBIN', 'SBIN', '', 'NSE', 'NSE', '779521::::3045', '', -0.01, 1, 'EQ', 0.05")
        try insert("'TCS', 'TCS', '', 'NSE', 'NSE', '1', '', -0.01, 1, 'EQ', 0.05")
        let second = try #require(try await settled(instruments))
        #expect(second.fingerprint != first?.fingerprint && second.rows == 2)
    }

    @Test func forgottenMasterIsFoundAgain() async throws {
        let instruments = try instruments()
        let master = try await settled(instruments)
        await instruments.forget()
        #expect(try await instruments.look() == master)
    }

    @Test func whatIsStillDownloadingWaits() async throws {
        try status("angel", "success", "2026-11-22 08:00:00")
        try status("zerodha", "downloading", "2026-11-23 08:00:00")
        let instruments = try instruments()
        #expect(try await settled(instruments) == nil)
        #expect(await instruments.obstacle?.contains("downloading") == true)
        try status("zerodha", "success", "2026-11-23 08:01:00")
        #expect(try await settled(instruments)?.broker == "zerodha")
        #expect(await instruments.obstacle == nil)
    }

    /// What OpenAlgo has noted counts more than where logins go to.
    @Test func masterOfTheLatestDownload() async throws {
        try status("zerodha", "success", "2026-11-22 08:00:00")
        try status("angel", "success", "2026-11-23 08:00:00")
        #expect(try await settled(try instruments())?.broker == "angel")
    }

    /// Another broker's tokens would bring the prices of other instruments.
    @Test func masterOfNobodyIsNotUsed() async throws {
        try openAlgo.login("alice", "zerodha", token: "t")
        #expect(try await settled(try instruments(redirect: nil))?.broker == "zerodha")
        try openAlgo.login("bob", "angel", token: "t")
        let instruments = try instruments(redirect: nil)
        #expect(try await settled(instruments) == nil)
        #expect(await instruments.obstacle?.contains("REDIRECT_URL") == true)
    }

    @Test func withoutTheTable() async throws {
        try openAlgo.execute("DROP TABLE symtoken")
        #expect(try await settled(try instruments()) == nil)
    }
}
