import CFeedhostABI
import MarketData
import NIOCore
import Testing

@testable import Sessions

/// When clients are told, decided without a session.
@Suite struct OutageNoticeTests {
    private static func outage(_ down: Int, of connections: Int = 3, _ reason: Outage.Reason = .network) -> Outage {
        Outage(
            extent: .init(reason: reason, connections: connections, down: down, stopsOrders: false), since: 1,
            nextAttempt: 2, instruments: 7)
    }

    private static func at(_ milliseconds: Int64) -> NIODeadline {
        NIODeadline.uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds)
    }

    @Test func whatComesTogetherIsToldTogether() {
        var notices = OutageNotices()
        #expect(notices.look(at: Self.at(0), nil) == .nothing)
        #expect(notices.look(at: Self.at(0), Self.outage(1)) == .lookAgain(.milliseconds(200)))
        #expect(notices.look(at: Self.at(50), Self.outage(2)) == .lookAgain(.milliseconds(150)))
        #expect(notices.look(at: Self.at(200), Self.outage(3)) == .tell(Self.outage(3)))
        #expect(notices.look(at: Self.at(9_000), Self.outage(3)) == .nothing, "every attempt is not news")
        #expect(notices.look(at: Self.at(9_100), nil) == .tellEnd)
        #expect(notices.look(at: Self.at(9_200), nil) == .nothing)
    }

    @Test func aBlinkIsNotTold() {
        var notices = OutageNotices()
        #expect(notices.look(at: Self.at(0), Self.outage(1)) == .lookAgain(.milliseconds(200)))
        #expect(notices.look(at: Self.at(199), nil) == .nothing)
        #expect(notices.look(at: Self.at(210), Self.outage(1)) == .lookAgain(.milliseconds(200)))
    }

    @Test func anEvictionIsToldAtOnce() {
        var notices = OutageNotices()
        #expect(notices.look(at: Self.at(0), Self.outage(1, .replaced)) == .tell(Self.outage(1, .replaced)))
    }

    @Test func moreOrLessOfItIsNews() {
        var notices = OutageNotices()
        #expect(notices.look(at: Self.at(0), Self.outage(1, .replaced)) == .tell(Self.outage(1, .replaced)))
        _ = notices.look(at: Self.at(1_000), Self.outage(2))
        #expect(notices.look(at: Self.at(1_200), Self.outage(2)) == .tell(Self.outage(2)))
    }

    /// A minute of a connection that comes and goes twice a second.
    @Test func flappingHasABound() {
        var notices = OutageNotices()
        var told: [(time: Int64, isDown: Bool)] = []
        for step in Int64(0)..<240 {
            // Down for 250 ms, up for 250 ms.
            let outage = step % 2 == 0 ? Self.outage(1) : nil
            for time in [step * 250, step * 250 + 210] {
                switch notices.look(at: Self.at(time), outage) {
                case .tell: told.append((time, true))
                case .tellEnd: told.append((time, false))
                default: break
                }
            }
        }
        #expect(told.count <= OutageNotices.burst + 6)
        #expect(told.count >= OutageNotices.burst)
        #expect(told.filter { $0.time < 10_000 }.count == OutageNotices.burst)
        for (earlier, later) in zip(told, told.dropFirst()) { #expect(earlier.isDown != later.isDown) }
        // When it rests, clients are told how things stand within the pace.
        let believed = notices.told
        let last = notices.look(at: Self.at(60_000 + 10_000), believed == nil ? Self.outage(1, .replaced) : nil)
        #expect(last == (believed == nil ? .tell(Self.outage(1, .replaced)) : .tellEnd))
    }

    @Test func anEndedSessionIsMoreThanAnOutage() {
        var notices = OutageNotices()
        _ = notices.look(at: Self.at(0), Self.outage(1, .replaced))
        notices.supersede()
        #expect(notices.look(at: Self.at(1_000), nil) == .nothing)
    }

    @Test func silenceIsCountedByLooking() {
        var watch = SilenceWatch()
        func look(_ second: Int64, heard: UInt64, odd: Bool = true) -> Int64 {
            watch.look(at: Self.at(second * 1_000), heard: heard, isSilenceOdd: odd)
        }
        #expect(look(0, heard: 1) == 0)
        #expect(look(1, heard: 1) == 1_000)
        #expect(look(2, heard: 2) == 0)
        #expect(look(3, heard: 2, odd: false) == 0, "nothing is expected of who was asked for nothing")
        #expect(look(4, heard: 2) == 1_000)
        #expect(look(60, heard: 2) == 0, "this process was stopped, or the machine slept")
        #expect(look(61, heard: 2) == 1_000)
    }
}
