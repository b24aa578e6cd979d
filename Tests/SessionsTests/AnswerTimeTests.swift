import CFeedhostABI
import Glibc
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// How long clients wait for an answer, for every call and every way in which a broker can be slow. OpenAlgo's own client gives
/// up after 10 s, and others after 5 s when they show their key.
@Suite(.timeLimit(.minutes(1))) struct AnswerTimeTests {
    enum Slowness: String, CaseIterable {
        case noAnswerToLogin, noAnswerToSubscribe, noAnswerToUnsubscribe, stuckAdapter
    }

    /// As Flattrade's adapter, which waits longer for its broker than clients do.
    private static var patient: Declared {
        var declared = Declared()
        declared.ackTimeout = 10_000
        declared.orders = .sameSocket
        declared.links = [Declared.link(carries: 7 | UInt32(FH_CARRIES_ORDERS))]
        return declared
    }

    @Test(arguments: Slowness.allCases) func everyCallIsAnsweredInTime(slowness: Slowness) async throws {
        let gate = Gate()
        try await SessionFixture.run(Self.patient, connected: slowness != .noAnswerToLogin) { fixture, session in
            defer { gate.open() }
            fixture.broker.change {
                switch slowness {
                case .noAnswerToLogin: $0.connect = { _, _ in Int(FH_OK) }
                case .noAnswerToSubscribe, .noAnswerToUnsubscribe: $0.subscribe = { _, _, _ in Int(FH_OK) }
                case .stuckAdapter:
                    $0.subscribe = { _, _, _ in
                        while !gate.isOpen { usleep(1_000) }
                        return Int(FH_OK)
                    }
                }
            }
            let route = RouteKey(session: session.id, instrument: try fixture.handle("OLD"), mode: .ltp)
            // All at once: each of them alone has the whole time.
            async let subscribe = Self.time { await session.subscribe([Wish("A"), Wish("B")]).map(\.result) }
            if slowness == .stuckAdapter { try await fixture.broker.calls.waitFor("the hang") { $0.isSubscribe } }
            async let ready = Self.time { try? await session.ready() }
            async let unsubscribe = Self.time { await session.unsubscribe([route]) }
            async let startOrders = Self.time { try? await session.startOrders() }
            async let stopOrders = Self.time { await session.stopOrders() }
            async let status = Self.time { await session.status() }

            let (subscribed, results) = await subscribe
            #expect(subscribed < 8, "subscribe: \(subscribed) s")
            #expect(
                results.map { (try? $0.get())?.pending } == (slowness == .stuckAdapter ? [nil, nil] : [true, true]))
            let times = (
                ready: await ready.0, unsubscribe: await unsubscribe.0, startOrders: await startOrders.0,
                stopOrders: await stopOrders.0, status: await status.0
            )
            // With the time for a key to be looked up, 4.5 s in all.
            #expect(times.ready < 4, "ready: \(times.ready) s")
            #expect(times.unsubscribe < 5 && times.startOrders < 5 && times.stopOrders < 5, "\(times)")
            #expect(times.status < 2, "status: \(times.status) s")
            print("answers, \(slowness.rawValue): subscribe \(subscribed), \(times)")
        }
    }

    /// Seconds.
    private static func time<T: Sendable>(_ body: @Sendable () async -> T) async -> (Double, T) {
        let start = ContinuousClock.now
        let value = await body()
        return ((ContinuousClock.now - start) / .seconds(1), value)
    }
}
