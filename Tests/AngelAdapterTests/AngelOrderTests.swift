import AdapterKit
import AdapterTestKit
import AngelAdapter
import CFeedhostABI
import Testing

@Suite struct AngelOrderTests {
    /// An update as the documentation shows it, with some members replaced.
    static func frame(_ code: String = "AB01", _ changes: [String: String] = [:]) -> String {
        var members = [
            "variety": #""NORMAL""#, "ordertype": #""LIMIT""#, "ordertag": #""10007712""#,
            "producttype": #""DELIVERY""#,
            "price": "551.25", "triggerprice": "0", "quantity": #""10""#, "disclosedquantity": #""0""#,
            "duration": #""DAY""#, "squareoff": "0", "stoploss": "0", "trailingstoploss": "0",
            "tradingsymbol": #""SBIN-EQ""#, "transactiontype": #""BUY""#, "exchange": #""NSE""#,
            "symboltoken": #""3045""#, "instrumenttype": #""""#, "strikeprice": "-1", "optiontype": #""""#,
            "expirydate": #""""#, "lotsize": #""1""#, "cancelsize": #""0""#, "averageprice": "0",
            "filledshares": #""4""#, "unfilledshares": #""6""#, "orderid": #""111111111111111""#, "text": #""why""#,
            "status": #""open""#, "orderstatus": #""open""#, "updatetime": #""25-Oct-2023 23:53:21""#,
            "exchtime": #""""#, "exchorderupdatetime": #""""#, "fillid": #""""#, "filltime": #""""#,
            "parentorderid": #""""#,
        ]
        members.merge(changes) { $1 }
        let data = members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        return
            #"{"user-id":"C123","status-code":"200","order-status":"\#(code)","error-message":"","orderData":{\#(data)}}"#
    }

    @Test func passesEveryFieldOn() throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame())
        let order = try #require(host.orders.last)
        #expect(order.orderID == "111111111111111")
        #expect(order.status == "open")
        #expect((order.brokerExchange, order.brokerSymbol, order.brokerToken) == ("NSE", "SBIN-EQ", "3045"))
        #expect((order.action, order.priceType, order.product) == ("BUY", "LIMIT", "CNC"))
        #expect((order.quantity, order.filled, order.pending) == (10, 4, 6))
        #expect(order.priceExponent == -8 && order.quantityExponent == 0)
        #expect((order.price, order.trigger, order.average) == (55_125_000_000, 0, 0))
        #expect(order.reason.isEmpty)
        // 25 October 2023, 23:53:21 in India is 18:23:21 UTC.
        #expect(order.exchangeTime == 1_698_258_201_000_000_000)
        #expect(host.metrics.isEmpty && host.log.isEmpty)
    }

    static let states = [
        ("AB01", "open"), ("AB02", "cancelled"), ("AB03", "rejected"), ("AB04", "open"), ("AB05", "complete"),
        ("AB06", "open"), ("AB07", "cancelled"), ("AB08", "open"), ("AB09", "open"), ("AB10", "trigger pending"),
        ("AB11", "open"),
    ]

    @Test(arguments: states) func namesEveryState(code: String, state: String) throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame(code))
        #expect(host.orders.map(\.status) == [state])
        #expect(host.orders[0].reason == (code == "AB03" ? "why" : ""))
    }

    @Test func ignoresTheGreeting() throws {
        let host = try openAngelOrders()
        let zeros = ["orderid": #""""#, "quantity": #""""#, "price": "0.0", "orderstatus": #""""#]
        host.deliver(Self.frame("AB00", zeros))
        host.deliver(
            #"{"user-id":"C123","status-code":"200","order-status":"AB00","error-message":"","orderData":null}"#)
        #expect(host.orders.isEmpty && host.metrics.isEmpty && host.log.isEmpty)
    }

    @Test func readsTheStatusTextWhenTheCodeIsUnknown() throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame("", ["orderstatus": #""Complete""#]))
        host.deliver(Self.frame("AB99", ["orderstatus": #""""#, "status": #""rejected""#]))
        #expect(host.orders.map(\.status) == ["complete", "rejected"])
        host.deliver(Self.frame("AB99", ["orderstatus": #""?""#, "status": #""?""#]))
        #expect(host.orders.count == 2)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1 && host.log.count == 1)
    }

    @Test(arguments: [
        ("MARKET", "MARKET"), ("LIMIT", "LIMIT"), ("STOPLOSS_LIMIT", "SL"), ("STOPLOSS_MARKET", "SL-M"), ("ODD", ""),
    ])
    func namesEveryPriceType(wire: String, expected: String) throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame("AB10", ["ordertype": "\"\(wire)\""]))
        #expect(host.orders.last?.priceType == expected)
    }

    @Test(arguments: [
        ("DELIVERY", "CNC"), ("INTRADAY", "MIS"), ("CARRYFORWARD", "NRML"), ("BO", "BO"), ("MARGIN", "MARGIN"),
    ])
    func namesEveryProduct(wire: String, expected: String) throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame("AB01", ["producttype": "\"\(wire)\"", "transactiontype": #""SELL""#]))
        #expect(host.orders.last?.product == expected)
        #expect(host.orders.last?.action == "SELL")
    }

    @Test func takesNumbersHoweverTheyAreWritten() throws {
        let host = try openAngelOrders()
        host.deliver(
            Self.frame(
                "AB05",
                [
                    "price": #""83.2525""#, "triggerprice": #""""#, "averageprice": "83.25249999999999545",
                    "quantity": "10.0", "filledshares": "10", "unfilledshares": "null", "symboltoken": "3045",
                    "orderid": "2311", "extra": #"{"a":[1,{"b":2}]}"#,
                ]))
        let order = try #require(host.orders.last)
        #expect((order.quantity, order.filled, order.pending) == (10, 10, nil))
        #expect((order.price, order.trigger, order.average) == (8_325_250_000, nil, 8_325_249_999))
        #expect(order.brokerToken == "3045" && order.orderID == "2311")
    }

    @Test(
        arguments: [
            ("24-Feb-2024 05:30:00", 1_708_732_800), ("29-Feb-2024 00:00:00", 1_709_145_000),
            ("01-Mar-2024 05:30:01", 1_709_251_201), ("31-DEC-2099 23:59:59", 4_102_424_999),
            ("30-Feb-2024 00:00:00", nil),
            ("01-Mar-2024 24:00:00", nil), ("2024-03-01 05:30:01", nil), ("01-Mar-2024T05:30:01", nil), ("", nil),
            ("01-Mar-2024 05:30:0x", nil), ("01-Jan-1970 05:29:59", nil), ("31-Dec-9999 23:59:59", nil),
        ] as [(String, UInt64?)])
    func readsIndianTime(text: String, seconds: UInt64?) throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame("AB01", ["updatetime": "\"\(text)\""]))
        #expect(host.orders.last?.exchangeTime == seconds.map { $0 * 1_000_000_000 })
    }

    @Test func fallsBackToTheExchangesTime() throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame("AB01", ["updatetime": #""""#, "exchtime": #""01-Mar-2024 05:30:01""#]))
        #expect(host.orders.last?.exchangeTime == 1_709_251_201_000_000_000)
    }

    @Test func undoesEscapesInTheReason() throws {
        let host = try openAngelOrders()
        host.deliver(Self.frame("AB03", ["text": #""RMS: \"margin\"\nneeds \u20b9 5\/6 \\ \ud83d\ude42""#]))
        #expect(host.orders.last?.reason == "RMS: \"margin\"\nneeds ₹ 5/6 \\ 🙂")
    }

    @Test func readsTheSameJSONAsBytes() throws {
        let host = try openAngelOrders()
        host.deliver(Array(Self.frame().utf8), opcode: FH_WS_BINARY)
        #expect(host.orders.count == 1)
    }

    @Test func dropsUpdatesThatNobodyWants() throws {
        let host = try openAngelOrders()
        host.stopOrders()
        host.deliver(Self.frame())
        #expect(host.orders.isEmpty)
        host.startOrders()
        host.deliver(Self.frame())
        #expect(host.orders.count == 1)
        #expect(host.sockets[0].sent.isEmpty)  // there is nothing to subscribe
    }

    @Test(arguments: [("401", FH_WHY_AUTH_REJECTED), ("403", FH_WHY_AUTH_EXPIRED)])
    func endsWhenTheSocketSaysThatTheTokenIsOver(code: String, reason: Int) throws {
        let host = try openAngelOrders()
        host.deliver(
            #"{"user-id":"C123","status-code":"\#(code)","order-status":"","error-message":"Token expired","orderData":{}}"#
        )
        #expect(host.connections.last?.reason == UInt32(reason))
        #expect(host.connections.last?.message == "Angel One's order socket answered \(code): Token expired")
        #expect(host.sockets[0].closeCode == 1_000)
    }

    @Test(arguments: ["", "[]", "{}", #"{"a":1}"#, "x", #"{"order-status":"AB01","orderData":{"orderid":"1""#])
    func countsWhatIsNoUpdate(text: String) throws {
        let host = try openAngelOrders()
        host.deliver(text)
        #expect(host.metric(FH_M_FRAMES_BAD) == 1 && host.orders.isEmpty)
        #expect(host.log.count == 1)
    }

    @Test func carriesNoMarketData() throws {
        let host = try openAngelOrders()
        host.subscribe([host.share("11", FH_MODE_LTP)])
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_REJECTED)])
        let market = try openAngel()
        #expect(market.startOrders() == .unsupported)
    }
}
