import AdapterKit

/// The few questions that a flat JSON object of strings needs, asked of a place in it. Each answers with the next place,
/// or with `nil` when the text is not what was asked for; nothing is read at or behind `end`.
enum FeedText {
    typealias Place = UnsafePointer<UInt8>

    /// Whether only white space is left.
    static func isAtEnd(_ here: Place, _ end: Place) -> Bool {
        skippingSpace(here, end) == end
    }

    /// Takes `byte` if it comes next.
    @inline(__always)
    static func take(_ byte: UInt8, _ here: inout Place, _ end: Place) -> Bool {
        guard here < end else { return false }
        if here.pointee == byte {
            here += 1
            return true
        }
        guard here.pointee <= 0x20 else { return false }
        let next = skippingSpace(here, end)
        guard next < end, next.pointee == byte else { return false }
        here = next + 1
        return true
    }

    /// Takes a member's name and the colon behind it, and goes to the value. Packed; 0 for a name longer than eight bytes.
    @inline(__always)
    static func key(_ here: inout Place, _ end: Place) -> UInt64? {
        // Nearly all names are short, and there is no white space around the colon.
        if end - here >= 11, here.pointee == UInt8(ascii: "\"") {
            let word = FeedWord.load(here + 1)
            let hits = FeedWord.hits(UInt8(ascii: "\""), in: word)
            // The character in front of the closing quote, which has to be part of the name.
            let last = here + hits.trailingZeroBitCount &>> 3
            if hits != 0, last.pointee != UInt8(ascii: "\\"), last[2] == UInt8(ascii: ":"), last[3] > 0x20 {
                here = last + 3
                return word & FeedWord.before(hits)
            }
        }
        guard let (key, next) = anyKey(here, end) else { return nil }
        here = next
        return key
    }

    @inline(never)
    private static func anyKey(_ start: Place, _ end: Place) -> (key: UInt64, next: Place)? {
        guard let (name, next) = string(skippingSpace(start, end), end) else { return nil }
        var here = next
        guard take(UInt8(ascii: ":"), &here, end) else { return nil }
        return (name.packed, skippingSpace(here, end))
    }

    /// A string of at most eight bytes: a word that begins with them, and how many bits are theirs.
    struct Short {
        var word: UInt64
        var bits: Int
        var next: Place

        /// As ``PackedText`` has it.
        @inline(__always)
        var packed: UInt64 { bits == 64 ? word : FeedWord.lowest(bits, of: word) }
    }

    /// The string at `here` if it is short, and not so near to the end that its word would reach over it.
    @inline(__always)
    static func short(_ here: Place, _ end: Place) -> Short? {
        guard end - here >= 10, here.pointee == UInt8(ascii: "\"") else { return nil }
        let word = FeedWord.load(here + 1)
        let bits = FeedWord.firstByte(UInt8(ascii: "\""), in: word)
        let close = here + bits &>> 3
        // Behind a backslash the quote is part of the string.
        guard close[1] == UInt8(ascii: "\""), close.pointee != UInt8(ascii: "\\") else { return nil }
        return Short(word: word, bits: bits, next: close + 2)
    }

    /// The same for the last value of a message, whose word would reach over the end. Only for values, because there are at
    /// least four bytes of the message in front of one.
    @inline(never)
    static func lastShort(_ here: Place, _ end: Place) -> Short? {
        let left = end - here
        guard left >= 4, left < 10, here.pointee == UInt8(ascii: "\"") else { return nil }
        // The message's last eight bytes, without those in front of the string.
        let word = FeedWord.load(end - 8) &>> UInt64(truncatingIfNeeded: 72 &- left &* 8)
        let bits = FeedWord.firstByte(UInt8(ascii: "\""), in: word)
        let close = here + bits &>> 3
        guard bits < 64, close.pointee != UInt8(ascii: "\\") else { return nil }
        return Short(word: word, bits: bits, next: close + 2)
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
        while true {
            while end - here >= 8 {
                let word = FeedWord.load(here)
                let hits =
                    FeedWord.hits(UInt8(ascii: "\""), in: word) | FeedWord.hits(UInt8(ascii: "\\"), in: word)
                guard hits == 0 else {
                    here += hits.trailingZeroBitCount &>> 3
                    break
                }
                here += 8
            }
            guard here < end else { return nil }
            if here.pointee == UInt8(ascii: "\"") { return (Bytes(start, count: here - start), here + 1) }
            here += here.pointee == UInt8(ascii: "\\") && end - here > 1 ? 2 : 1
        }
    }

    /// Behind the value at `here`, whatever it is.
    static func skipValue(_ here: Place, _ end: Place) -> Place? {
        if let (_, next) = string(here, end) { return next }
        var json = JSONScanner(Bytes(here, count: end - here))
        return json.skipValue() == nil ? nil : here + json.offset
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    @inline(never)
    private static func skippingSpace(_ here: Place, _ end: Place) -> Place {
        var here = here
        while here < end, isSpace(here.pointee) { here += 1 }
        return here
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
