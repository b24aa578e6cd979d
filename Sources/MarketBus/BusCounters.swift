import MarketData
import Synchronization

/// What the bus has done and what it had to drop. Any thread.
public final class BusCounters: Sendable, SampleSource {
    let ticks = Atomic<Int>(0)
    let ringDrops = Atomic<Int>(0)
    let ringWaits = Atomic<Int>(0)
    let badTicks = Atomic<Int>(0)
    let strayTicks = Atomic<Int>(0)
    let supersededTicks = Atomic<Int>(0)
    let encoded = Atomic<Int>(0)
    let innerDrops = Atomic<Int>(0)
    let publicMessages = Atomic<Int>(0)
    let publicDrops = Atomic<Int>(0)
    let externalMessages = Atomic<Int>(0)
    let externalBad = Atomic<Int>(0)
    let externalUnknown = Atomic<Int>(0)
    let orders = Atomic<Int>(0)
    let refusedKeys = Atomic<Int>(0)
    let refusedHandshakes = Atomic<Int>(0)

    package func samples() -> [Sample] {
        func read(_ name: String, _ counter: borrowing Atomic<Int>, _ help: String) -> Sample {
            .counter("feedhost_bus_\(name)_total", counter.load(ordering: .relaxed), figure: "bus_\(name)", help)
        }
        return [
            read("ticks", ticks, "Updates taken from adapters."),
            read("ring_drops", ringDrops, "Updates dropped because the publisher was behind."),
            read("ring_waits", ringWaits, "Times that an adapter's thread was held because its ring was full."),
            read("bad_ticks", badTicks, "Updates with impossible numbers, or raw JSON that is none."),
            read("stray_ticks", strayTicks, "Updates for instruments that the session has not subscribed to."),
            read("superseded_ticks", supersededTicks, "Updates from a connection that the instrument has left."),
            read("encoded", encoded, "Messages made."),
            read("inner_drops", innerDrops, "Messages that the proxy could not take."),
            read("public_messages", publicMessages, "Messages handed to the public socket."),
            read("public_drops", publicDrops, "Messages that the public socket refused."),
            read("external_messages", externalMessages, "Ticks from publishers outside."),
            read("external_bad", externalBad, "Messages from outside that were no tick."),
            read("external_unknown_topics", externalUnknown, "Messages from outside with an unknown topic."),
            read("orders", orders, "Order updates handed to clients."),
            read("refused_keys", refusedKeys, "Connections refused because of their key."),
            read("refused_handshakes", refusedHandshakes, "Connections that failed before they showed a good key."),
        ]
    }

    /// The counters as they are now, by the names of the stats file.
    public var snapshot: [(name: String, value: Int)] {
        samples().compactMap { sample in sample.figure.map { ($0, sample.count) } }
    }
}

extension Atomic where Value == Int {
    @inline(__always)
    borrowing func count(_ amount: Int = 1) { wrappingAdd(amount, ordering: .relaxed) }
}
