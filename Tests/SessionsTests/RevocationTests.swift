import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Sessions that stop because there is nothing to log in with, and what their clients are told.
@Suite struct RevocationTests {
    private static let revoked = FeedError(.broker, "the login of anna was revoked")

    @Test func revokedStopsAtOnceAndComesBackByItself() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "a"])
            try await session.ready()
            try await session.subscribe("INFY", .quote)
            #expect(fixture.events.entries.isEmpty)

            fixture.vault.refuse(Self.revoked)
            await session.credentialsChanged()
            try await fixture.events.waitFor("the notice") { $0.code == .loggedOut }
            #expect(await session.status() == "disconnected")
            #expect(fixture.broker.calls.count(\.isConnect) == 1, "the broker is not asked")
            #expect(fixture.broker.calls.entries.last == .disconnect(instance: 1, generation: 1))
            let notice = try #require(fixture.events.entries.first)
            #expect(notice.session == session.id && notice.broker == "scripted")
            #expect(notice.message.hasPrefix("scripted sends nothing now; your subscriptions are kept."))
            #expect(notice.message.contains("the login of anna was revoked"))
            #expect(notice.message.contains("feedhost credentials set anna --broker scripted"))
            #expect(refusal(await session.grants([Wish("TCS")])[0])?.code == .broker)
            // Another look that finds the same says nothing again.
            await session.credentialsChanged()
            try await eventually("the second look") { await session.status() == "disconnected" }

            // Also the very same token counts when it is good again.
            fixture.vault.refuse(nil)
            await session.credentialsChanged()
            try await fixture.events.waitFor("the end of it") { $0.code == .connected }
            try await fixture.broker.calls.waitFor("replay", count: 2) { $0.isSubscribe }
            #expect(fixture.sent.last == ["NSE:INFY/Quote/0"])
            #expect(fixture.events.entries.map(\.code) == [.loggedOut, .connected])
        }
    }

    @Test func anUnreadableStoreIsNoRevocation() async throws {
        try await SessionFixture.run(connected: false, patience: .seconds(60)) { fixture, session in
            fixture.vault.refuse(FeedError(.server, "the store is busy"))
            async let ready: Void = session.ready()
            try await fixture.lines.waitFor("attempts", count: 3) { $0.contains("the credentials cannot be read") }
            fixture.vault.refuse(nil)
            try await ready
            #expect(fixture.events.entries.isEmpty)
        }
    }

    /// Nor is it one for a session that runs; what has changed is found out when the store can be read.
    @Test func anUnreadableStoreEndsNothing() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "a"])
            try await session.ready()
            try await session.subscribe("INFY")
            for code in [FeedError.Code.server, .subscription] {
                fixture.vault.refuse(FeedError(code, "the store is busy"))
                for _ in 0..<3 { await session.credentialsChanged() }
                #expect(await session.status() == "connected")
            }
            #expect(fixture.broker.calls.count(\.isConnect) == 1 && fixture.events.entries.isEmpty)
            let said = fixture.lines.entries.filter { $0.contains("cannot be read") }
            #expect(said.count == 1, "\(said)")
            fixture.vault.set(version: 2, ["access_token": "b"])
            fixture.vault.refuse(nil)
            try await fixture.called("replay", count: 2, session) { $0.isSubscribe }
            #expect(
                fixture.broker.calls.entries.filter(\.isConnect).last
                    == .connect(instance: 1, generation: 2, version: 2, ["access_token": "b"]))
        }
    }

    @Test func severalConnectionsAreOneNotice() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 1, maxLinks: 2)]
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A")
            try await session.subscribe("B")
            try await fixture.called("both serve", count: 2, session) { $0.isSubscribe }
            fixture.vault.refuse(Self.revoked)
            await session.credentialsChanged()
            try await fixture.lines.waitFor("both to stop", count: 2) { $0.hasPrefix("error ") }
            fixture.vault.refuse(nil)
            await session.credentialsChanged()
            try await fixture.called("replay", count: 4, session) { $0.isSubscribe }
            #expect(fixture.events.entries.map(\.code) == [.loggedOut, .connected])
        }
    }

    @Test func refusedCredentialsAreToldToo() async throws {
        try await SessionFixture.run(connected: false, patience: .seconds(60)) { fixture, session in
            fixture.broker.change {
                $0.connect = { instance, generation in
                    instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_AUTH_EXPIRED)
                    return Int(FH_OK)
                }
            }
            await #expect(throws: FeedError.self) { try await session.ready() }
            try await fixture.events.waitFor("the notice") { $0.code == .loggedOut }
        }
    }

    @Test func anotherEndIsNoLogout() async throws {
        try await SessionFixture.run { fixture, _ in
            fixture.broker.instance?.report(FH_CONN_FAILED, 1, reason: FH_WHY_MAINTENANCE)
            try await fixture.events.waitFor("the notice") { $0.code == .stopped }
        }
    }

    @Test func theAdviceFitsTheAccounts() async throws {
        var declared = Declared()
        declared.keys = [AdapterKey(name: "token", kind: .secret, defaultValue: nil, help: "", required: true)]
        let fixture = try SessionFixture(declared, patience: .seconds(60))
        let missing = await #expect(throws: FeedError.self) { try await fixture.session(advice: .openAlgo).ready() }
        #expect(missing?.message == "scripted needs token for user anna; log in to the broker in OpenAlgo")
        fixture.vault.refuse(Self.revoked)
        let revoked = await #expect(throws: FeedError.self) { try await fixture.session(advice: .openAlgo).ready() }
        #expect(
            revoked?.message
                == "scripted: the login of anna was revoked. Log in to the broker again in OpenAlgo")
        await fixture.stop()
    }

    @Test func theAdviceForUsersWhomTheStoreDoesNotHave() {
        let (guests, plugin) = (CredentialAdvice.commandForGuests, CredentialAdvice.plugin("in.example.auth"))
        #expect(
            guests.supply(["pin", "token"], user: "anna", broker: "b").hasPrefix(
                "set them with: feedhost credentials set anna --broker b pin=… token=… (a user whom the store does not have is added with: feedhost users add anna"
            ))
        #expect(
            guests.renewal(user: "anna", broker: "b") == CredentialAdvice.command.renewal(user: "anna", broker: "b"))
        #expect(!plugin.supply(["pin"], user: "anna", broker: "b").contains("feedhost"))
        #expect(plugin.renewal(user: "anna", broker: "b").contains("in.example.auth"))
    }
}
