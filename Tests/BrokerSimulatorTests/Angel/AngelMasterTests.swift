import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import BrokerSimulator

@Suite struct AngelMasterTests {
    /// Every value of the file is a string.
    private func rows(_ bench: VenueBench) throws -> [[String: String]] {
        let answer = bench.simulation.answer(bench.request(.GET, "/OpenAPI_File/files/OpenAPIScripMaster.json"))
        #expect(answer.status == .ok)
        return try JSONDecoder().decode([[String: String]].self, from: Data(answer.body.readableBytesView))
    }

    @Test func hasAllInstrumentsThatAngelOneCarries() throws {
        let bench = try VenueBench(.angel)
        let rows = try rows(bench)
        let carried = bench.simulation.market.instruments.filter { AngelListing($0) != nil }
        #expect(rows.count == carried.count)
        #expect(
            Set(rows.compactMap { $0["exch_seg"] }).isSuperset(of: ["NSE", "BSE", "NFO", "BFO", "CDS", "MCX", "NCDEX"]))
        #expect(Set(rows.map { "\($0["exch_seg"] ?? "")|\($0["token"] ?? "")" }).count == rows.count)
        #expect(
            rows.allSatisfy {
                Set($0.keys) == [
                    "token", "symbol", "name", "expiry", "strike", "lotsize", "instrumenttype", "exch_seg", "tick_size",
                ]
            })
    }

    @Test func writesSharesAndIndices() throws {
        let rows = try rows(try VenueBench(.angel))
        #expect(
            rows.first { $0["symbol"] == "INFY-EQ" } == [
                "token": "1594", "symbol": "INFY-EQ", "name": "INFY", "expiry": "", "strike": "-1.000000",
                "lotsize": "1", "instrumenttype": "", "exch_seg": "NSE", "tick_size": "5.000000",
            ])
        let nifty = try #require(rows.first { $0["token"] == "99926000" })
        #expect(nifty["symbol"] == "Nifty 50" && nifty["name"] == "NIFTY" && nifty["instrumenttype"] == "AMXIDX")
    }

    @Test func writesFuturesOfNCDEX() throws {
        let rows = try rows(try VenueBench(.angel))
        #expect(
            rows.first { $0["exch_seg"] == "NCDEX" } == [
                "token": "2885", "symbol": "JEERAUNJHA28NOV23FUT", "name": "JEERAUNJHA", "expiry": "28NOV2023",
                "strike": "-1.000000", "lotsize": "30", "instrumenttype": "FUTCOM", "exch_seg": "NCDEX",
                "tick_size": "500.000000",
            ])
    }

    @Test func strikesArePaiseOrTenMillionths() throws {
        let expiry = CalendarDay(year: 2024, month: 3, day: 28)
        func master(_ segment: Segment, _ root: String, _ contract: SimulatedInstrument.Contract) -> String {
            let instrument = SimulatedInstrument(
                segment: segment, token: 5, root: root, name: root, contract: contract,
                tickSize: segment == .cds ? 25 : 5, lotSize: 75, basePrice: 1_000)
            return String(decoding: AngelMaster.file([instrument]), as: UTF8.self)
        }
        #expect(
            master(.nfo, "ACME", .option(expiry: expiry, strike: 2_500_000, right: .call))
                == #"[{"token":"5","symbol":"ACME28MAR2425000CE","name":"ACME","expiry":"28MAR2024","#
                + #""strike":"2500000.000000","lotsize":"75","instrumenttype":"OPTSTK","exch_seg":"NFO","#
                + #""tick_size":"5.000000"}]"#)
        #expect(
            master(.cds, "USDINR", .option(expiry: expiry, strike: 832_500, right: .put))
                == #"[{"token":"5","symbol":"USDINR28MAR2483.25PE","name":"USDINR","expiry":"28MAR2024","#
                + #""strike":"832500000.000000","lotsize":"75","instrumenttype":"OPTCUR","exch_seg":"CDS","#
                + #""tick_size":"0.250000"}]"#)
        #expect(master(.mcx, "GOLD", .future(expiry: expiry)).contains(#""strike":"-1.000000""#))
        #expect(master(.mcx, "GOLD", .future(expiry: expiry)).contains("FUTCOM"))
        #expect(master(.bcd, "USDINR", .future(expiry: expiry)) == "[]")
    }
}
