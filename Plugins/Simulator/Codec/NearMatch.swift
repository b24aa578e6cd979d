/// Finds the name that a mistyped one was probably meant to be.
enum NearMatch {
    /// The nearest of `names`: one slip for short names, two for longer ones, otherwise `nil`. Ties go to the alphabet.
    static func find(_ wanted: String, in names: some Sequence<String>) -> String? {
        let allowed = wanted.utf8.count < 6 ? 1 : 2
        var best: (distance: Int, name: String)?
        for name in names where abs(name.utf8.count - wanted.utf8.count) <= allowed {
            let distance = distance(Array(wanted.utf8), Array(name.utf8))
            guard distance <= allowed, best.map({ (distance, name) < $0 }) ?? true else { continue }
            best = (distance, name)
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
