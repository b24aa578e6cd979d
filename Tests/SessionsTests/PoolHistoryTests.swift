import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Random histories of the pool alone. Each has a seed of its own: with that as `FEEDHOST_FUZZ_SEED` and `FEEDHOST_FUZZ=1`
/// it happens again.
@Suite struct PoolHistoryTests {
    private static let steps = 15

    @Test(.timeLimit(.minutes(5))) func nothingIsLostAndNothingIsKept() throws {
        let first = SeededNumbers.announcedSeed("pool histories")
        for number in 0..<UInt64(SeededNumbers.rounds(10_000)) {
            let seed = first &+ number
            let shape = PoolHistory.Shape.all[Int(seed % UInt64(PoolHistory.Shape.all.count))]
            var history = PoolHistory(shape, seed: seed)
            var step = 0
            do {
                while step < Self.steps {
                    step += 1
                    try history.step()
                }
                try history.finish()
            } catch {
                Issue.record("seed \(seed), \(shape.name), step \(step): \(error)")
                return
            }
        }
    }
}

extension PoolHistory {
    /// What a broker declares.
    struct Shape {
        let name: String
        let capabilities: Capabilities
        var hasMaster = false
        var limits = PoolLimits()

        init(_ name: String, _ links: [LinkKind], flags: CapabilityFlags = [], hasMaster: Bool = false) {
            var declared = Declared()
            declared.links = links
            declared.flags = flags
            self.name = name
            capabilities = declared.adapter(id: "test.pool", broker: "model").capabilities
            self.hasMaster = hasMaster
        }

        static let all: [Shape] = [
            Shape(
                "two kinds",
                [
                    Declared.link(quota: 3, maxLinks: 3, maxDepth: 5, batch: 2),
                    Declared.link(name: "depth", carries: 4, quota: 4, maxLinks: 2, unit: .instrumentAndMode),
                ]),
            Shape("pairs", [Declared.link(quota: 4, maxLinks: 3, unit: .instrumentAndMode)], hasMaster: true),
            Shape("deep books", [Declared.link(quota: 4, deepQuota: 1, maxLinks: 3, perSecond: 1)], hasMaster: true),
            Shape("one connection", [Declared.link(quota: 4, deepQuota: 2)], flags: .exclusiveSession),
            Shape(
                "kinds of their own",
                [
                    Declared.link(carries: 3, quota: 2, maxLinks: 3),
                    Declared.link(name: "depth", carries: 4, quota: 2, maxLinks: 3, perSecond: 1),
                ], hasMaster: true),
        ]
    }
}
