import CFeedhostABI
import Logging
import MarketBus
import MarketData
import Synchronization
import Testing

@testable import PluginHost

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
        func take(_ report: HostContext.Report) {
            messages.withLock {
                switch report {
                case .connection(let event): $0.append(event.sentence)
                case .subscriptions(_, let results): $0 += results.map(\.message)
                case .order: break
                }
            }
        }
    }

    @Test func whatAnAdapterRepeatsIsTakenOut() async throws {
        let fixture = try SessionFixture()
        let id = fixture.bus.openSession(user: "anna", broker: "scripted")
        let (lines, reports) = (Lines(), Reports())
        let context = HostContext(
            feed: fixture.bus.makeFeed(session: id), settings: [:], logger: Logger(label: "test") { _ in lines },
            counters: AdapterCounters(), report: { reports.take($0) })
        context.conceal([Secret("key-1234:tok/en-5678")])
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
        withExtendedLifetime(said) {}
        let texts = lines.lines.withLock { $0 } + reports.messages.withLock { $0 }
        #expect(texts.count == 8)
        for text in texts {
            #expect(text.contains(Redaction.replacement))
            #expect(!text.contains("1234") && !text.contains("5678"), "\(text)")
        }
        withExtendedLifetime(context) {}
        await fixture.stop()
    }
}
