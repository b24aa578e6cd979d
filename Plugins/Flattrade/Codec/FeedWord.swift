/// Eight bytes of text in one number, the first lowest: looked at in one go and without a loop, whose end no processor
/// could foresee.
enum FeedWord {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080
    /// What makes digits of their characters, by exclusive or.
    static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// The eight bytes at `here`, which have to be there.
    @inline(__always)
    static func load(_ here: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(here).loadUnaligned(as: UInt64.self))
    }

    /// The bit at which the first `byte` of a word begins; 64 if there is none.
    @inline(__always)
    static func firstByte(_ byte: UInt8, in word: UInt64) -> Int {
        hits(byte, in: word).trailingZeroBitCount & ~7
    }

    /// The top bits of the bytes of a word that are `byte`. Only the lowest one is exact.
    ///
    /// Where the byte is, the difference is zero, and subtracting 1 borrows into its top bit.
    @inline(__always)
    static func hits(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference & tops
    }

    /// All bits of the bytes in front of the lowest of `hits`, of which there has to be one.
    @inline(__always)
    static func before(_ hits: UInt64) -> UInt64 {
        ((hits &- 1) & ~hits) &>> 7
    }

    /// The lowest `bits` bits of a word, 0 to 63.
    @inline(__always)
    static func lowest(_ bits: Int, of word: UInt64) -> UInt64 {
        word & ((1 &<< UInt64(truncatingIfNeeded: bits)) &- 1)
    }

    /// The number that eight digits make, values and not characters, the first in the lowest byte; `nil` if one is no
    /// digit. Neighbours are joined to pairs, pairs to fours, fours to the number.
    @inline(__always)
    static func number(_ digits: UInt64) -> UInt64? {
        // A byte above 9 reaches its top bit with 118 added; one that has it already carries on its own account only.
        guard ((digits & ~tops) &+ 0x7676_7676_7676_7676 | digits) & tops == 0 else { return nil }
        let pairs = (digits &* 2_561) &>> 8 & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 6_553_601) &>> 16 & 0x0000_FFFF_0000_FFFF
        return (fours &* 42_949_672_960_001) &>> 32
    }

    /// The number that the first `bits` / 8 characters of a text make, at least one and at most eight; `nil` if one is
    /// no digit.
    @inline(__always)
    static func number(_ text: UInt64, bits: Int) -> UInt64? {
        number((text ^ zeros) &<< UInt64(truncatingIfNeeded: 64 &- bits))
    }
}
