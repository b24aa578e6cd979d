import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Secrets
@testable import Sessions

/// Credentials that are missing, refused, or changed.
@Suite struct CredentialTests {
    private static func required(_ name: String, _ required: Bool = true) -> AdapterKey {
        AdapterKey(name: name, kind: .secret, defaultValue: nil, help: "", required: required)
    }

    @Test func aVenueWithoutAccountsIsTriedAgainWhateverItRefuses() async throws {
        var declared = Declared()
        declared.keys = []
        try await SessionFixture.run(declared, connected: false, patience: .seconds(60)) { fixture, session in
            fixture.broker.change {
                $0.connect = { instance, generation in
                    if generation < 5 {
                        instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_AUTH_REJECTED, message: "403")
                    } else {
                        instance.report(FH_CONN_READY, generation)
                    }
                    return Int(FH_OK)
                }
            }
            try await session.ready()
            #expect(fixture.broker.calls.count(\.isConnect) == 5)
        }
    }

    private static func refusing(_ reason: Int) -> ScriptedBroker.OnConnect {
        { instance, generation in
            instance.report(FH_CONN_DISCONNECTED, generation, reason: reason, message: "token is stale")
            return Int(FH_OK)
        }
    }

    @Test func refusedOnceTriedOnceMoreThenStoppedUntilTheyChange() async throws {
        try await SessionFixture.run(connected: false, patience: .seconds(60)) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "old"])
            fixture.broker.change { $0.connect = Self.refusing(FH_WHY_AUTH_EXPIRED) }
            let error = await #expect(throws: FeedError.self) { try await session.ready() }
            #expect(error?.code == .brokerConnection)
            #expect(error?.message.contains("the access token has expired: token is stale") == true)
            #expect(error?.message.contains("feedhost credentials set anna --broker scripted") == true)
            #expect(fixture.broker.calls.count(\.isConnect) == 2)
            #expect(await session.status() == "disconnected")
            // Whoever comes now is told at once, and the broker is left alone.
            #expect(refusal(await session.grants([Wish("INFY")])[0])?.code == .brokerConnection)
            await #expect(throws: FeedError.self) { try await session.ready() }
            await session.credentialsChanged()
            #expect(fixture.broker.calls.count(\.isConnect) == 2, "they are the same as before")

            fixture.broker.change { $0.connect = ScriptedBroker.Script.accepting }
            fixture.vault.set(version: 2, ["access_token": "new"])
            await session.credentialsChanged()
            try await session.ready()
            #expect(fixture.broker.calls.count(\.isConnect) == 3)
            try await session.subscribe("INFY")
        }
    }

    @Test func statusOfConnectCountsAsRefusal() async throws {
        try await SessionFixture.run(connected: false, patience: .seconds(60)) { fixture, session in
            fixture.broker.change { $0.connect = { _, _ in Int(FH_E_AUTH) } }
            await #expect(throws: FeedError.self) { try await session.ready() }
            #expect(fixture.broker.calls.count(\.isConnect) == 2)
        }
    }

    @Test func whoIsLetInAndThenRefusedIsNotTriedForEver() async throws {
        try await SessionFixture.run(connected: false, patience: .seconds(60)) { fixture, session in
            fixture.broker.change {
                $0.connect = { instance, generation in
                    instance.report(FH_CONN_READY, generation)
                    instance.report(FH_CONN_FAILED, generation, reason: FH_WHY_AUTH_EXPIRED)
                    return Int(FH_OK)
                }
            }
            try? await session.ready()
            try await fixture.lines.waitFor("the end of it") { $0.hasPrefix("error scripted: the access token has") }
            #expect(await session.status() == "disconnected")
            #expect(fixture.broker.calls.count(\.isConnect) == 2)
        }
    }

    @Test func theRetryReadsTheCredentialsAgain() async throws {
        try await SessionFixture.run(connected: false, patience: .seconds(60)) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "old"])
            fixture.broker.change {
                $0.connects = [
                    { instance, generation in
                        fixture.vault.set(version: 2, ["access_token": "new"])
                        instance.report(FH_CONN_FAILED, generation, reason: FH_WHY_AUTH_REJECTED)
                        return Int(FH_OK)
                    }
                ]
            }
            try await session.ready()
            #expect(
                fixture.broker.calls.entries.filter(\.isConnect) == [
                    .connect(instance: 1, generation: 1, version: 1, ["access_token": "old"]),
                    .connect(instance: 1, generation: 2, version: 2, ["access_token": "new"]),
                ])
        }
    }

    @Test func everyConnectionReadsThemForItself() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 1, maxLinks: 2)]
        try await SessionFixture.run(declared, connected: false, patience: .seconds(60)) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "old"])
            try await session.ready()
            try await session.subscribe("A")
            try await session.subscribe("B")
            try await fixture.called("both serve", count: 2, session) { $0.isSubscribe }
            // With a token that has died each of them is refused twice at most; the other one's second refusal is enough.
            fixture.broker.change { $0.connect = Self.refusing(FH_WHY_AUTH_REJECTED) }
            for number in 1...2 { fixture.broker[number]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK) }
            try await fixture.lines.waitFor("both to give up", count: 2) { $0.hasPrefix("error ") }
            #expect((5...6).contains(fixture.broker.calls.count(\.isConnect)))
            fixture.broker.change { $0.connect = ScriptedBroker.Script.accepting }
            fixture.vault.set(version: 2, ["access_token": "new"])
            await session.credentialsChanged()
            try await fixture.called("replay", count: 4, session) { $0.isSubscribe }
            #expect((1...2).map { fixture.broker[$0]?.served.values.map(\.name) } == [["NSE:A"], ["NSE:B"]])
            #expect(
                fixture.broker.calls.entries.filter(\.isConnect).suffix(2).allSatisfy {
                    if case .connect(_, _, 2, ["access_token": "new"]) = $0 { true } else { false }
                })
        }
    }

    @Test func aNewConnectionDoesNotTryWhatAnotherOneWasRefused() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 1, maxLinks: 2)]
        try await SessionFixture.run(declared, connected: false, patience: .seconds(60)) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "old"])
            fixture.broker.change { $0.connect = Self.refusing(FH_WHY_AUTH_REJECTED) }
            let results = await session.grants([Wish("A"), Wish("B")])
            #expect(results.allSatisfy { (try? $0.get().pending) == true || refusal($0)?.code == .brokerConnection })
            try await fixture.lines.waitFor("both to give up", count: 2) { $0.hasPrefix("error ") }
            let attempts = fixture.broker.calls.count(\.isConnect)
            #expect((2...4).contains(attempts))
            // Both are gone, so the next wish opens a connection of its own, and nobody asks the broker.
            await session.unsubscribe(results.compactMap { try? $0.get().route })
            try await eventually("one connection is left") { await session.linkCount == 1 }
            _ = await session.grants([Wish("A"), Wish("B")])
            try await fixture.lines.waitFor("the third to give up", count: 3) { $0.hasPrefix("error ") }
            #expect(fixture.broker.calls.count(\.isConnect) == attempts)
            fixture.broker.change { $0.connect = ScriptedBroker.Script.accepting }
            fixture.vault.set(version: 2, ["access_token": "new"])
            await session.credentialsChanged()
            try await session.subscribe("A")
            try await eventually("the third one serves") {
                fixture.broker[3]?.served.values.map(\.name) == ["NSE:B"]
            }
        }
    }

    @Test func failedIsFinal() async throws {
        try await SessionFixture.run { fixture, session in
            try await session.subscribe("INFY")
            fixture.broker.change { $0.subscribes = [{ _, _, _ in Int(FH_OK) }] }
            async let inFlight = session.grants([Wish("TCS")])
            try await fixture.broker.calls.waitFor("subscribe", count: 2) { $0.isSubscribe }
            try await eventually("waiters") { await session.waiterCount >= 1 }
            fixture.broker.instance?.report(
                FH_CONN_FAILED, 1, reason: FH_WHY_MAINTENANCE, message: "until further notice")
            #expect(refusal(await inFlight[0])?.message.contains("until further notice") == true)
            #expect(await session.status() == "disconnected")
            #expect(fixture.broker.calls.count(\.isConnect) == 1)
            // Those who were there before are served again with new credentials.
            fixture.vault.set(version: 9, ["access_token": "x"])
            await session.credentialsChanged()
            try await fixture.broker.calls.waitFor("replay", count: 3) { $0.isSubscribe }
            #expect(fixture.sent.last == ["NSE:INFY/LTP/0"])
        }
    }

    @Test func aMissingCredentialIsNamedWithTheCommand() async throws {
        var declared = Declared()
        declared.keys = [Self.required("api_key"), Self.required("pin"), Self.required("hint", false)]
        try await SessionFixture.run(declared, connected: false, patience: .seconds(60)) { fixture, session in
            fixture.vault.set(version: 1, ["api_key": "k", "pin": ""])
            let error = await #expect(throws: FeedError.self) { try await session.ready() }
            #expect(error?.code == .broker)
            #expect(
                error?.message
                    == "scripted needs pin for user anna; set them with: feedhost credentials set anna --broker scripted pin=…"
            )
            #expect(fixture.broker.calls.count(\.isConnect) == 0)
            fixture.vault.set(version: 2, ["api_key": "k", "pin": "1234"])
            await session.credentialsChanged()
            try await session.ready()
            #expect(
                fixture.broker.calls.entries.last(where: \.isConnect)
                    == .connect(instance: 1, generation: 2, version: 2, ["api_key": "k", "pin": "1234"]))
        }
    }

    @Test func newCredentialsRestoreTheSubscriptionsAndTheSameLeaveThem() async throws {
        try await SessionFixture.run(connected: false, patience: .seconds(60)) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "a"])
            try await session.ready()
            let route = try await session.subscribe("INFY", .quote).route
            await session.credentialsChanged()
            await session.settleDown()
            #expect(fixture.broker.calls.count(\.isConnect) == 1, "a second login tears nothing down")
            fixture.vault.set(version: 2, ["access_token": "b"])
            await session.credentialsChanged()
            try await fixture.broker.calls.waitFor("replay", count: 2) { $0.isSubscribe }
            #expect(fixture.sent.last == ["NSE:INFY/Quote/0"])
            let calls = fixture.broker.calls.entries
            let disconnect = calls.firstIndex(of: .disconnect(instance: 1, generation: 1))
            let connect = calls.lastIndex(where: \.isConnect)
            #expect(try #require(disconnect) < #require(connect))
            await session.unsubscribe([route])
            #expect(fixture.broker.instance?.served.isEmpty == true)
        }
    }

    @Test func lentTextIsWiped() {
        let text = StableText("secret")
        let bytes = text.str.bytes
        #expect(text.str.text == "secret")
        text.wipe()
        #expect(bytes.allSatisfy { $0 == 0 })
        withExtendedLifetime(text) {}
    }

    @Test func lentCredentials() {
        let credentials = BrokerCredentials(
            version: 7, values: ["access_token": Secret("t"), "pin": Secret("1"), "empty": Secret("")])
        LentCredentials.withPointer(credentials) { pointer in
            let lent = pointer.pointee
            #expect(lent.version == 7 && lent.access_token.text == "t" && lent.user_id.len == 0)
            let fields = UnsafeBufferPointer(start: lent.fields, count: Int(lent.field_count))
            #expect(
                Dictionary(uniqueKeysWithValues: fields.map { ($0.name.text, $0.value.text) })
                    == ["pin": "1", "empty": ""])
        }
    }
}
