import MarketData
import Synchronization
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

@Suite struct SmallPartTests {
    @Test func backoffDoublesUpToItsLimit() {
        var random = SeededNumbers(seed: 1)
        var backoff = Backoff(base: 500, longest: 60_000)
        for step in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] as [Int64] {
            let wait = backoff.next(using: &random)
            #expect((step / 2...step).contains(wait))
        }
        for _ in 0..<100 {
            let wait = backoff.next(using: &random)
            #expect((30_000...60_000).contains(wait))
        }
        backoff.reset()
        let wait = backoff.next(using: &random)
        #expect((250...500).contains(wait))
    }

    @Test func backoffWithOddNumbers() {
        var random = SeededNumbers(seed: 1)
        for (base, longest) in [(0, 0), (-5, 3), (9, 1), (Int64(UInt32.max), Int64(UInt32.max))] as [(Int64, Int64)] {
            var backoff = Backoff(base: base, longest: longest)
            for _ in 0..<64 {
                let wait = backoff.next(using: &random)
                #expect(wait >= 1 && wait <= backoff.longest)
            }
        }
    }

    @Test(arguments: [
        // Friday 2026-01-02, Indian Standard Time = UTC + 5:30.
        (1_767_324_540, false), (1_767_324_600, true),  // 08:59, 09:00
        (1_767_378_240, true), (1_767_378_300, false),  // 23:54, 23:55
        (1_767_349_800 + 86_400, false), (1_767_349_800 + 2 * 86_400, false),  // Saturday, Sunday 16:00
        (1_767_349_800 + 3 * 86_400, true), (0, false),  // Monday; the epoch was 05:30 on a Thursday
    ])
    func marketHours(second: Int, isOpen: Bool) {
        #expect(MarketHours.areOpen(at: UInt64(second) * 1_000_000_000) == isOpen)
    }

    @Test func logBudget() {
        var budget = LogBudget()
        var taken = 0
        for _ in 0..<150 where budget.take(now: 1_000_000_000) == 0 { taken += 1 }
        #expect(taken == 100)
        // Half a second later: ten more, the first of them tells what was left out.
        #expect(budget.take(now: 1_500_000_000) == 50)
        taken = 0
        for _ in 0..<50 where budget.take(now: 1_500_000_000) == 0 { taken += 1 }
        #expect(taken == 9)
        // A clock that was set back gives nothing and takes nothing.
        #expect(budget.take(now: 5) == nil)
        #expect(budget.take(now: 1_000_000_005) == 42)
    }

    @Test func poolLimits() {
        var declared = Declared()
        declared.links = [Declared.link(quota: 0, maxLinks: 3)]
        let adapter = declared.adapter(id: "x", broker: "x")
        var limits = PoolLimits()
        #expect(limits.quota(of: adapter.capabilities.links[0]) == .max)
        #expect(limits.connections(of: adapter.capabilities, kind: 0) == 3)
        limits.maxSymbols = 1_000
        limits.maxConnections = 2
        #expect(limits.quota(of: adapter.capabilities.links[0]) == 1_000)
        #expect(limits.connections(of: adapter.capabilities, kind: 0) == 2)
        limits.isPooling = false
        #expect(limits.connections(of: adapter.capabilities, kind: 0) == 1)
    }

    @Test func timeInACall() {
        let counters = AdapterCounters()
        #expect(counters.timeInCall(now: 5) == 0)
        counters.callStarted.store(10, ordering: .relaxed)
        #expect(counters.timeInCall(now: 25) == 15)
        #expect(counters.timeInCall(now: 5) == 0, "the clock was set back")
    }
}
