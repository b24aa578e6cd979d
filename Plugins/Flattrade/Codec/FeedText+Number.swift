extension FeedText {
    /// A number as it is written: its digits without the point, and how many of them are behind it.
    struct Number {
        var digits: Int64
        var places: UInt8
        var next: Place
    }

    /// The number in quotes, or bare, at `here`: at most 18 digits, no exponent.
    ///
    /// Nearly all have at most eight characters in quotes.
    @inline(__always)
    static func number(_ here: Place, _ end: Place) -> Number? {
        guard let text = short(here, end) else { return longNumber(here, end) }
        return number(text) ?? longNumber(here, end)
    }

    @inline(__always)
    private static func number(_ text: Short) -> Number? {
        guard text.bits > 0 else { return nil }
        // The digits go to the high end; what is behind them falls out, and zeros come in.
        let room = 64 &- text.bits
        let digits = (text.word ^ FeedWord.zeros) &<< UInt64(truncatingIfNeeded: room)
        if let value = FeedWord.number(digits) {
            return Number(digits: Int64(truncatingIfNeeded: value), places: 0, next: text.next)
        }
        let point = FeedWord.firstByte(UInt8(ascii: "."), in: text.word) &+ room
        guard point < 64, text.bits > 8 else { return nil }
        // What is in front of the point moves over it.
        let front: UInt64 = (1 &<< UInt64(truncatingIfNeeded: point)) &- 1
        guard let value = FeedWord.number((digits & ~(front &<< 8 | 0xFF)) | (digits & front) &<< 8) else { return nil }
        let places = UInt8(truncatingIfNeeded: (56 &- point) &>> 3)
        return Number(digits: Int64(truncatingIfNeeded: value), places: places, next: text.next)
    }

    /// The same for numbers of any length, with a sign or without quotes.
    @inline(never)
    private static func longNumber(_ here: Place, _ end: Place) -> Number? {
        if let number = longWholeNumber(here, end) { return number }
        if let text = lastShort(here, end), let number = number(text) { return number }
        return anyNumber(here, end)
    }

    /// Nine to fifteen digits in quotes: times and turnovers.
    @inline(__always)
    private static func longWholeNumber(_ here: Place, _ end: Place) -> Number? {
        guard end - here >= 17, here.pointee == UInt8(ascii: "\"") else { return nil }
        let second = FeedWord.load(here + 9)
        let bits = FeedWord.firstByte(UInt8(ascii: "\""), in: second)
        guard bits > 0, bits < 64 else { return nil }
        // One number of sixteen digits, zeros in front: its last eight, and those before them.
        let (left, right) = (UInt64(truncatingIfNeeded: 64 &- bits), UInt64(truncatingIfNeeded: bits))
        let first = FeedWord.load(here + 1) ^ FeedWord.zeros
        guard let high = FeedWord.number(first &<< left),
            let low = FeedWord.number((second ^ FeedWord.zeros) &<< left | first &>> right)
        else { return nil }
        return Number(
            digits: Int64(truncatingIfNeeded: high &* 100_000_000 &+ low), places: 0, next: here + bits / 8 + 10)
    }

    private static func anyNumber(_ start: Place, _ end: Place) -> Number? {
        var here = start
        let isQuoted = here < end && here.pointee == UInt8(ascii: "\"")
        if isQuoted { here += 1 }
        let isNegative = here < end && here.pointee == UInt8(ascii: "-")
        if isNegative { here += 1 }
        let first = here
        var digits: UInt64 = 0
        var point: Place?
        while here < end {
            let digit = here.pointee &- UInt8(ascii: "0")
            if digit <= 9 {
                digits = digits &* 10 &+ UInt64(digit)
            } else if here.pointee == UInt8(ascii: "."), point == nil {
                point = here
            } else {
                break
            }
            here += 1
        }
        let count = here - first - (point == nil ? 0 : 1)
        guard count > 0, count <= 18, here < end else { return nil }
        let whole = Int64(truncatingIfNeeded: digits)
        let places = point.map { UInt8(truncatingIfNeeded: here - $0 - 1) } ?? 0
        if isQuoted {
            guard here.pointee == UInt8(ascii: "\"") else { return nil }
            here += 1
        } else {
            guard here.pointee == UInt8(ascii: ",") || here.pointee == UInt8(ascii: "}") || isSpace(here.pointee) else {
                return nil
            }
        }
        return Number(digits: isNegative ? 0 - whole : whole, places: places, next: here)
    }
}
