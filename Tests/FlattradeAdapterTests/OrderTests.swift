import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@Suite struct NorenOrderTests {
    /// An update as the server writes it, with members changed or, with `nil`, left out.
    static func message(_ changes: [String: String?] = [:]) -> String {
        var members: [String: String] = [
            "norenordno": "20121300065715", "uid": "FZ00000", "actid": "FZ00000", "exch": "NSE", "tsym": "M&M-EQ",
            "qty": "10", "prc": "1250.50", "pcode": "C", "status": "OPEN", "reporttype": "NewAck", "trantype": "B",
            "prctyp": "LMT", "ret": "DAY", "exch_tm": "03-12-2021 11:54:44", "remarks": "x", "amo": "No",
        ]
        for (name, value) in changes { members[name] = value }
        let text = members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
        return "{\"t\":\"om\",\(text.joined(separator: ","))}"
    }

    private func open(_ broker: Int = 0) throws -> InMemoryHost {
        let host = try openNoren(broker)
        host.startOrders()
        return host
    }

    private func order(_ changes: [String: String?] = [:], broker: Int = 0) throws -> PublishedOrder {
        let host = try open(broker)
        host.deliver(Self.message(changes))
        return try #require(host.orders.last)
    }

    @Test func asksOnTheSameSocket() throws {
        let host = try open()
        #expect(host.requests == [#"{"t":"o","actid":"FZ00000"}"#])
        host.deliver(#"{"t":"ok"}"#)
        host.deliver(Self.message())
        #expect(host.orders.count == 1)
        host.stopOrders()
        #expect(host.requests.last == #"{"t":"uo"}"#)
        host.deliver(Self.message())
        #expect(host.orders.count == 1)
        #expect(host.sockets.count == 1)
    }

    @Test func decodesAnUpdate() throws {
        let order = try order()
        #expect((order.orderID, order.status) == ("20121300065715", "open"))
        #expect((order.brokerExchange, order.brokerSymbol, order.brokerToken) == ("NSE", "M&M-EQ", ""))
        #expect((order.action, order.priceType, order.product, order.reason) == ("BUY", "LIMIT", "CNC", ""))
        #expect((order.priceExponent, order.quantityExponent) == (-2, 0))
        #expect((order.quantity, order.filled, order.pending) == (10, 0, 10))
        #expect((order.price, order.trigger, order.average) == (125_050, nil, nil))
        // 11:54:44 in India.
        #expect(order.exchangeTime == 1_638_512_684_000_000_000)
    }

    @Test(arguments: [
        ("NEW", "open"), ("OPEN", "open"), ("PENDING", "open"), ("REPLACED", "open"), ("PENDING_CANCEL", "open"),
        ("TRIGGER_PENDING", "trigger pending"), ("TRIGGER PENDING", "trigger pending"), ("COMPLETE", "complete"),
        ("Rejected", "rejected"), ("CANCELED", "cancelled"), ("CANCELLED", "cancelled"), ("EXPIRED", "expired"),
        ("INVALID_STATUS_TYPE", "rejected"),
    ])
    func statuses(word: String, state: String) throws {
        #expect(try order(["status": word]).status == state)
    }

    /// Remarks of the risk check come with other states too; they are no reason of a rejection.
    @Test(arguments: ["OPEN", "COMPLETE", "CANCELED", "TRIGGER_PENDING", "REJECTED"])
    func onlyARejectionHasAReason(word: String) throws {
        let order = try order(["status": word, "rejreason": "RED:margin"])
        #expect(order.reason == (word == "REJECTED" ? "RED:margin" : ""))
    }

    @Test func aReportOfAFillMayBeOfAPart() throws {
        let part = try order(["reporttype": "Fill", "fillshares": "4", "flqty": "4", "avgprc": "1250.25"])
        #expect((part.status, part.filled, part.pending, part.average) == ("open", 4, 6, 125_025))
        let whole = try order(["reporttype": "Fill", "fillshares": "10", "status": "COMPLETE"])
        #expect((whole.status, whole.filled, whole.pending) == ("complete", 10, 0))
        let silent = try order(["status": "COMPLETE"])
        #expect((silent.filled, silent.pending) == (10, 0))
    }

    @Test(arguments: [
        ("MKT", "MARKET"), ("LMT", "LIMIT"), ("SL-LMT", "SL"), ("SL-MKT", "SL-M"), ("DS", ""),
    ])
    func priceTypes(word: String, type: String) throws {
        #expect(try order(["prctyp": word]).priceType == type)
    }

    @Test(arguments: [("C", "CNC"), ("M", "NRML"), ("I", "MIS"), ("H", "H"), ("B", "B")])
    func products(letter: String, product: String) throws {
        #expect(try order(["pcode": letter]).product == product)
        #expect(try order(["pcode": nil, "prd": letter], broker: 1).product == product)
    }

    @Test func keepsPricesExactAndTextsWhole() throws {
        let order = try order([
            "prc": "83.1175", "trgprc": "83.1", "avgprc": "", "trantype": "S", "status": "REJECTED",
            "rejreason": #"RED:\"margin\" \u20b95\/short"#, "tsym": #"M\u0026M-EQ"#, "exch_tm": nil,
            "fltm": "11:54:44 03-12-2021",
        ])
        #expect((order.priceExponent, order.price, order.trigger, order.average) == (-4, 831_175, 831_000, nil))
        #expect((order.action, order.brokerSymbol, order.reason) == ("SELL", "M&M-EQ", #"RED:"margin" ₹5/short"#))
        #expect(order.exchangeTime == 1_638_512_684_000_000_000)
    }

    @Test func whatCannotBeReadIsCounted() throws {
        let host = try open()
        host.deliver(Self.message(["norenordno": nil]))
        host.deliver(Self.message(["status": ""]))
        host.deliver(Self.message(["exch_tm": "31-02-2021 11:54:44"]))
        #expect((host.orders.count, host.metric(FH_M_FRAMES_BAD)) == (1, 2))
        #expect(host.orders[0].exchangeTime == nil)
        #expect(!host.log.contains { $0.contains("FZ00000") })
    }

    @Test func numbersThatLeadNowhereAreLeftOut() throws {
        let order = try order(["qty": "9223372036854775807", "fillshares": "-5", "exch_tm": "03-12-9999 11:54:44"])
        #expect((order.quantity, order.filled, order.pending) == (.max, 0, .max))
        #expect(order.exchangeTime == nil)
    }

    @Test func nobodyAskedSoNobodyIsTold() throws {
        let host = try openNoren()
        host.deliver(Self.message())
        #expect((host.orders.count, host.metric(FH_M_FRAMES_IGNORED)) == (0, 1))
    }
}
