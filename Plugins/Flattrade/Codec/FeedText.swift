import AdapterKit

/// The few questions that a flat JSON object of strings needs, asked of a place in it. Each answers with the next place,
/// or with `nil` when the text is not what was asked for; nothing is read at or behind `end`.
enum FeedText {
    typealias Place = UnsafePointer<UInt8>

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// A number as it is written: its digits without the point, and how many of them are behind it.
    struct Number {
        var digits: Int64
        var places: UInt8
        var next: Place
    }

    /// Whether only white space is left.
    static func isAtEnd(_ here: Place, _ end: Place) -> Bool {
        var here = here
        skipSpace(&here, end)
        return here == end
    }

    /// Takes `byte` if it comes next.
    @inline(__always)
    static func take(_ byte: UInt8, _ here: inout Place, _ end: Place) -> Bool {
        if here < end, here.pointee == byte {
            here += 1
            return true
        }
        skipSpace(&here, end)
        guard here < end, here.pointee == byte else { return false }
        here += 1
        return true
    }

    /// Takes a member's name and the colon behind it, and goes to the value. Packed; 0 for a name longer than eight bytes.
    @inline(__always)
    static func key(_ here: inout Place, _ end: Place) -> UInt64? {
        guard take(UInt8(ascii: "\""), &here, end) else { return nil }
        var key: UInt64
        let hit = end - here >= 8 ? firstByte(UInt8(ascii: "\""), in: word(here)) : 64
        // Behind a backslash the quote is part of the name.
        if hit < 64, hit == 0 || here[hit / 8 - 1] != UInt8(ascii: "\\") {
            key = word(here) & (1 &<< UInt64(truncatingIfNeeded: hit) &- 1)
            here += hit / 8 + 1
        } else {
            guard let (name, next) = string(here - 1, end) else { return nil }
            key = name.packed
            here = next
        }
        guard take(UInt8(ascii: ":"), &here, end) else { return nil }
        if here < end, here.pointee <= 0x20 { skipSpace(&here, end) }
        return key
    }

    /// The number in quotes, or bare, at `here`: at most 18 digits, no exponent.
    ///
    /// Nearly all have at most eight characters in quotes: those are looked at in one go and without a loop, whose end
    /// no processor could foresee.
    @inline(__always)
    static func number(_ here: Place, _ end: Place) -> Number? {
        guard end - here >= 10, here.pointee == UInt8(ascii: "\"") else { return longNumber(here, end) }
        let text = word(here + 1)
        var length = firstByte(UInt8(ascii: "\""), in: text)
        guard length < 64 || here[9] == UInt8(ascii: "\"") else { return longNumber(here, end) }
        let next = here + length / 8 + 2
        var digits = length == 64 ? text : text & (1 &<< UInt64(truncatingIfNeeded: length) &- 1)
        var places = 0
        let point = firstByte(UInt8(ascii: "."), in: digits)
        if point < 64 {
            let low = digits & (1 &<< UInt64(truncatingIfNeeded: point) &- 1)
            let high = point == 56 ? 0 : digits &>> UInt64(truncatingIfNeeded: point &+ 8)
            digits = low | high &<< UInt64(truncatingIfNeeded: point)
            length &-= 8
            places = (length &- point) / 8
        }
        // The digits go to the high end, behind zeros.
        guard length > 0 else { return nil }
        let room = UInt64(truncatingIfNeeded: 64 &- length)
        let zeros = 0x3030_3030_3030_3030 & (room == 0 ? 0 : (1 &<< room) &- 1)
        guard let value = eightDigits(digits &<< room | zeros) else { return longNumber(here, end) }
        return Number(digits: Int64(value), places: UInt8(truncatingIfNeeded: places), next: next)
    }

    /// The same for numbers of any length, with a sign or without quotes.
    @inline(never)
    private static func longNumber(_ start: Place, _ end: Place) -> Number? {
        var here = start
        let isQuoted = here < end && here.pointee == UInt8(ascii: "\"")
        if isQuoted { here += 1 }
        let isNegative = here < end && here.pointee == UInt8(ascii: "-")
        if isNegative { here += 1 }
        let first = here
        var digits: UInt64 = 0
        if end - here >= 8, let eight = eightDigits(word(here)) {
            digits = eight
            here += 8
        }
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

    /// Passes over a value that is no number, and says whether it is one of the broker's ways to leave it out.
    @inline(never)
    static func otherThanNumber(_ here: Place, _ end: Place) -> (isAbsent: Bool, next: Place)? {
        if let (value, next) = string(here, end) { return (value.isPlaceholder, next) }
        guard let next = skipValue(here, end) else { return nil }
        return (Bytes(here, count: next - here) == "null", next)
    }

    /// The string at `here`: what is between its quotes, escapes as they are.
    static func string(_ here: Place, _ end: Place) -> (value: Bytes, next: Place)? {
        guard here < end, here.pointee == UInt8(ascii: "\"") else { return nil }
        let start = here + 1
        var here = start
        while here < end, here.pointee != UInt8(ascii: "\"") {
            here += here.pointee == UInt8(ascii: "\\") && end - here > 1 ? 2 : 1
        }
        guard here < end else { return nil }
        return (Bytes(start, count: here - start), here + 1)
    }

    /// Behind the value at `here`, whatever it is.
    static func skipValue(_ here: Place, _ end: Place) -> Place? {
        if let (_, next) = string(here, end) { return next }
        var json = JSONScanner(Bytes(here, count: end - here))
        return json.skipValue() == nil ? nil : here + json.offset
    }

    // MARK: - Steps

    @inline(__always)
    private static func word(_ here: Place) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(here).loadUnaligned(as: UInt64.self))
    }

    /// The bit at which the first `byte` of a word begins; 64 if there is none.
    ///
    /// Where the byte is, the difference is zero, and subtracting 1 borrows into its top bit. The lowest hit is exact.
    @inline(__always)
    private static func firstByte(_ byte: UInt8, in word: UInt64) -> Int {
        let difference = word ^ (ones &* UInt64(byte))
        return ((difference &- ones) & ~difference & tops).trailingZeroBitCount & ~7
    }

    /// The number that eight digits make, the first in the lowest byte; `nil` if one is no digit. Neighbours are joined
    /// to pairs, pairs to fours, fours to the number.
    @inline(__always)
    private static func eightDigits(_ text: UInt64) -> UInt64? {
        let digits = text ^ 0x3030_3030_3030_3030
        // A byte above 9 reaches its top bit with 118 added; one that has it already carries on its own account only.
        guard ((digits & ~tops) &+ 0x7676_7676_7676_7676 | digits) & tops == 0 else { return nil }
        let pairs = (digits &* 2_561) &>> 8 & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 6_553_601) &>> 16 & 0x0000_FFFF_0000_FFFF
        return (fours &* 42_949_672_960_001) &>> 32
    }

    @inline(__always)
    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    @inline(__always)
    private static func skipSpace(_ here: inout Place, _ end: Place) {
        while here < end, isSpace(here.pointee) { here += 1 }
    }
}

extension Bytes {
    /// Up to eight bytes as one number, see ``PackedText``; 0 if there are more.
    var packed: UInt64 {
        guard count <= 8 else { return 0 }
        let bytes = buffer
        var packed: UInt64 = 0
        var offset = count
        while offset > 0 {
            offset &-= 1
            packed = packed &<< 8 | UInt64(bytes[offset])
        }
        return packed
    }

    /// Whether this is how the broker writes that there is no value.
    var isPlaceholder: Bool {
        buffer.allSatisfy { $0 == UInt8(ascii: "-") } || self == "NA" || self == "null"
    }
}
