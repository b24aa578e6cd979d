import AllocationCounter

/// One thing that is measured, alone and repeated.
struct Benchmark {
    /// What a repetition is, e.g. `zerodha: full packet`.
    let name: String
    /// Nanoseconds a repetition that the project promises on the reference machine; `nil` if it promises nothing.
    let limit: Double?
    /// Allocations a repetition that are allowed; exceeding them fails the run on every machine.
    var allocations = 0.0
    /// Builds what is needed and returns the body, which runs a number of repetitions.
    let prepare: () throws -> (_ repetitions: Int) -> Void
}

/// What a benchmark has shown.
struct Measurement {
    let benchmark: Benchmark
    /// Nanoseconds a repetition, the median of the rounds.
    let median: Double
    /// The fastest round.
    let fastest: Double
    /// Allocations a repetition, in the round that made the fewest.
    let allocations: Double

    var isWithinBudget: Bool { allocations <= benchmark.allocations }
}

extension Benchmark {
    /// Runs `rounds` rounds of about `milliseconds` each, after a warm-up.
    func measure(rounds: Int, milliseconds: Int) throws -> Measurement {
        let body = try prepare()
        let clock = ContinuousClock()
        var repetitions = 64
        while true {
            let time = clock.measure { body(repetitions) }
            if time > .milliseconds(milliseconds) || repetitions >= 1 << 30 { break }
            repetitions *= 2
        }
        var times: [Double] = []
        var allocations = Double.infinity
        for _ in 0..<rounds {
            let before = allocation_count()
            let time = clock.measure { body(repetitions) }
            allocations = min(allocations, Double(allocation_count() - before) / Double(repetitions))
            let (seconds, attoseconds) = time.components
            times.append((Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(repetitions))
        }
        times.sort()
        // The clock and the loop around the body may allocate a handful of times a round, never once a repetition.
        let rounded = (allocations * 1_000).rounded() / 1_000
        return Measurement(benchmark: self, median: times[times.count / 2], fastest: times[0], allocations: rounded)
    }
}
