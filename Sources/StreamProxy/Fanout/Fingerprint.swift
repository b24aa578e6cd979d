/// Tells sets of streams apart: the sum of its streams' random marks. 128 bits, so two sets that differ never look alike in
/// practice, and a sum, so that it follows every change at once.
struct Fingerprint: Hashable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// Of the empty set.
    init() {}

    static func random() -> Fingerprint {
        var mark = Fingerprint()
        mark.low = .random(in: .min ... .max)
        mark.high = .random(in: .min ... .max)
        return mark
    }

    static func += (sum: inout Fingerprint, mark: Fingerprint) {
        sum.low &+= mark.low
        sum.high &+= mark.high
    }

    static func -= (sum: inout Fingerprint, mark: Fingerprint) {
        sum.low &-= mark.low
        sum.high &-= mark.high
    }
}
