import MarketData
import NIOCore
import Secrets
import Testing

@testable import StreamProxy

private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(UInt64(1e12 + seconds * 1e9)) }

@Suite struct AdmissionTests {
    private let rate = TokenBucket.Rate(rate: 2, burst: 4)
    private let attacker = PeerAddress("192.0.2.1") ?? .local
    private let other = PeerAddress("192.0.2.2") ?? .local

    @Test func aBucketRefillsAtItsRateUpToItsBurst() {
        var bucket = TokenBucket(rate, now: at(0))
        for _ in 0..<4 { #expect(bucket.take(1, rate, now: at(0)) == nil) }
        #expect(bucket.take(1, rate, now: at(0)) == .milliseconds(500))
        #expect(bucket.take(1, rate, now: at(0.5)) == nil)
        #expect(bucket.take(3, rate, now: at(1)) == .seconds(1))
        // A clock that is behind gives nothing and takes nothing.
        #expect(bucket.take(1, rate, now: at(0)) == nil)
        #expect(bucket.take(4, rate, now: at(100)) == nil)
        #expect(bucket.take(1, rate, now: at(100)) != nil)
        // More than the burst never comes; the time is that until it is full.
        #expect(bucket.take(5, rate, now: at(100)) == .seconds(2))
    }

    @Test func wrongKeysMakeAnAddressWaitLongerAndLonger() {
        var limits = ProxyLimits()
        limits.failedAuthentications = 60
        let admission = Admission(limits)
        let key = KeyMark(Secret("wrong"))
        func attempt(_ second: Double) -> TimeAmount? {
            switch admission.attempt(attacker, key, now: at(second)) {
            case .look(let isCounted):
                admission.settle(attacker, key, wasRight: false, isCounted: isCounted, now: at(second))
                return nil
            case .wait(let time): return time
            case .later:
                Issue.record("nothing is being looked at")
                return nil
            }
        }
        for _ in 0..<60 { #expect(attempt(0) == nil) }
        var now = 0.0
        for block: Int64 in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(attempt(now) == .seconds(block))
            // Asking meanwhile does not prolong it.
            #expect(attempt(now + Double(block) - 0.5) == .milliseconds(500))
            now += Double(block)
            // One attempt after each block, then the next block.
            #expect(attempt(now) == nil)
        }
        #expect(admission.attempt(other, key, now: at(now)) == .look(isCounted: true))
        // A quiet spell, and everything is as before.
        for _ in 0..<60 { #expect(attempt(now + 300) == nil) }
        #expect(attempt(now + 300) == .seconds(1))
    }

    @Test func rightKeysNeverCountAndAreLookedAtDuringABlock() {
        var limits = ProxyLimits()
        limits.failedAuthentications = 2
        let admission = Admission(limits)
        let (right, wrong) = (KeyMark(Secret("right")), KeyMark(Secret("wrong")))
        #expect(admission.attempt(attacker, right, now: at(0)) == .look(isCounted: true))
        admission.settle(attacker, right, wasRight: true, isCounted: true, now: at(0))
        for _ in 0..<100 {
            #expect(admission.attempt(attacker, right, now: at(0)) == .look(isCounted: false))
            admission.settle(attacker, right, wasRight: true, isCounted: false, now: at(0))
        }
        for _ in 0..<2 {
            #expect(admission.attempt(attacker, wrong, now: at(0)) == .look(isCounted: true))
            admission.settle(attacker, wrong, wasRight: false, isCounted: true, now: at(0))
        }
        #expect(admission.attempt(attacker, wrong, now: at(0)) == .wait(.seconds(30)))
        #expect(admission.attempt(attacker, right, now: at(0)) == .look(isCounted: false))
        // Revoked: from now on it is a key like any other.
        admission.settle(attacker, right, wasRight: false, isCounted: false, now: at(0))
        #expect(admission.attempt(attacker, right, now: at(0)) == .wait(.seconds(30)))
    }

    @Test func aThousandAtTheSameMomentWaitForEachOther() {
        var limits = ProxyLimits()
        limits.failedAuthentications = 2
        let admission = Admission(limits)
        let (right, wrong) = (KeyMark(Secret("right")), KeyMark(Secret("wrong")))
        // Programs that all come back when the host does: two are looked at, and none is refused.
        #expect(admission.attempt(attacker, right, now: at(0)) == .look(isCounted: true))
        #expect(admission.attempt(attacker, right, now: at(0)) == .look(isCounted: true))
        for _ in 0..<998 { #expect(admission.attempt(attacker, right, now: at(0)) == .later) }
        for _ in 0..<2 { admission.settle(attacker, right, wasRight: true, isCounted: true, now: at(0)) }
        #expect(admission.attempt(attacker, right, now: at(0)) == .look(isCounted: false))
        // Right ones that were counted cost nothing. Wrong ones are no more checks than may be wrong.
        for _ in 0..<2 { #expect(admission.attempt(attacker, wrong, now: at(1)) == .look(isCounted: true)) }
        for _ in 0..<998 { #expect(admission.attempt(attacker, wrong, now: at(1)) == .later) }
        for _ in 0..<2 { admission.settle(attacker, wrong, wasRight: false, isCounted: true, now: at(1)) }
        #expect(admission.attempt(attacker, wrong, now: at(1)) == .wait(.seconds(30)))
    }

    /// A host that has no time to look must not take what it is shown for right: the next time it would be looked at without
    /// being counted.
    @Test func aKeyThatNobodyCouldCheckIsNeitherRightNorWrong() {
        var limits = ProxyLimits()
        limits.failedAuthentications = 2
        let admission = Admission(limits)
        let (unknown, right) = (KeyMark(Secret("unknown")), KeyMark(Secret("right")))
        admission.settle(attacker, right, wasRight: true, isCounted: false, now: at(0))
        for key in [unknown, right] {
            admission.settle(attacker, key, wasRight: nil, isCounted: false, now: at(0))
        }
        #expect(admission.attempt(attacker, right, now: at(0)) == .look(isCounted: false))
        for _ in 0..<10 {
            #expect(admission.attempt(attacker, unknown, now: at(0)) == .look(isCounted: true))
            admission.settle(attacker, unknown, wasRight: nil, isCounted: true, now: at(0))
        }
        for _ in 0..<2 {
            #expect(admission.attempt(attacker, unknown, now: at(0)) == .look(isCounted: true))
            admission.settle(attacker, unknown, wasRight: false, isCounted: true, now: at(0))
        }
        #expect(admission.attempt(attacker, unknown, now: at(0)) == .wait(.seconds(30)))
    }

    /// With slow hashes something is always being looked at: a flood must be slowed all the same.
    @Test func checksThatTakeLongDoNotKeepAFloodFromBeingSlowed() {
        var limits = ProxyLimits()
        limits.failedAuthentications = 2
        let admission = Admission(limits)
        let wrong = KeyMark(Secret("wrong"))
        for _ in 0..<2 { #expect(admission.attempt(attacker, wrong, now: at(0)) == .look(isCounted: true)) }
        #expect(admission.attempt(attacker, wrong, now: at(0)) == .later)
        #expect(admission.attempt(attacker, wrong, isPatient: false, now: at(0)) == .wait(.seconds(30)))
        // From then on nobody of that address waits, right ones excepted.
        #expect(admission.attempt(attacker, wrong, now: at(2)) == .wait(.seconds(28)))
        #expect(admission.attempt(other, wrong, now: at(2)) == .look(isCounted: true))
        for _ in 0..<2 { admission.settle(attacker, wrong, wasRight: true, isCounted: true, now: at(3)) }
        #expect(admission.attempt(attacker, wrong, now: at(3)) == .look(isCounted: false))
    }

    @Test func oneNetworkOfIPv6IsOneAddress() throws {
        var limits = ProxyLimits()
        limits.connectionsPerAddress = 2
        let admission = Admission(limits)
        for suffix in ["1", "2:3"] {
            let address = try #require(PeerAddress("2001:db8:0:1::\(suffix)"))
            #expect(admission.enter(address, now: at(0)) == nil)
        }
        let third = try #require(PeerAddress("2001:db8:0:1:ffff::9"))
        #expect(admission.enter(third, now: at(0)) == .tooManyOfAddress)
        let elsewhere = try #require(PeerAddress("2001:db8:0:2::1"))
        #expect(admission.enter(elsewhere, now: at(0)) == nil)
        admission.leave(third, wasAuthenticated: false, now: at(0))
        #expect(admission.enter(third, now: at(0)) == nil)
    }

    @Test func thisMachineIsCountedOnlyWhenAsked() throws {
        var limits = ProxyLimits()
        limits.connectionsPerAddress = 1
        limits.unauthenticatedPerAddress = 1
        let local = try #require(PeerAddress("127.0.0.1"))
        let free = Admission(limits)
        for _ in 0..<5 { #expect(free.enter(local, now: at(0)) == nil) }
        limits.countsLocalSockets = true
        let strict = Admission(limits)
        #expect(strict.enter(local, now: at(0)) == nil)
        #expect(strict.enter(local, now: at(0)) == .tooManyOfAddress)
    }

    @Test func theTableForgetsWhatIsIdleAndNeverOutgrowsItsBounds() {
        var limits = ProxyLimits()
        limits.failedAuthentications = 10
        limits.connectionsPerAddress = 1
        let admission = Admission(limits)
        // Sockets that come and go leave nothing behind.
        for number in 0..<1000 {
            let address = PeerAddress(v4: UInt32(number))
            #expect(admission.enter(address, now: at(0)) == nil)
            admission.leave(address, wasAuthenticated: false, now: at(0))
        }
        #expect(admission.addressCount == 0)
        let busy = PeerAddress(v4: 0xC000_0201)
        #expect(admission.enter(busy, now: at(0)) == nil)
        let wrong = KeyMark(Secret("wrong"))
        // A wrong key from each of twice as many addresses as there is room for.
        for number in 0..<(2 * 16 * AddressTable.capacity) {
            _ = admission.attempt(PeerAddress(v4: 0x0A00_0000 + UInt32(number)), wrong, now: at(Double(number) / 1e4))
        }
        #expect(admission.addressCount <= 16 * AddressTable.capacity + 1)
        // Whoever is connected is still known: its leaving is not counted below zero.
        admission.leave(busy, wasAuthenticated: false, now: at(14))
        #expect(admission.enter(busy, now: at(14)) == nil)
        #expect(admission.enter(busy, now: at(14)) == .tooManyOfAddress)
    }

    @Test func usersAreCountedTogether() {
        var limits = ProxyLimits()
        limits.connectionsPerUser = 2
        let admission = Admission(limits)
        let counters = ProxyCounters()
        let visitors = (0..<3).map { _ in Visitor(admission, counters) }
        #expect(visitors.map { $0.enter(user: "alice") } == [true, true, false])
        #expect(visitors[0].enter(user: "alice"), "the same again is not one more")
        #expect(visitors[0].enter(user: "bob"))
        #expect(visitors[2].enter(user: "alice"))
        visitors[1].leave(now: at(0))
        visitors[1].leave(now: at(0))
        #expect(visitors[0].enter(user: "alice"))
        #expect(counters.snapshot().userConnectionsLimited == 1)
    }

    @Test func aClientThatGoesOnIsCutOff() {
        var limits = ProxyLimits()
        limits.requests = 1
        let visitor = Visitor(Admission(limits), ProxyCounters())
        func verdicts(_ count: Int, _ second: Double) -> [String] {
            (0..<count).map { _ in
                switch visitor.request(now: at(second)) {
                case .serve: "serve"
                case .refuse(let rejection): rejection.code == .rateLimited ? rejection.message : "?"
                case .close: "close"
                }
            }
        }
        #expect(Set(verdicts(10, 0)) == ["serve"])
        #expect(
            Set(verdicts(9, 0)) == ["More than 1 requests a second on this connection; try again in 1 second"])
        #expect(verdicts(2, 1)[0] == "serve", "whoever waits is served")
        #expect(verdicts(9, 1).last != "close")
        #expect(verdicts(1, 1) == ["close"])
    }

    @Test func subscriptionsAreCountedByInstruments() {
        var limits = ProxyLimits()
        limits.subscriptions = 10
        let visitor = Visitor(Admission(limits), ProxyCounters())
        #expect(visitor.subscribe(90, now: at(0)).taken == 90)
        // As many as there are tokens; those that are too many take none.
        let some = visitor.subscribe(30, now: at(0))
        #expect(some.taken == 10 && some.others?.code == .rateLimited)
        #expect(
            some.others?.message
                == "More than 10 instruments a second on this connection (10 of these 30 were in time); try again in 2 seconds"
        )
        let enough = visitor.subscribe(20, now: at(2))
        #expect(enough.taken == 20 && enough.others == nil)
        let none = visitor.subscribe(1, now: at(2))
        #expect(none.taken == 0 && none.others?.message.hasSuffix("try again in 1 second") == true)
        // More than the bucket ever holds.
        let most = visitor.subscribe(150, now: at(60))
        #expect(most.taken == 100 && most.others?.message.hasSuffix("try again in 5 seconds") == true)
    }
}
