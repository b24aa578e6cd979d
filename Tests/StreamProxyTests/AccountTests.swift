import MarketData
import Testing

@testable import StreamProxy

@Suite(.timeLimit(.minutes(1))) struct AccountTests {
    private let subscribe = #"{"action":"subscribe","symbol":"SBIN","exchange":"NSE","mode":1}"#

    @Test func theSameUserAgainKeepsItsSubscriptions() async throws {
        try await House.with { house in
            let client = try await house.client()
            _ = try await client.reply(to: subscribe)
            let again = try await client.reply(to: #"{"action":"authenticate","api_key":"key-alice-2"}"#)
            #expect(again["status"] == "success")
            // A wrong key changes nothing either.
            let wrong = try await client.reply(to: #"{"action":"authenticate","api_key":"no"}"#)
            #expect(wrong["code"] == "AUTHENTICATION_ERROR")
            house.bus.publish(try house.route("SBIN"), #"{"ltp":1}"#)
            #expect(try await client.json()["data"]?["ltp"] == .int(1))
            #expect(house.directory.attachments == 1)
            #expect(house.proxy.counters.snapshot().authFailures == 1)
        }
    }

    @Test func anotherUserStartsAnew() async throws {
        try await House.with { house in
            let client = try await house.client()
            _ = try await client.reply(to: subscribe)
            _ = try await client.reply(to: #"{"action":"subscribe_orders"}"#)
            let other = try await client.reply(to: #"{"action":"authenticate","api_key":"key-bob"}"#)
            #expect(other["user_id"] == "bob_k" && other["broker"] == "angel")
            #expect(try #require(house.directory.session(of: "alice")).references.isEmpty)
            #expect(house.bus.interest.isEmpty && house.directory.attachments == 1)
            house.bus.publishOrder(user: "alice", "{}")
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
        }
    }

    @Test func aUserWithoutAdapterIsNoStranger() async throws {
        try await House.with { house in
            let client = try await house.connect()
            let reply = try await client.reply(to: #"{"action":"authenticate","api_key":"key-ghost"}"#)
            #expect(reply["code"] == "BROKER_ERROR")
            #expect(try await client.reply(to: subscribe)["message"] == "Broker adapter not found")
            let info = try await client.reply(to: #"{"action":"get_broker_info"}"#)
            #expect(info["adapter_status"] == "disconnected" && info["user_id"] == "ghost")
            #expect(house.proxy.counters.snapshot().authenticated == 1)
        }
    }

    @Test func aRefusingBrokerIsAnErrorAndLeavesNothingBehind() async throws {
        try await House.with { house in
            house.directory.session(user: "alice", broker: "zerodha").refuse(
                FeedError(.brokerConnection, "token expired"))
            let client = try await house.connect()
            let reply = try await client.reply(to: #"{"action":"authenticate","api_key":"key-alice"}"#)
            #expect(reply["code"] == "BROKER_CONNECTION_ERROR" && reply["message"] == "token expired")
            #expect(house.directory.attachments == 0)
            #expect(try await client.reply(to: subscribe)["code"] == "BROKER_ERROR")
        }
    }

    @Test func revokedKeysAndChangedUsersAreSentAway() async throws {
        try await House.with { house in
            let alice = try await house.client()
            let other = try await house.client(key: "key-alice-2")
            let bob = try await house.client(key: "key-bob")
            house.proxy.apply(AccountChange(.keyRevoked(keyID: 1)))
            let revoked = try await alice.closeFrame()
            #expect(revoked.code == 4503 && revoked.reason == "API key revoked")
            house.proxy.apply(AccountChange(.credentialsChanged(user: "bob_k", broker: "angel")))
            #expect(try await other.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            house.proxy.apply(AccountChange(.userChanged(user: "bob_k")))
            #expect(try await bob.closeFrame().code == 4001)
        }
    }

    /// The check has found the key good, and before the answer is there it is revoked.
    @Test func aKeyThatIsRevokedWhileItIsChecked() async throws {
        try await House.with { house in
            let (client, other) = (try await house.connect(), try await house.connect())
            house.directory.lateGate.close()
            try await client.send(#"{"action":"authenticate","api_key":"key-alice"}"#)
            await house.directory.lateGate.arrival()
            house.directory.forget("key-alice")
            house.proxy.apply(AccountChange(.keyRevoked(keyID: 1)))
            _ = try await other.reply(to: #"{"action":"ping"}"#)
            house.directory.lateGate.open()
            #expect(try await client.json()["message"] == "Invalid API key")
            #expect(try await client.reply(to: subscribe)["code"] == "NOT_AUTHENTICATED")
        }
    }

    /// As the `jti` of a token that is taken off the list of revoked ones.
    @Test func aRevokedKeyThatCountsAgain() async throws {
        try await House.with { house in
            let before = try await house.client()
            house.proxy.apply(AccountChange(.keyRevoked(keyID: 1)))
            #expect(try await before.closeFrame().code == 4503)
            let after = try await house.client()
            #expect(try await after.reply(to: subscribe)["status"] == "success")
        }
    }
}
