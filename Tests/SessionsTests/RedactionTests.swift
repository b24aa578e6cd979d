import CFeedhostABI
import Logging
import MarketBus
import MarketData
import Synchronization
import TestSupport
import Testing

@testable import Adapters
@testable import Secrets
@testable import Sessions

/// An adapter that repeats its credentials: neither the log nor clients get to see them.
@Suite struct RedactionTests {
    private final class Lines: LogHandler, Sendable {
        let lines = Mutex<[String]>([])
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }
        func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }
    }

    private final class Reports: Sendable {
        let messages = Mutex<[String]>([])
        func take(_ report: InstanceReport) {
            messages.withLock {
                switch report {
                case .connection(let event): $0.append(event.sentence)
                case .subscriptions(_, let results): $0 += results.map(\.message)
                case .order(let order): $0.append(order.update.reason)
                case .made, .ended, .answer: break
                }
            }
        }
    }

    @Test func whatAnAdapterRepeatsIsTakenOut() async throws {
        let fixture = try SessionFixture()
        let id = fixture.bus.openSession(user: "anna", broker: "scripted")
        let (lines, reports, concealment) = (Lines(), Reports(), Concealment())
        let context = HostContext(
            feed: fixture.bus.makeFeed(session: id), settings: [:], concealment: concealment,
            logger: Logger(label: "test") { _ in lines }, counters: AdapterCounters(), report: { reports.take($0) })
        concealment.add([Secret("key-1234:tok/en-5678")])
        // Credentials that change: the adapter goes on about those of before.
        concealment.add([Secret("another")])
        let host = HostTable.host.pointee
        let said = StableText("GET wss://broker/?api_key=key-1234&access_token=tok%2Fen-5678")
        for level in [FH_LOG_TRACE, FH_LOG_DEBUG, FH_LOG_INFO, FH_LOG_WARNING, FH_LOG_ERROR] {
            host.log(context.pointer, Int32(level), said.str)
        }
        var event = fh_conn_event()
        event.size = UInt32(MemoryLayout<fh_conn_event>.size)
        event.message = said.str
        host.report_connection(context.pointer, &event)
        var result = fh_sub_result()
        result.message = said.str
        host.report_subscriptions(context.pointer, 1, &result, 1)
        context.transportTrouble("the token tok/en-5678 is refused")
        var order = fh_order()
        order.size = UInt32(MemoryLayout<fh_order>.size)
        let (number, status) = (StableText("1"), StableText("rejected"))
        (order.order_id, order.status, order.reason) = (number.str, status.str, said.str)
        #expect(HostTable.orderSink.pointee.publish(context.pointer, &order) == FH_OK)
        // Half a secret is one, too.
        let long = StableText(String(repeating: "x", count: 1_020) + "tok/en-5678")
        host.log(context.pointer, Int32(FH_LOG_INFO), long.str)
        withExtendedLifetime((said, number, status, long)) {}
        let texts = lines.lines.withLock { $0 } + reports.messages.withLock { $0 }
        #expect(texts.count == 10)
        for text in texts {
            #expect(text.contains(Redaction.replacement))
            #expect(!text.contains("1234") && !text.contains("5678") && !text.contains("tok/"), "\(text)")
        }
        withExtendedLifetime(context) {}
        await fixture.stop()
    }

    private static let secretSetting = AdapterKey(
        name: "pin", kind: .secret, defaultValue: nil, help: "", required: false)
    private static let openSetting = AdapterKey(
        name: "endpoint", kind: .url, defaultValue: "wss://a.example", help: "", required: false)

    @Test func anAdapterIsLentItsSettingsAndTheirDefaults() {
        var declared = Declared()
        declared.settings = [Self.secretSetting, Self.openSetting]
        let description = declared.adapter(id: "a", broker: "a").description
        #expect(description.settings(given: [:]).mapValues(\.revealed) == ["endpoint": "wss://a.example"])
        let settings = description.settings(given: ["pin": Secret("pin-123456"), "endpoint": Secret("wss://b.example")])
        #expect(settings.mapValues(\.revealed) == ["pin": "pin-123456", "endpoint": "wss://b.example"])
        let concealment = Concealment()
        concealment.add(settings: settings, of: description)
        concealment.add(credentials: ["user_id": Secret("AB1234"), "api_key": Secret("key-7890")])
        let clean = concealment.redaction.clean("AB1234 at wss://b.example with pin-123456 and key-7890")
        #expect(clean == "AB1234 at wss://b.example with ‹secret› and ‹secret›")
    }

    /// From the session's point of view: the link is another one, the secrets are the same.
    @Test func formerCredentialsAreTakenOutOfTheLog() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            for version in 1...3 {
                fixture.vault.set(version: UInt64(version), ["access_token": "token-of-day-\(version)"])
                if version == 1 { try await session.ready() } else { await session.credentialsChanged() }
                try await fixture.broker.calls.waitFor("connect", count: version) { $0.isConnect }
            }
            for version in 1...3 { fixture.broker.instance?.log("token-of-day-\(version)") }
            #expect(fixture.lines.entries.count { $0 == "warning ‹secret›" } == 3)
            #expect(!fixture.lines.entries.contains { $0.contains("token-of-day") })
        }
    }

    @Test func whatIsRememberedIsBounded() {
        let concealment = Concealment()
        for number in 1_000..<1_400 { concealment.add([Secret("value-\(number)")]) }
        let clean = concealment.redaction.clean("value-1000 value-1143 value-1208 value-1399")
        #expect(clean == "value-1000 value-1143 ‹secret› ‹secret›")
        // Whatever comes again is new again.
        concealment.add([Secret("value-1208")])
        for number in 2_000..<2_190 { concealment.add([Secret("value-\(number)")]) }
        #expect(concealment.redaction.clean("value-1208 value-1300") == "‹secret› value-1300")
    }

    /// An adapter keeps in its memory what another of its instances was lent.
    @Test func theWholeAdapterIsCovered() {
        let shared = Concealment.ofAdapter()
        let (anna, bert) = (Concealment(shared: shared), Concealment(shared: shared))
        #expect(bert.redaction.clean("token-of-anna") == "token-of-anna")
        anna.add([Secret("token-of-anna"), Secret("123456")])
        #expect(anna.redaction.clean("token-of-anna 123456") == "‹secret› ‹secret›")
        // A short one could be guessed by whoever sees what is taken out.
        #expect(bert.redaction.clean("token-of-anna 123456") == "‹secret› 123456")
    }

    @Test func aKeyIsHiddenDuringItsCall() {
        let concealment = Concealment()
        concealment.add([Secret("setting-1")])
        concealment.holding(key: Secret("slow-key")) {
            for number in 1_000..<1_200 { concealment.holding(key: Secret("key-\(number)")) {} }
            #expect(
                concealment.redaction.clean("slow-key key-1000 key-1199 setting-1")
                    == "‹secret› key-1000 ‹secret› ‹secret›")
        }
        #expect(concealment.redaction.clean("slow-key") == "‹secret›")
    }
}
