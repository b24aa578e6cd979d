import Testing

@testable import BrokerSimulator

struct FaultTests {
    @Test(arguments: [
        ("nope", "", "There is no fault nope"),
        ("refuse", #"{"status":"many"}"#, "refuse: status"),
        ("drop", "[", "drop: the body"),
        ("roll", #"{"sockets":"burn"}"#, "roll: sockets"),
    ])
    func aWrongFaultSaysWhatIsWrong(name: String, body: String, expected: String) throws {
        let error = #expect(throws: SimulatorError.self) { try Fault(name, body: body) }
        #expect(try #require(error).description.hasPrefix(expected), "\(String(describing: error))")
    }

    @Test func scriptsAreLines() throws {
        let script = try Script(
            parsing: """
                # comment

                0.5  drop
                10 close {"code": 1001, "reason": "a b"}
                """)
        #expect(script.lines.map(\.milliseconds) == [500, 10_000])
        #expect(script.lines.map(\.fault.name) == [.drop, .close])
        #expect(script.lines[1].fault.body.reason == "a b")
    }

    @Test(arguments: ["drop", "-1 drop", "1", "1 nope", "1 close {", "1e400 drop"])
    func aWrongLineIsNumbered(line: String) throws {
        let error = #expect(throws: SimulatorError.self) { try Script(parsing: "# first\n\(line)\n") }
        #expect(try #require(error).description.hasPrefix("Script line 2: "), "\(String(describing: error))")
    }

    @Test(arguments: [
        ("order", #""quantity":0"#), ("order", #""quantity":9223372036854775807"#), ("order", #""price":1e15"#),
        ("order", #""life":"amo","interval_ms":9223372036854775807"#), ("order", #""interval_ms":-1"#),
        ("order", #""life":"forever""#), ("tick", #""ltp":1e14"#), ("tick", #""volume":-1"#),
        ("tick", #""oi":9223372036854775807"#), ("tick", #""bids":[[1,2]]"#),
    ])
    func numbersOutOfRangeAreRefused(fault: String, members: String) throws {
        let bench = try VenueBench(.angel)
        let error = #expect(throws: SimulatorError.self) {
            try bench.perform(fault, #"{"instrument":"CDS:USDINR28NOV23FUT",\#(members)}"#)
        }
        #expect(error?.description.hasPrefix("\(fault): ") == true, "\(String(describing: error))")
    }

    /// The largest of everything, and the market walks on.
    @Test(arguments: [VenueKind.zerodha, .angel, .flattrade].map(\.name)) func largestValuesCanBeSent(venue: String)
        throws
    {
        let bench = try VenueBench(try #require(VenueKind.named(venue)))
        let place = try bench.place("CDS:USDINR28NOV23FUT")
        let socket = try bench.connect(
            venue == "zerodha"
                ? "/?api_key=simkey&access_token=simtoken" : venue == "angel" ? "/smart-stream" : "/PiConnectWSAPI/",
            headers: AngelAccessTests.headers)
        if venue == "flattrade" { bench.send(NorenSessionTests.login, on: socket) }
        for mode in UInt8(1)...2 { socket.connection.subscriptions.insert(Subscription(instrument: place, mode: mode)) }
        _ = try bench.frames(socket)
        let largest = "1000000000000000"
        try bench.perform(
            "tick",
            #"{"instrument":"CDS:USDINR28NOV23FUT","ltp":1e8,"high":1e8,"upper_circuit":1e8,"close":0.0001,"#
                + #""volume":\#(largest),"ltq":\#(largest),"oi":\#(largest),"asks":[[1e8,9e15,9e15]]}"#)
        #expect(try bench.frames(socket).count > 0)
        try bench.perform("emit", #"{"rounds":20}"#)
        #expect(try bench.frames(socket).count >= 20)
        #expect(bench.simulation.market.quotes[place].version == 21)
    }

    @Test func bytesAreHex() throws {
        #expect(try Fault("raw", body: #"{"hex":"00 fF 1a"}"#).bytes() == [0, 255, 26])
        for wrong in [#"{"hex":"0"}"#, #"{"hex":"0g"}"#, "{}"] {
            #expect(throws: SimulatorError.self) { try Fault("raw", body: wrong).bytes() }
        }
    }

    @Test(arguments: [
        ("complete", ["received", "validation_pending", "open_pending", "open", "partly_filled", "complete"]),
        ("rejected", ["received", "validation_pending", "rejected"]),
        ("cancelled", ["received", "validation_pending", "open_pending", "open", "cancel_pending", "cancelled"]),
        (
            "modified",
            [
                "received", "validation_pending", "open_pending", "open", "modify_pending", "modified", "partly_filled",
                "complete",
            ]
        ),
        ("amo_cancelled", ["amo_received", "cancelled"]),
        (
            "amo_complete",
            [
                "amo_received", "received", "validation_pending", "open_pending", "open", "partly_filled", "complete",
            ]
        ),
    ])
    func anOrderHasALife(life: String, expected: [String]) throws {
        let plan = try Fault("order", body: #"{"life":"\#(life)"}"#).decode(OrderPlan.self)
        let order = SimulatedOrder(
            id: "7", instrument: 0, stage: .received, quantity: 5, price: 100, time: testTime)
        let stages = plan.stages(of: order, tickSize: 5)
        #expect(stages.map(\.stage.rawValue) == expected)
        for stage in stages {
            #expect(stage.filledQuantity + stage.pendingQuantity + stage.cancelledQuantity <= stage.quantity)
        }
        let last = try #require(stages.last)
        #expect(last.pendingQuantity == 0)
        if last.stage == .complete { #expect(last.filledQuantity == last.quantity && last.averagePrice == last.price) }
        #expect((last.stage == .rejected) == !last.message.isEmpty)
    }
}
