import Foundation
import Testing

@testable import BrokerSimulator

@Suite(.timeLimit(.minutes(1)))
struct ZerodhaServerTests {
    private static let target = "/?api_key=simkey&access_token=simtoken"
    private static let infy: UInt32 = 408_065
    private static let nifty: UInt32 = 256_265

    private func connected(_ server: SimulatorServer, _ target: String = target) async throws -> TestSocket {
        let socket = try await TestSocket(port: server.port)
        let answer = try await socket.upgrade(target, headers: ["X-Kite-Version": "3"])
        #expect(answer.status == 101)
        return socket
    }

    /// The next frame that is no heartbeat.
    private func message(_ socket: TestSocket) async throws -> TestSocket.Frame {
        while true {
            let frame = try #require(await socket.frame())
            if frame.opcode != 2 || frame.payload.count != 1 { return frame }
        }
    }

    /// Lengths of the packets of a tick message.
    private func lengths(_ frame: TestSocket.Frame) -> [Int] {
        var lengths: [Int] = []
        var rest = frame.payload.dropFirst(2)
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            lengths.append(length)
            rest = rest.dropFirst(2 + length)
        }
        return lengths
    }

    private func state(_ server: SimulatorServer) async throws -> [String: Any] {
        let answer = try await TestSocket(port: server.port).request("GET", "/_sim/state")
        return try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
    }

    private func subscriptions(_ server: SimulatorServer) async throws -> [[String: [String]]] {
        let connections = try #require(try await state(server)["connections"] as? [[String: Any]])
        return connections.compactMap { $0["subscriptions"] as? [String: [String]] }
    }

    @Test(arguments: [
        ("/", 400), ("/?api_key=simkey", 400), ("/?api_key=simkey&access_token=", 400),
        ("/?api_key=simkey&access_token=old", 403), ("/?api_key=other&access_token=simtoken", 403), ("/ws", 404),
    ])
    func whoIsRefused(target: String, status: Int) async throws {
        try await withSimulator(.zerodha) { server in
            let answer = try await TestSocket(port: server.port).upgrade(target)
            #expect(answer.status == status)
        }
    }

    @Test func theFourthConnectionIsRefused() async throws {
        try await withSimulator(.zerodha) { server in
            var sockets: [TestSocket] = []
            for _ in 0..<3 { sockets.append(try await connected(server)) }
            #expect(try await TestSocket(port: server.port).upgrade(Self.target).status == 429)
            try await server.perform(Fault("drop", body: #"{"connection":2}"#))
            #expect(await sockets[1].frame() == nil)
            let again = try await connected(server)
            await again.close()
        }
    }

    @Test func modesOfASubscription() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            // Nothing comes of a mode for what was never subscribed.
            try await socket.send(#"{"a":"mode","v":["full",[\#(Self.infy)]]}"#)
            try await socket.send(#"{"a":"subscribe","v":[\#(Self.infy),\#(Self.nifty),99]}"#)
            #expect(lengths(try await message(socket)) == [44, 28])
            try await socket.send(#"{"a":"mode","v":["full",[\#(Self.infy),\#(Self.nifty)]]}"#)
            #expect(lengths(try await message(socket)) == [184, 32])
            try await socket.send(#"{"a":"mode","v":["ltp",[\#(Self.infy)]]}"#)
            #expect(lengths(try await message(socket)) == [8])
            #expect(try await subscriptions(server) == [["ltp": ["408065"], "full": ["256265"]]])
            try await socket.send(#"{"a":"unsubscribe","v":[\#(Self.infy),7]}"#)
            try await socket.send(#"{"a":"subscribe","v":[\#(Self.nifty)]}"#)
            #expect(lengths(try await message(socket)) == [32])
            try await server.perform(Fault("emit"))
            #expect(lengths(try await message(socket)) == [32])
            #expect(try await subscriptions(server) == [["full": ["256265"]]])
        }
    }

    @Test func tooManyInstrumentsAreAnError() async throws {
        try await withSimulator(.zerodha, { $0.syntheticInstruments = 3_002 }) { server in
            let socket = try await connected(server)
            let tokens = (0..<3_002).map { String(($0 + 100_001) << 8 | 1) }
            for part in stride(from: 0, to: tokens.count, by: 1_501) {
                try await socket.send(
                    #"{"a":"subscribe","v":[\#(tokens[part..<part + 1_501].joined(separator: ","))]}"#)
            }
            var packets = 0
            var frame = try await message(socket)
            while frame.opcode == 2 {
                packets += lengths(frame).count
                frame = try await message(socket)
            }
            #expect(packets == 3_000)
            #expect(frame.text.hasPrefix(#"{"data":"#) && frame.text.contains("3000") && frame.text.contains("error"))
            #expect(try await subscriptions(server).first?["quote"]?.count == 3_000)
        }
    }

    @Test func whatIsNoRequestIsAnswered() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            try await socket.send("hello")
            #expect(try await message(socket).text == #"{"data":"Invalid request.","type":"error"}"#)
            // Joined from fragments, with a ping between them.
            try await socket.send(#"{"a":"subscribe","#, isLast: false)
            try await socket.send("?", opcode: 9)
            try await socket.send(#""v":[\#(Self.infy)]}"#, opcode: 0)
            #expect(try await message(socket) == TestSocket.Frame(opcode: 10, payload: Array("?".utf8)))
            #expect(lengths(try await message(socket)) == [44])
        }
    }

    @Test func anIdleConnectionHearsHeartbeats() async throws {
        try await withSimulator(.zerodha, heartbeats: true) { server in
            let socket = try await connected(server)
            for _ in 0..<2 {
                #expect(await socket.frame() == TestSocket.Frame(opcode: 2, payload: [0]))
            }
        }
    }

    @Test func ordersGoToEveryConnection() async throws {
        try await withSimulator(.zerodha) { server in
            let sockets = [try await connected(server), try await connected(server)]
            try await server.perform(
                Fault("order", body: #"{"instrument":"NSE:INFY","life":"rejected","price":1573.15,"quantity":4}"#))
            for socket in sockets {
                var statuses: [String] = []
                for _ in 0..<3 {
                    let frame = try await message(socket)
                    let json = try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: Any]
                    let order = try #require(json?["data"] as? [String: Any])
                    statuses.append(try #require(order["status"] as? String))
                    #expect(json?["type"] as? String == "order")
                    #expect(order["order_id"] as? String == "261123000000001")
                    #expect(order["price"] as? Double == 1_573.15)
                    #expect(order["instrument_token"] as? Int == 408_065)
                    #expect(order["order_timestamp"] as? String == "2026-11-23 09:15:00")
                    #expect(order["parent_order_id"] is NSNull)
                    #expect(order.count == 34)
                }
                #expect(statuses == ["PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "REJECTED"])
            }
        }
    }

    @Test(arguments: [
        ("amo", ["AMO REQ RECEIVED"]), ("amo_modified", ["AMO REQ RECEIVED", "AMO REQ RECEIVED"]),
        ("amo_cancelled", ["AMO REQ RECEIVED", "CANCELLED"]),
        (
            "amo_complete",
            [
                "AMO REQ RECEIVED", "PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "OPEN PENDING", "OPEN", "UPDATE",
                "COMPLETE",
            ]
        ),
    ])
    func ordersAfterTheMarket(life: String, statuses: [String]) throws {
        let bench = try VenueBench(.zerodha)
        let socket = try bench.connect(Self.target)
        try bench.perform("order", #"{"instrument":"NSE:INFY","life":"\#(life)","quantity":4}"#)
        let orders = try bench.texts(socket).map { text in
            let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return try #require(json?["data"] as? [String: Any])
        }
        #expect(orders.map { $0["status"] as? String } == statuses)
        #expect(orders.allSatisfy { $0["variety"] as? String == "amo" })
        #expect(orders.first?["exchange_order_id"] is NSNull)
        if life == "amo_modified" { #expect(orders.map { $0["quantity"] as? Int } == [4, 8]) }
    }

    @Test func aTokenThatRollsOver() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            try await server.perform(Fault("roll"))
            #expect(await socket.frame() == nil)
            #expect(try await TestSocket(port: server.port).upgrade(Self.target).status == 403)
            let checksum = SHA256Text.of("simkey" + "request1" + "simsecret")
            let login = try await TestSocket(port: server.port).request(
                "POST", "/session/token", body: "api_key=simkey&request_token=request1&checksum=\(checksum)")
            #expect(login.status == 200 && login.text.contains(#""access_token":"simtoken-2""#))
            _ = try await connected(server, "/?api_key=simkey&access_token=simtoken-2")
            let report = try await TestSocket(port: server.port).request("GET", "/_sim/state").text
            #expect(!report.contains("simtoken") && !report.contains("simkey"))
            #expect(report.contains(#""upgrades":{"101":2,"403":1}"#))
        }
    }

    @Test(arguments: ["", "api_key=simkey&request_token=r&checksum=00", "api_key=k&request_token=r&checksum=00"])
    func aLoginThatIsRefused(form: String) async throws {
        try await withSimulator(.zerodha) { server in
            let answer = try await TestSocket(port: server.port).request("POST", "/session/token", body: form)
            #expect(answer.status == (form.isEmpty ? 400 : 403))
            #expect(!answer.text.contains("simtoken"))
        }
    }

    @Test func mastersAreCompressedTables() async throws {
        try await withSimulator(.zerodha) { server in
            let http = try await TestSocket(port: server.port)
            var answer = try await http.request(
                "GET", "/instruments", headers: ["Authorization": "token simkey:simtoken"])
            #expect(answer.status == 200 && answer.headers["content-encoding"] == "gzip")
            let lines = try gunzip(&answer.body).split(separator: "\n").map(String.init)
            #expect(lines[0].hasPrefix("instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,"))
            #expect(lines.contains(#"408065,1594,INFY,"INFOSYS",0,,0,0.05,1,EQ,NSE,NSE"#))
            #expect(lines.contains(#"256265,1001,NIFTY 50,"NIFTY 50",0,,0,0,0,EQ,INDICES,NSE"#))
            #expect(
                lines.contains(#"408579,1596,USDINR26NOV88.5CE,"USDINR",0,2026-11-24,88.5,0.0025,1000,CE,CDS-OPT,CDS"#))
            #expect(lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 12 })
            // The same connection serves the next request.
            var part = try await http.request("GET", "/instruments/MCX")
            let rows = try gunzip(&part.body).split(separator: "\n").dropFirst()
            #expect(!rows.isEmpty && rows.allSatisfy { $0.hasSuffix(",MCX") })
            let wrong = try await http.request("GET", "/instruments", headers: ["Authorization": "token simkey:old"])
            #expect(wrong.status == 403)
        }
    }
}
