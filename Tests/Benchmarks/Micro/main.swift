// Times the steps of the hot path one by one and counts their allocations.
//
//   feedhost-bench-micro [--quick] [--prove] [FILTER]
//
// Fails when a step allocates more than it may. Times are shown beside the promise and fail nothing: machines differ.
import AllocationCounter
import Glibc

let arguments = CommandLine.arguments.dropFirst()
let isQuick = arguments.contains("--quick")
let filter = arguments.first { !$0.hasPrefix("--") } ?? ""

/// Allocates once a repetition and claims that it does not: shows that the check can fail.
let cheat = Benchmark(name: "proof: an allocation a repetition", limit: nil) {
    { repetitions in
        // Kept until the next one, so that the compiler cannot put it on the stack.
        var kept = Kept(0)
        for value in 0..<repetitions { kept = Kept(value &+ kept.value) }
        withExtendedLifetime(kept) {}
    }
}

final class Kept {
    let value: Int

    @inline(never)
    init(_ value: Int) { self.value = value }
}

let all =
    arguments.contains("--prove")
    ? [cheat] : encoderBenchmarks + fanoutBenchmarks + zerodhaBenchmarks + angelBenchmarks + flattradeBenchmarks
let chosen = all.filter { filter.isEmpty || $0.name.contains(filter) }

func padded(_ text: String, _ width: Int) -> String {
    text.count < width ? text + String(repeating: " ", count: width - text.count) : text
}

func decimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

print(padded("step", 44) + padded("median ns", 12) + padded("fastest", 10) + padded("promise", 10) + "allocations")
var failures = 0
for benchmark in chosen {
    let result = try benchmark.measure(rounds: isQuick ? 3 : 9, milliseconds: isQuick ? 20 : 150)
    let promise = benchmark.limit.map { decimal($0) } ?? "-"
    var line = padded(benchmark.name, 44) + padded(decimal(result.median), 12) + padded(decimal(result.fastest), 10)
    line += padded(promise, 10) + "\(result.allocations)"
    if let limit = benchmark.limit, result.median > limit { line += "  slower than promised" }
    if !result.isWithinBudget {
        failures += 1
        line += "  MORE THAN \(benchmark.allocations)"
    }
    print(line)
}
if failures > 0 {
    print("\(failures) of \(chosen.count) steps allocate more than they may.")
    exit(1)
}
