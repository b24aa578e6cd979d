import Adapters
import CFeedhostABI
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import Transport

@Suite struct LaneTimerTests {
    @Test func timersRunOnceOrAgain() {
        let loop = EmbeddedEventLoop()
        let fixture = LaneFixture(loop)
        let (_, once) = fixture.timer(user: 7, delay: 1_000)
        let (_, again) = fixture.timer(user: 8, delay: 500, interval: 1_000)
        loop.advanceTime(by: .microseconds(999))
        #expect(fixture.recorder.events == [.timer(again, user: 8)])
        loop.advanceTime(by: .microseconds(1_501))
        #expect(
            fixture.recorder.events == [
                .timer(again, user: 8), .timer(once, user: 7), .timer(again, user: 8), .timer(again, user: 8),
            ])
        fixture.cancel(again)
        loop.advanceTime(by: .seconds(1))
        #expect(fixture.recorder.events.count == 4)
        #expect(fixture.context.calls == Array(repeating: "on_timer", count: 4))
    }

    @Test func sizeOfTheFirstVersion() {
        #expect(AdapterRequest.firstSize == MemoryLayout<fh_request>.size)
    }

    @Test func idsRiseAndAreNeverZero() {
        let fixture = LaneFixture(EmbeddedEventLoop())
        let (_, first) = fixture.timer(delay: 1)
        let (_, second) = fixture.timer(delay: 1)
        #expect(first > 0)
        #expect(second > first)
    }

    @Test func nothingComesAfterCloseAll() {
        let loop = EmbeddedEventLoop()
        let fixture = LaneFixture(loop)
        _ = fixture.timer(delay: 1, interval: 1)
        fixture.lane.closeAll()
        loop.advanceTime(by: .seconds(1))
        #expect(fixture.recorder.events.isEmpty)
        // The lane itself goes on: the next connect() uses it.
        #expect(fixture.timer(delay: 1).0 == fh_status(FH_OK))
        fixture.lane.detach()
        #expect(fixture.timer(delay: 1).0 == fh_status(FH_E_STOPPING))
        loop.advanceTime(by: .seconds(1))
        #expect(fixture.recorder.events.isEmpty)
    }

    @Test func anEventThatComesUpDuringACallWaits() {
        let loop = EmbeddedEventLoop()
        let fixture = LaneFixture(loop)
        let (_, timer) = fixture.timer(delay: 10)
        fixture.lane.enter("subscribe") {
            loop.advanceTime(by: .microseconds(20))
            #expect(fixture.recorder.events.isEmpty)
        }
        loop.run()
        #expect(fixture.recorder.events == [.timer(timer, user: 0)])
        #expect(fixture.context.deepest == 1)
    }

    @Test func aTimerThatIsCancelledWhileItWaitsNeverComes() {
        let loop = EmbeddedEventLoop()
        let fixture = LaneFixture(loop)
        let (_, timer) = fixture.timer(delay: 10)
        fixture.lane.enter("subscribe") {
            loop.advanceTime(by: .microseconds(20))
            fixture.cancel(timer)
        }
        loop.run()
        #expect(fixture.recorder.events.isEmpty)
    }

    @Test func quotasHold() {
        let fixture = LaneFixture(EmbeddedEventLoop())
        for _ in 0..<TransportLane.Quota.timers { #expect(fixture.timer(delay: 1_000).0 == fh_status(FH_OK)) }
        let (status, id) = fixture.timer(delay: 1_000)
        #expect(status == fh_status(FH_E_LIMIT))
        #expect(id == 0)
    }

    @Test func aShortTableIsNotReadBeyondItsEnd() {
        let loop = EmbeddedEventLoop()
        let fixture = LaneFixture(loop, eventsSize: 40)
        _ = fixture.timer(delay: 1)
        loop.advanceTime(by: .seconds(1))
        #expect(fixture.recorder.events.isEmpty)
    }

    @Test func callsAwayFromTheLaneAreRefused() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let bound = try await loop.submit { NIOLoopBound(LaneFixture(loop), eventLoop: loop) }.get()
        let address = try await loop.submit { Int(bitPattern: UnsafeRawPointer(bound.value.pointer)) }.get()
        var id: fh_id = 0
        #expect(
            TransportLane.table.pointee.timer(OpaquePointer(bitPattern: address), 0, 1, 0, &id) == fh_status(FH_E_STATE)
        )
        #expect(TransportLane.table.pointee.timer(nil, 0, 1, 0, &id) == fh_status(FH_E_INVALID))
        #expect(
            TransportLane.table.pointee.timer(OpaquePointer(bitPattern: address), 0, 1, 0, nil)
                == fh_status(FH_E_INVALID))
        try await loop.submit { bound.value.lane.detach() }.get()
    }
}
