/// Looks at something again and again.
enum PollLoop {
    /// The first look is at once. Ends when the task is cancelled.
    static func run(
        every interval: Duration, clock: some Clock<Duration>, isolation: isolated (any Actor)? = #isolation,
        _ look: () async -> Void
    ) async {
        while !Task.isCancelled {
            await look()
            do { try await clock.sleep(for: interval) } catch { break }
        }
    }
}
