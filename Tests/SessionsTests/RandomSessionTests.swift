import CFeedhostABI
import MarketData
import Synchronization
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// 2,000 random operations on one session, with a broker that answers at random.
@Suite struct RandomSessionTests {
    /// What the broker and the clients share.
    private final class World: Sendable {
        struct Deferred: Sendable {
            let request: UInt64
            let wishes: [SeenWish]
        }
        struct State {
            var random: SeededNumbers
            var generation: UInt64 = 0
            var deferred: [Deferred] = []
            /// What clients have been granted and have not given back.
            var held: [RouteKey] = []
            var isKind = false
        }

        let state: Mutex<State>
        init(_ random: SeededNumbers) { state = Mutex(State(random: random)) }

        func roll(_ sides: Int) -> Int { state.withLock { Int.random(in: 0..<sides, using: &$0.random) } }

        func connect(_ instance: ScriptedInstance, _ generation: UInt64) -> Int {
            let isKind = state.withLock { state in
                state.generation = generation
                return state.isKind
            }
            switch isKind ? 9 : roll(10) {
            case 0: return Int(FH_E_NETWORK)
            case 1: instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_NETWORK)
            default: instance.report(FH_CONN_READY, generation)
            }
            return Int(FH_OK)
        }

        func subscribe(_ instance: ScriptedInstance, _ request: UInt64, _ wishes: [SeenWish]) -> Int {
            if state.withLock({ $0.isKind }) {
                instance.accept(request, wishes)
                return Int(FH_OK)
            }
            switch roll(12) {
            case 0: return Int(FH_E_LIMIT)
            case 1:
                // Taken by the broker, and never confirmed.
                instance.serve(wishes)
            case 2, 3: state.withLock { $0.deferred.append(Deferred(request: request, wishes: wishes)) }
            default:
                for wish in wishes { answer(instance, request, wish) }
            }
            return Int(FH_OK)
        }

        private func answer(_ instance: ScriptedInstance, _ request: UInt64, _ wish: SeenWish) {
            switch roll(6) {
            case 0: instance.reject(request, [wish])
            case 1 where wish.depth > 5:
                instance.serve([wish])
                instance.answer(request, wish.handle, FH_SUB_DOWNGRADED, mode: FH_MODE_DEPTH, depth: 5)
            case 2 where wish.mode == .depth:
                instance.serve([wish])
                instance.answer(request, wish.handle, FH_SUB_DOWNGRADED, mode: FH_MODE_QUOTE)
            default: instance.accept(request, [wish])
            }
        }

        /// Answers one request that was left open, possibly long after its time.
        func answerLate(_ instance: ScriptedInstance) {
            let deferred = state.withLock { $0.deferred.isEmpty ? nil : $0.deferred.removeFirst() }
            guard let deferred else { return }
            // Refusals only: what such a broker serves is the host's to find out, and it has asked again since.
            instance.reject(deferred.request, deferred.wishes)
        }

        func wish() -> Wish {
            let mode = Mode.allCases[roll(3)]
            return Wish("S\(roll(12))", mode, depth: [5, 20, 30][roll(3)])
        }
    }

    /// - Parameter isLate: Whether the adapter runs where calls and answers take a while.
    @Test(.timeLimit(.minutes(3)), arguments: [false, true]) func theViewsOfBothSidesAgree(isLate: Bool) async throws {
        var declared = Declared()
        declared.ackTimeout = 40
        declared.backoffMax = 2
        let maker: any InstanceMaker = isLate ? LateMaker() : InProcessMaker()
        try await SessionFixture.run(declared, connected: false, instances: maker) { fixture, session in
            let world = World(SeededNumbers.announced("random session"))
            fixture.broker.change { script in
                script.connect = { world.connect($0, $1) }
                script.subscribe = { world.subscribe($0, $1, $2) }
            }
            try await session.ready()
            let instance = try #require(fixture.broker.instance)
            for _ in 0..<125 {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<16 { group.addTask { await Self.operation(world, fixture, session, instance) } }
                }
            }
            #expect(await session.waiterCount == 0)
            let held = world.state.withLock { $0.held }
            let wanted = Set(held.compactMap { fixture.instruments[$0.instrument]?.description })
            #expect(Set(await session.wanted.map(Self.name)) == wanted)
            #expect(Set(await session.referenced.map(Self.name)) == wanted)
            // Requests that nobody has answered run out; then the broker serves nothing that nobody wants.
            world.state.withLock { $0.isKind = true }
            try await eventually("the broker serves nothing that nobody wants") {
                instance.served.values.map(\.name).allSatisfy { wanted.contains($0) }
            }

            let replays = fixture.broker.calls.count(\.isConnect)
            instance.report(FH_CONN_DISCONNECTED, world.state.withLock { $0.generation }, reason: FH_WHY_NETWORK)
            try await fixture.broker.calls.waitFor("replay", count: replays + 1) { $0.isConnect }
            try await eventually("connected") { await session.status() == "connected" }
            let referenced = await session.referenced
            try await eventually("what is wanted is served") {
                instance.served.values.map { "\($0.name)/\($0.mode.label)/\($0.depth)" }.sorted() == referenced
            }

            await session.unsubscribe(held)
            try await eventually("nothing is served") { instance.served.isEmpty }
            #expect(await session.references.instruments.isEmpty)
            #expect(await session.placement.isEmpty)
        }
    }

    private static func name(_ line: String) -> String { String(line.prefix { $0 != "/" }) }

    private static func operation(
        _ world: World, _ fixture: SessionFixture, _ session: BrokerSession, _ instance: ScriptedInstance
    ) async {
        switch world.roll(100) {
        case 0..<50:
            let outcomes = await session.subscribe((0...world.roll(3)).map { _ in world.wish() })
            let routes = outcomes.compactMap { try? $0.result.get().route }
            world.state.withLock { $0.held += routes }
        case 50..<85:
            let gone = world.state.withLock { state -> [RouteKey] in
                (0..<2).compactMap { _ in
                    guard let index = state.held.indices.randomElement(using: &state.random) else { return nil }
                    return state.held.remove(at: index)
                }
            }
            await session.unsubscribe(gone)
        case 85..<88:
            let generation = world.state.withLock { $0.generation }
            instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_NETWORK)
        case 88..<90: instance.report(FH_CONN_FAILED, 0, reason: FH_WHY_AUTH_REJECTED)
        case 90..<91:
            fixture.vault.set(version: UInt64(world.roll(1_000_000)), ["access_token": "t"])
            await session.credentialsChanged()
        case 91..<94: try? await session.ready()
        default: world.answerLate(instance)
        }
    }
}
