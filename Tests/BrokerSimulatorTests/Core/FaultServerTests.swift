import Foundation
import Testing

@testable import BrokerSimulator

/// Faults as a client sees them, with Zerodha as the broker.
@Suite(.timeLimit(.minutes(1)))
struct FaultServerTests {
    private static let target = "/?api_key=simkey&access_token=simtoken"

    private func connected(_ server: SimulatorServer) async throws -> TestSocket {
        let socket = try await TestSocket(port: server.port)
        #expect(try await socket.upgrade(Self.target).status == 101)
        return socket
    }

    private func control(
        _ server: SimulatorServer, _ fault: String, _ body: String = ""
    ) async throws -> TestSocket.Answer {
        try await TestSocket(port: server.port).request("POST", "/_sim/\(fault)", body: body)
    }

    @Test func closingSaysWhy() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            let answer = try await control(server, "close", #"{"code":4001,"reason":"bye"}"#)
            #expect(answer.text == #"{"connections":1,"fault":"close"}"#)
            #expect(await socket.frame() == TestSocket.Frame(opcode: 8, payload: [0x0F, 0xA1] + Array("bye".utf8)))
            #expect(await socket.frame() == nil)
        }
    }

    @Test func refusalsAreCounted() async throws {
        try await withSimulator(.zerodha) { server in
            _ = try await control(
                server, "refuse", #"{"status":503,"times":2,"headers":{"Retry-After":"7"},"text":"x"}"#)
            for _ in 0..<2 {
                let answer = try await TestSocket(port: server.port).upgrade(Self.target)
                #expect(answer.status == 503 && answer.headers["retry-after"] == "7" && answer.text == "x")
            }
            _ = try await connected(server)
            _ = try await control(server, "refuse", #"{"status":403}"#)
            #expect(try await TestSocket(port: server.port).upgrade(Self.target).status == 403)
            _ = try await control(server, "accept")
            _ = try await connected(server)
        }
    }

    @Test func mutedIsOpenAndSilent() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            _ = try await control(server, "mute")
            try await socket.send(#"{"a":"subscribe","v":[408065]}"#)
            try await socket.send("p", opcode: 9)
            // The request was heard all the same, and the next frame is the first one after the silence.
            while try await !control(server, "unmute").text.isEmpty {
                let state = try await TestSocket(port: server.port).request("GET", "/_sim/state").text
                if state.contains(#""quote":["408065"]"#), state.contains(#""pings":1"#) { break }
                _ = try await control(server, "mute")
            }
            _ = try await control(server, "send", #"{"text":"after"}"#)
            var frames: [String] = []
            while frames.last != "after" { frames.append(try #require(await socket.frame()).text) }
            #expect(frames.count <= 3)
        }
    }

    /// As of a server whose token has died: the WebSocket lives, and what is behind it does not.
    @Test func mutedMayAnswerPings() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            _ = try await control(server, "mute", #"{"pongs":true}"#)
            try await socket.send("first", opcode: 9)
            // Heartbeats from before the silence.
            var frame = try #require(await socket.frame())
            while frame.opcode != 10 { frame = try #require(await socket.frame()) }
            #expect(frame.text == "first")
            _ = try await control(server, "send", #"{"text":"unheard"}"#)
            try await socket.send("second", opcode: 9)
            let next = try #require(await socket.frame())
            #expect((next.opcode, next.text) == (10, "second"))
        }
    }

    @Test func stalledComesLate() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            _ = try await control(server, "stall")
            _ = try await control(server, "send", #"{"text":"one"}"#)
            _ = try await control(server, "send", #"{"hex":"0102"}"#)
            let state = try await TestSocket(port: server.port).request("GET", "/_sim/state").text
            #expect(state.contains(#""stalled":true"#))
            _ = try await control(server, "resume_sockets")
            #expect(try #require(await socket.frame()).text == "one")
            #expect(await socket.frame() == TestSocket.Frame(opcode: 2, payload: [1, 2]))
        }
    }

    @Test func brokenBytesGoOutAsTheyAre() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            #expect(try await control(server, "malformed", #"{"kind":"truncated"}"#).status == 200)
            #expect(try #require(await socket.frame()).payload.prefix(4) == [0, 1, 0, 44])
            _ = try await control(server, "raw", #"{"hex":"8900"}"#)
            #expect(await socket.frame() == TestSocket.Frame(opcode: 9, payload: []))
            let wrong = try await control(server, "malformed", #"{"kind":"nope"}"#)
            #expect(wrong.status == 400 && wrong.text.contains("ws-masked") && wrong.text.contains("zero-length"))
        }
    }

    @Test(arguments: [
        ("nope", "{}"), ("tick", "{}"), ("tick", #"{"instrument":"X"}"#), ("rate", "{}"), ("rate", "["),
        ("order", #"{"instrument":"NSE_INDEX:NIFTY"}"#),
    ])
    func wrongFaultsAreRefused(fault: String, body: String) async throws {
        try await withSimulator(.zerodha) { server in
            let answer = try await control(server, fault, body)
            #expect(answer.status == 400 && answer.text.contains("error"))
        }
    }

    @Test func tickIsSentAsGiven() async throws {
        try await withSimulator(.zerodha) { server in
            let socket = try await connected(server)
            try await socket.send(#"{"a":"subscribe","v":[408065]}"#)
            _ = await socket.frame()
            _ = try await control(server, "tick", #"{"instrument":"408065","ltp":1573.15}"#)
            let payload = try #require(await socket.frame()).payload
            #expect(payload.dropFirst(4).prefix(8) == [0, 6, 0x3A, 1, 0, 2, 0x66, 0x83])
            let listed = try await TestSocket(port: server.port).request("GET", "/_sim/instruments?exchange=NSE").text
            #expect(listed.contains(#""ltp":157315"#) && !listed.contains(#""exchange":"BSE""#))
        }
    }

    @Test func ticksComeAtARateUntilPaused() async throws {
        try await withSimulator(.zerodha, { $0.rate = 2_000 }, heartbeats: true) { server in
            let socket = try await connected(server)
            try await socket.send(#"{"a":"subscribe","v":[408065]}"#)
            for _ in 0..<10 { #expect(try #require(await socket.frame()).opcode == 2) }
            _ = try await control(server, "pause")
            _ = try await control(server, "send", #"{"text":"paused"}"#)
            while try #require(await socket.frame()).opcode == 2 {}
            // From here on nothing but heartbeats.
            #expect(try #require(await socket.frame()).payload == [0])
        }
    }

    @Test func aScriptRuns() async throws {
        let script = try Script(parsing: "0.05 refuse {\"status\":418}\n0.1 drop")
        try await withSimulator(.zerodha, { $0.script = script }) { server in
            // However late the test is, in the end everybody is refused and nobody is left.
            var status = 0
            while status != 418 { status = try await TestSocket(port: server.port).upgrade(Self.target).status }
            while try await TestSocket(port: server.port).request("GET", "/_sim/state").text.contains(#""id":"#) {}
        }
    }

    @Test func framesAreRecorded() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("sim-\(UUID()).jsonl").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withSimulator(.zerodha, { $0.record = path }) { server in
            let socket = try await connected(server)
            _ = try await control(server, "send", #"{"hex":"00ff10"}"#)
            while try #require(await socket.frame()).payload != [0, 255, 16] {}
        }
        let text = try #require(FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) })
        #expect(text.contains(#""conn":1,"opcode":2,"hex":"00ff10"}"#))
    }

    @Test func aPortInUseIsSaid() async throws {
        try await withSimulator(.zerodha) { server in
            var options = SimulatorOptions(venue: .zerodha)
            options.port = server.port
            let taken = options
            let error = await #expect(throws: SimulatorError.self) { try await SimulatorServer.start(taken) }
            #expect(error?.description.contains("choose another port") == true)
        }
    }
}
