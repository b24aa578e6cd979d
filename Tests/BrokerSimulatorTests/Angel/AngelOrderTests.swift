import Foundation
import Testing

@testable import BrokerSimulator

@Suite struct AngelOrderTests {
    /// An update as a client reads it.
    private struct Update {
        let envelope: [String: String]
        let data: [String: Any]

        init(_ text: String) throws {
            let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            data = try #require(object["orderData"] as? [String: Any])
            envelope = object.compactMapValues { $0 as? String }
        }

        func text(_ name: String) -> String? { data[name] as? String }
        func number(_ name: String) -> Double? { (data[name] as? NSNumber)?.doubleValue }
    }

    private func updates(_ body: String, options: AngelOptions = AngelOptions()) throws -> [Update] {
        let bench = try VenueBench(.angel(options))
        let socket = try bench.connect("/smart-order-update", headers: ["Authorization": "Bearer simtoken"])
        #expect(try bench.frames(socket).count == 1)
        try bench.perform("order", body)
        let frames = try bench.frames(socket)
        #expect(frames.allSatisfy { $0.opcode == (options.sendsOrdersAsBinary ? 2 : 1) })
        return try frames.map { try Update($0.text) }
    }

    @Test func theFirstFrameIsAnEmptyOrder() throws {
        let bench = try VenueBench(.angel)
        let socket = try bench.connect("/smart-order-update", headers: ["Authorization": "Bearer simtoken"])
        let first = try Update(try #require(bench.texts(socket).first))
        #expect(
            first.envelope == ["user-id": "SIM001", "status-code": "200", "order-status": "AB00", "error-message": ""])
        #expect(first.data.count == 35)
        #expect(first.text("orderid") == "" && first.text("quantity") == "" && first.text("updatetime") == "")
        #expect(first.number("price") == 0 && first.number("averageprice") == 0)
    }

    @Test(arguments: [
        ("complete", ["AB09", "AB01", "AB01", "AB05"]), ("rejected", ["AB03"]),
        ("cancelled", ["AB09", "AB01", "AB02"]),
        ("modified", ["AB09", "AB01", "AB11", "AB04", "AB01", "AB05"]),
        ("trigger", ["AB09", "AB10", "AB01", "AB01", "AB05"]), ("open", ["AB09", "AB01"]),
        ("amo", ["AB06"]), ("amo_modified", ["AB06", "AB08"]), ("amo_cancelled", ["AB06", "AB07"]),
        ("amo_complete", ["AB06", "AB09", "AB01", "AB01", "AB05"]),
    ])
    func tellsTheLifeOfAnOrder(life: String, codes: [String]) throws {
        let updates = try updates(#"{"instrument":"NSE:INFY","life":"\#(life)","quantity":10}"#)
        #expect(updates.map { $0.envelope["order-status"] } == codes)
        #expect(Set(updates.compactMap { $0.text("orderid") }).count == 1)
        #expect(
            updates.allSatisfy {
                $0.text("variety") == (life.hasPrefix("amo") ? "AMO" : life == "trigger" ? "STOPLOSS" : "NORMAL")
            })
    }

    @Test func fillsAreCountedInStringsAndPricedInNumbers() throws {
        var options = AngelOptions()
        options.sendsOrdersAsBinary = true
        let updates = try updates(
            #"{"instrument":"NSE:INFY","quantity":10,"price":1567.25,"side":"SELL","product":"CNC","tag":"mine"}"#,
            options: options)
        let partly = updates[2]
        #expect(partly.text("filledshares") == "5" && partly.text("unfilledshares") == "5")
        #expect(partly.text("status") == "open" && partly.text("orderstatus") == "open")
        let last = try #require(updates.last)
        #expect(last.text("filledshares") == "10" && last.text("unfilledshares") == "0")
        #expect(last.number("averageprice") == 1567.25 && last.number("price") == 1567.25)
        #expect(last.number("strikeprice") == -1)
        #expect(last.text("tradingsymbol") == "INFY-EQ" && last.text("symboltoken") == "1594")
        #expect(last.text("exchange") == "NSE" && last.text("transactiontype") == "SELL")
        #expect(last.text("producttype") == "DELIVERY" && last.text("ordertype") == "LIMIT")
        #expect(last.text("ordertag") == "mine")
        #expect(last.text("updatetime") == "15-Nov-2023 03:43:20")
        #expect(last.text("filltime") == "03:43:20")
    }

    @Test func rejectionsSayWhy() throws {
        let update = try #require(
            updates(#"{"instrument":"NSE:INFY","life":"rejected","message":"No \"funds\""}"#).first)
        #expect(update.text("text") == #"No "funds""#)
        #expect(update.text("status") == "rejected")
    }

    @Test(
        arguments: zip(
            ["MARKET", "LIMIT", "SL", "SL-M"], ["MARKET", "LIMIT", "STOPLOSS_LIMIT", "STOPLOSS_MARKET"]))
    func spellsTypes(type: String, word: String) throws {
        let updates = try updates(#"{"instrument":"NSE:INFY","life":"open","type":"\#(type)","product":"NRML"}"#)
        #expect(updates.first?.text("ordertype") == word)
        #expect(updates.first?.text("producttype") == "CARRYFORWARD")
    }

    @Test(arguments: AngelOrderStatus.allCases) func everyCodeHasItsFrame(status: AngelOrderStatus) throws {
        let instrument = AngelPacketTests.instrument(.nse, token: 5)
        let order = SimulatedOrder(
            id: "1", instrument: 0, stage: .open, quantity: 3, price: 150, time: VenueBench.now)
        let update = try Update(
            AngelOrderFrame.text(
                order, on: instrument, try #require(AngelListing(instrument)), isOnIndex: false, status: status,
                user: "U"))
        #expect(update.envelope["order-status"] == status.rawValue)
        #expect(update.text("orderstatus") == status.text && update.text("status") == status.text)
        #expect(update.number("price") == 1.5 && update.text("quantity") == "3")
    }

    @Test func theMarketSocketHearsNothing() throws {
        let bench = try VenueBench(.angel)
        let socket = try bench.connect("/smart-stream", headers: AngelAccessTests.headers)
        try bench.perform("order", #"{"instrument":"NSE:INFY"}"#)
        #expect(try bench.frames(socket).isEmpty)
    }
}
