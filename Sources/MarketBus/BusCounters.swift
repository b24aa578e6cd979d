import Synchronization

/// What the bus has done and what it had to drop. Any thread.
public final class BusCounters: Sendable {
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

    /// The counters as they are now, by the names that metrics use.
    public var snapshot: [(name: String, value: Int)] {
        func read(_ counter: borrowing Atomic<Int>) -> Int { counter.load(ordering: .relaxed) }
        return [
            ("bus_ticks", read(ticks)), ("bus_ring_drops", read(ringDrops)),
            ("bus_ring_waits", read(ringWaits)), ("bus_bad_ticks", read(badTicks)),
            ("bus_stray_ticks", read(strayTicks)), ("bus_superseded_ticks", read(supersededTicks)),
            ("bus_encoded", read(encoded)),
            ("bus_inner_drops", read(innerDrops)), ("bus_public_messages", read(publicMessages)),
            ("bus_public_drops", read(publicDrops)), ("bus_external_messages", read(externalMessages)),
            ("bus_external_bad", read(externalBad)), ("bus_external_unknown_topics", read(externalUnknown)),
            ("bus_orders", read(orders)), ("bus_refused_keys", read(refusedKeys)),
            ("bus_refused_handshakes", read(refusedHandshakes)),
        ]
    }
}

extension Atomic where Value == Int {
    @inline(__always)
    borrowing func count(_ amount: Int = 1) { wrappingAdd(amount, ordering: .relaxed) }
}
