import CFeedhostABI
import MarketData
import Synchronization
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Random operations on a session with several connections of two kinds, which fill, drain, fail and end.
@Suite struct RandomPoolTests {
    private final class World: Sendable {
        struct State {
            var random: SeededNumbers
            var generations: [Int: UInt64] = [:]
            /// What clients have been granted and have not given back.
            var held: [RouteKey] = []
            var isKind = false
            /// More on one connection than its broker takes, and wishes that nobody has answered.
            var problems: [String] = []
        }

        let state: Mutex<State>
        let links: [LinkKind]

        init(_ random: SeededNumbers, links: [LinkKind]) {
            state = Mutex(State(random: random))
            self.links = links
        }

        func roll(_ sides: Int) -> Int { state.withLock { Int.random(in: 0..<sides, using: &$0.random) } }

        func connect(_ instance: ScriptedInstance, _ generation: UInt64) -> Int {
            state.withLock { $0.generations[instance.number] = generation }
            let isKind = state.withLock { $0.isKind }
            switch isKind ? 9 : roll(10) {
            case 0: instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_NETWORK)
            default: instance.report(FH_CONN_READY, generation)
            }
            return Int(FH_OK)
        }

        func subscribe(_ instance: ScriptedInstance, _ request: UInt64, _ wishes: [SeenWish]) -> Int {
            switch state.withLock({ $0.isKind }) ? 9 : roll(12) {
            case 0: instance.reject(request, wishes)
            // Taken by the broker, and never confirmed.
            case 1: instance.serve(wishes)
            default: instance.accept(request, wishes)
            }
            check(instance)
            return Int(FH_OK)
        }

        /// The broker's own count.
        private func check(_ instance: ScriptedInstance) {
            let kind = links[instance.link]
            let units = instance.served.values.reduce(0) {
                $0 + (kind.unit == .instrumentAndMode && $1.depth > 5 ? 2 : 1)
            }
            if units > kind.quota {
                state.withLock { $0.problems.append("\(kind.name) \(instance.number): \(units) of \(kind.quota)") }
            }
        }
    }

    @Test(.timeLimit(.minutes(3))) func everyInstrumentIsOnOneConnection() async throws {
        var declared = Declared()
        declared.ackTimeout = 30
        declared.backoffMax = 2
        declared.keepAlive = 3
        declared.links = [
            Declared.link(quota: 4, maxLinks: 4, maxDepth: 5, batch: 3),
            Declared.link(name: "depth", carries: 4, quota: 4, maxLinks: 2, unit: .instrumentAndMode),
        ]
        let links = declared.links
        try await SessionFixture.run(declared, connected: false) { fixture, session in
            let world = World(SeededNumbers.announced("random pool"), links: links)
            fixture.broker.change { script in
                script.connect = { world.connect($0, $1) }
                script.subscribe = { world.subscribe($0, $1, $2) }
            }
            try await session.ready()
            for _ in 0..<150 {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<12 { group.addTask { await Self.operation(world, fixture, session) } }
                }
            }
            #expect(await session.waiterCount == 0)
            #expect(world.state.withLock { $0.problems } == [])
            let held = world.state.withLock { $0.held }
            // A broker that is kind again is asked for everything once more.
            world.state.withLock { $0.isKind = true }
            for (number, generation) in world.state.withLock({ $0.generations }) {
                fixture.broker[number]?.lose(generation)
            }
            try await eventually("both sides agree") { await Self.agree(fixture, session) }
            #expect(Set(held.map(\.instrument)) == Set(await session.references.instruments))

            await session.unsubscribe(held)
            try await eventually("one connection is left") { await session.linkCount == 1 }
            #expect(Self.live(fixture).allSatisfy { $0.served.isEmpty })
            #expect(await session.placement.isEmpty)
            #expect(await session.departures.isEmpty)
        }
    }

    private static func live(_ fixture: SessionFixture) -> [ScriptedInstance] {
        (1...max(1, fixture.broker.count)).compactMap { fixture.broker[$0] }.filter { !$0.isDestroyed }
    }

    /// Each instrument that somebody holds is served once, with at least what is wanted, and nothing else is.
    private static func agree(_ fixture: SessionFixture, _ session: BrokerSession) async -> Bool {
        let served = live(fixture).flatMap(\.served.values)
        let references = await session.references
        return Set(served.map(\.handle)) == Set(references.instruments) && served.count == references.instruments.count
            && served.allSatisfy { wish in
                references.demand(wish.handle).map {
                    References.Demand(mode: wish.mode, depth: wish.depth).covers($0)
                } ?? false
            }
    }

    private static func operation(_ world: World, _ fixture: SessionFixture, _ session: BrokerSession) async {
        switch world.roll(100) {
        case 0..<50:
            let wishes = (0...world.roll(4)).map { _ in
                Wish("S\(world.roll(18))", Mode.allCases[world.roll(3)], depth: [5, 5, 20][world.roll(3)])
            }
            let outcomes = await session.subscribe(wishes)
            let unanswered = outcomes.filter { refusal($0.result)?.message.contains("does not answer") == true }
            let routes = outcomes.compactMap { try? $0.result.get().route }
            world.state.withLock { state in
                state.held += routes
                state.problems += unanswered.map { "no answer for \($0.wish.instrument)" }
            }
        case 50..<90:
            let gone = world.state.withLock { state -> [RouteKey] in
                // Now and then nearly all leave, so that connections drain.
                let count = Int.random(in: 0..<8, using: &state.random) == 0 ? state.held.count : 3
                return (0..<min(count, state.held.count)).compactMap { _ in
                    state.held.indices.randomElement(using: &state.random).map { state.held.remove(at: $0) }
                }
            }
            await session.unsubscribe(gone)
        case 90..<96:
            let number = world.roll(max(1, fixture.broker.count)) + 1
            let generation = world.state.withLock { $0.generations[number] } ?? 0
            fixture.broker[number]?.lose(generation)
        default:
            fixture.vault.set(version: UInt64(world.roll(1_000_000)), ["access_token": "t"])
            await session.credentialsChanged()
        }
    }
}
