import Logging
import MarketData
import Testing

@testable import Operations

/// What rooms say, as the stats file and the log have always had it.
@Suite struct FiguresTests {
    private struct Room: SampleSource {
        let said: [Sample]
        func samples() async -> [Sample] { said }
    }

    @Test func samplesBecomeFigures() async {
        let reporter = Reporter(
            .init(path: "/no/such/folder/stats.json", isExplicit: false),
            sources: [
                Room(said: [
                    .gauge("feedhost_proxy_clients", 3, figure: "proxy_clients", "Connections."),
                    .gauge("feedhost_proxy_streams", 5, "Streams."),
                    .counter(
                        "feedhost_proxy_protocol_errors_total", labels: [.reason: "opcode"], 2,
                        figure: "proxy_protocol_error_opcode", "Errors."),
                    .counter("feedhost_proxy_protocol_errors_total", labels: [.reason: "text"], 0, "Errors."),
                ]),
                Room(said: [
                    .gauge("feedhost_sessions", 2, "Sessions."),
                    .counter(
                        "feedhost_adapter_gaps_total", labels: [.broker: "zerodha"], 1, figure: "adapter_gaps_zerodha",
                        "Gaps."),
                    .counter(
                        "feedhost_adapter_gaps_total", labels: [.broker: "angel"], 0, figure: "adapter_gaps_angel",
                        "Gaps."),
                ]),
            ], stuckAdapters: { [:] }, logger: .init(label: "test"))
        var figures = Figures()
        (figures.clients, figures.sessions, figures.streams) = (3, 2, 5)
        figures.brokers = ["angel", "zerodha"]
        figures.counters = [
            "proxy_clients": 3, "proxy_protocol_error_opcode": 2, "adapter_gaps_zerodha": 1, "adapter_gaps_angel": 0,
        ]
        #expect(await reporter.figures() == figures)
    }

    @Test func aLossIsSaidWhenItGrows() {
        var watch = LossWatch()
        var figures = Figures()
        func look(_ drops: Int) -> [String] {
            figures.counters = ["bus_ring_drops": drops, "bus_ticks": 100 + drops]
            return watch.look(figures)
        }
        #expect(look(0) == [])
        #expect(look(4) == ["bus_ring_drops: 4 more, 4 since the start"])
        #expect(look(4) == [])
        #expect(look(9) == ["bus_ring_drops: 5 more, 9 since the start"])
    }

    @Test func anAdapterThatHangsIsNamedOnceEachTime() {
        var watch = AdapterWatch()
        let line =
            "the adapter for angel has not come back from a call for 1200 ms; its sessions stand still, others do not"
        #expect(watch.look([:]) == [])
        #expect(watch.look(["angel": 1200]) == [line])
        #expect(watch.look(["angel": 2200]) == [])
        #expect(watch.look([:]) == [])
        #expect(watch.look(["angel": 1200]) == [line])
    }
}
