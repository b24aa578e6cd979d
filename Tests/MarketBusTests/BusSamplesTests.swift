import MarketData
import Testing

@testable import MarketBus

@Suite struct BusSamplesTests {
    @Test func namesOfMetricsAndOfTheStatsFile() {
        let counters = BusCounters()
        counters.ringDrops.count(3)
        let samples = counters.samples()
        #expect(
            samples.map(\.figure) == [
                "bus_ticks", "bus_ring_drops", "bus_ring_waits", "bus_bad_ticks", "bus_stray_ticks",
                "bus_superseded_ticks", "bus_encoded", "bus_inner_drops", "bus_public_messages", "bus_public_drops",
                "bus_external_messages", "bus_external_bad", "bus_external_unknown_topics", "bus_orders",
                "bus_refused_keys", "bus_refused_handshakes",
            ])
        #expect(samples.allSatisfy { $0.kind == .counter && $0.labels.isEmpty && $0.name.hasSuffix("_total") })
        #expect(samples.first { $0.name == "feedhost_bus_ring_drops_total" }?.count == 3)
        #expect(counters.snapshot.first { $0.name == "bus_ring_drops" }?.value == 3)
    }
}
