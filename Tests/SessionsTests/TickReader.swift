import MarketBus
import MarketData
import TestSupport

@testable import Sessions

/// A shard's end of the bus that collects what comes.
///
/// The port is used inside the actor only; its bell calls from a thread of the bus's own and just starts a task.
actor TickReader {
    struct Tick: Sendable, Equatable {
        let key: RouteKey
        let json: String
    }

    struct Order: Sendable, Equatable {
        let user: String
        let json: String
    }

    let ticks = Journal<Tick>()
    let orders = Journal<Order>()
    private let port: any BusReader
    private var isOpen = true

    init(_ bus: SharedPublisher, shard: UInt8 = 0) throws { port = bus.makeReader(shard) }

    func start(_ keys: [RouteKey]) throws {
        for key in keys { port.subscribe(key) }
        port.wake { [weak self] in Task { [weak self] in await self?.drain() } }
    }

    private func drain() {
        guard isOpen else { return }
        _ = port.drain(limit: 10_000) { event in
            switch event {
            case .data(let key, _, let payload):
                ticks.add(Tick(key: key, json: String(decoding: payload, as: UTF8.self)))
            case .order(let header, let payload):
                orders.add(Order(user: header.user, json: String(decoding: payload, as: UTF8.self)))
            }
        }
        port.rearm()
    }

    func close() {
        isOpen = false
        port.close()
    }
}
