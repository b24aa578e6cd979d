/// A clock that stands still: whoever sleeps, sleeps until ``tick()``.
final class TickedClock: Clock, Sendable {
    typealias Instant = ContinuousClock.Instant
    let now = ContinuousClock().now
    let minimumResolution = Duration.zero
    private let sleeper: (AsyncStream<Void>, AsyncStream<Void>.Continuation) = AsyncStream.makeStream()
    private let ticks: (AsyncStream<Void>, AsyncStream<Void>.Continuation) = AsyncStream.makeStream()

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        sleeper.1.yield()
        for await _ in ticks.0 { break }
        try Task.checkCancellation()
    }

    func tick() { ticks.1.yield() }

    func waitUntilSlept() async {
        for await _ in sleeper.0 { break }
    }
}
