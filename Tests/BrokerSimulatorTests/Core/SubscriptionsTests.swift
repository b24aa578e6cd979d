import Testing

@testable import BrokerSimulator

struct SubscriptionsTests {
    private func entry(_ instrument: Int, _ mode: UInt8 = 0) -> Subscription {
        Subscription(instrument: instrument, mode: mode)
    }

    @Test func everybodyGetsATurn() {
        var subscriptions = Subscriptions()
        for instrument in 0..<10 { subscriptions.insert(entry(instrument)) }
        var turns: [Int: Int] = [:]
        for _ in 0..<30 {
            let next = subscriptions.next(7)
            #expect(Set(next).count == 7)
            for entry in next { turns[entry.instrument, default: 0] += 1 }
        }
        #expect(turns.count == 10 && turns.values.allSatisfy { $0 == 21 })
        // More than there are is all of them, once.
        let all = subscriptions.next(50)
        #expect(all.count == 10)
    }

    @Test func modesAddUpOrReplace() {
        var subscriptions = Subscriptions()
        let inserted = [entry(1, 0), entry(1, 1), entry(1, 1)].map { subscriptions.insert($0) }
        #expect(inserted == [true, true, false])
        subscriptions.replace(entry(1, 1), with: entry(1, 2))
        #expect(subscriptions.entries == [entry(1, 0), entry(1, 2)])
        let removed = [entry(1, 1), entry(1, 0)].map { subscriptions.remove($0) }
        #expect(removed == [false, true])
        #expect(subscriptions.entries == [entry(1, 2)])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aSetStaysASet(seed: UInt64) {
        var draws = Draws(seed: seed, stream: 0)
        var subscriptions = Subscriptions()
        var expected: Set<Subscription> = []
        for _ in 0..<5_000 {
            let some = entry(Int(draws.below(40)), UInt8(draws.below(3)))
            if draws.below(2) == 0 {
                let isNew = subscriptions.insert(some)
                #expect(isNew == expected.insert(some).inserted)
            } else {
                let wasThere = subscriptions.remove(some)
                #expect(wasThere == (expected.remove(some) != nil))
            }
            let next = subscriptions.next(Int(draws.below(5)))
            #expect(expected.isSuperset(of: next))
        }
        #expect(Set(subscriptions.entries) == expected && subscriptions.count == expected.count)
    }
}
