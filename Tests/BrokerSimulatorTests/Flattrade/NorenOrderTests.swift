import Foundation
import Testing

@testable import BrokerSimulator

@Suite struct NorenOrderTests {
    /// Every value of an update is a string.
    private func updates(_ body: String, broker: VenueKind = .flattrade, path: String = NorenSessionTests.path) throws
        -> [[String: String]]
    {
        let bench = try VenueBench(broker)
        let socket = try NorenSessionTests.session(bench, path: path)
        bench.send(#"{"t":"o","actid":"SIM001"}"#, on: socket)
        try bench.perform("order", body)
        return try bench.texts(socket).filter { $0 != #"{"t":"ok"}"# }.map { text in
            try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        }
    }

    private static let start = ["PENDING/NewAck", "PENDING/PendingNew"]

    @Test(arguments: [
        ("complete", ["NEW/New", "OPEN/New", "OPEN/Fill", "COMPLETE/Fill"]), ("rejected", ["REJECTED/Rejected"]),
        ("cancelled", ["NEW/New", "OPEN/New", "CANCELED/Canceled"]),
        ("modified", ["NEW/New", "OPEN/New", "PENDING/ReplaceAck", "REPLACED/Replaced", "OPEN/Fill", "COMPLETE/Fill"]),
        ("trigger", ["NEW/New", "TRIGGER_PENDING/New", "OPEN/New", "OPEN/Fill", "COMPLETE/Fill"]),
    ])
    func tellsTheLifeOfAnOrder(life: String, words: [String]) throws {
        let updates = try updates(#"{"instrument":"NSE:INFY","life":"\#(life)","quantity":10}"#)
        #expect(updates.map { "\($0["status"] ?? "")/\($0["reporttype"] ?? "")" } == Self.start + words)
        #expect(Set(updates.map { $0["norenordno"] }).count == 1)
        #expect(updates.allSatisfy { $0["t"] == "om" && $0["uid"] == "SIM001" && $0["actid"] == "SIM001" })
    }

    @Test(arguments: [
        ("amo", ["PENDING/NewAck"]), ("amo_modified", ["PENDING/NewAck", "PENDING/ReplaceAck"]),
        ("amo_cancelled", ["PENDING/NewAck", "CANCELED/Canceled"]),
        ("amo_complete", ["PENDING/NewAck"] + start + ["NEW/New", "OPEN/New", "OPEN/Fill", "COMPLETE/Fill"]),
    ])
    func ordersAfterTheMarketSaySo(life: String, words: [String]) throws {
        let updates = try updates(#"{"instrument":"NSE:INFY","life":"\#(life)","quantity":10}"#)
        #expect(updates.map { "\($0["status"] ?? "")/\($0["reporttype"] ?? "")" } == words)
        #expect(updates.allSatisfy { $0["amo"] == "Yes" })
    }

    @Test func fillsHaveTheirOwnFields() throws {
        let updates = try updates(
            #"{"instrument":"NSE:INFY","quantity":10,"price":1567.25,"side":"SELL","tag":"mine"}"#)
        let first = try #require(updates.first)
        #expect(first["flqty"] == nil && first["fillshares"] == "0" && first["exchordid"] == nil)
        let last = try #require(updates.last)
        #expect(last["fillshares"] == "10" && last["qty"] == "10" && last["avgprc"] == "1567.25")
        #expect(last["flqty"] == "5" && last["flprc"] == "1567.25" && last["fltm"] == "15-11-2023 03:43:20")
        #expect(last["exch_tm"] == "15-11-2023 03:43:20" && last["tm"] == "1700000000")
        #expect(last["trantype"] == "S" && last["tsym"] == "INFY-EQ" && last["exch"] == "NSE")
        #expect(last["remarks"] == "mine" && last["ret"] == "DAY" && last["exchordid"]?.isEmpty == false)
        #expect(last["token"] == nil && last["amo"] == nil)
    }

    @Test func theProductsKeyDiffers() throws {
        let body = #"{"instrument":"NSE:INFY","life":"open","product":"CNC"}"#
        let flattrade = try #require(updates(body).first)
        #expect(flattrade["pcode"] == "C" && flattrade["prd"] == nil)
        for broker in [VenueKind.shoonya, .zebu, .tradesmart] {
            let update = try #require(updates(body, broker: broker, path: "/NorenWSAPI/").first)
            #expect(update["prd"] == "C" && update["pcode"] == nil)
        }
    }

    @Test(arguments: zip(["MARKET", "LIMIT", "SL", "SL-M"], ["MKT", "LMT", "SL-LMT", "SL-MKT"]))
    func spellsTypes(type: String, word: String) throws {
        let updates = try updates(#"{"instrument":"NSE:INFY","life":"open","type":"\#(type)","product":"NRML"}"#)
        #expect(updates.first?["prctyp"] == word)
        #expect(updates.first?["pcode"] == "M")
    }

    @Test func rejectionsSayWhy() throws {
        let last = try #require(
            updates(#"{"instrument":"NSE:INFY","life":"rejected","message":"No \"funds\""}"#).last)
        #expect(last["rejreason"] == #"No "funds""#)
    }
}
