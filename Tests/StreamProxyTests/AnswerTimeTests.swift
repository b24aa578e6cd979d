import MarketData
import NIOCore
import Testing

@testable import StreamProxy

/// Answers come before clients give up, whoever is slow.
@Suite(.timeLimit(.minutes(1))) struct AnswerTimeTests {
    @Test func aKeyThatCannotBeLookedUpInTime() async throws {
        try await House.with({ $0.authAnswer = .milliseconds(100) }) { house in
            let client = try await house.connect()
            house.directory.gate.close()
            let reply = try await client.reply(to: #"{"action":"authenticate","api_key":"key-alice"}"#)
            #expect(reply["code"] == "SERVER_ERROR")
            #expect(reply["message"] == "Accounts cannot be looked up at the moment, try again")
            house.directory.gate.open()
            // It was nobody's fault, and the next attempt is good.
            let again = try await client.reply(to: #"{"action":"authenticate","api_key":"key-alice"}"#)
            #expect(again["status"] == "success")
        }
    }

    /// Requests that wait for one another do not add up their times.
    @Test func timeCountsFromTheArrival() {
        var queue = RequestQueue()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        queue.append(ByteBuffer(), now: start)
        queue.append(ByteBuffer(), now: start + .seconds(1))
        _ = queue.next()
        #expect(queue.timeLeft(of: .seconds(7), now: start) == .seconds(7))
        _ = queue.next()
        #expect(queue.timeLeft(of: .seconds(7), now: start + .seconds(6)) == .seconds(2))
        #expect(queue.timeLeft(of: .seconds(7), now: start + .seconds(60)) == .milliseconds(20))
    }

    /// The broker is not asked in vain: what it is given as time is what the client has left.
    @Test func theSessionIsToldHowLongItMayTake() async throws {
        try await House.with({ $0.answer = .seconds(3) }) { house in
            let client = try await house.client()
            _ = try await client.reply(to: #"{"action":"subscribe","symbol":"A","exchange":"NSE"}"#)
            let time = try #require(house.directory.session(of: "alice")?.times.last)
            #expect(time <= .seconds(3) && time > .zero)
        }
    }
}
