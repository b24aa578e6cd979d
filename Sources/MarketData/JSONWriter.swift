/// Writes JSON into memory that it keeps: after the first few messages nothing is allocated any more.
///
/// Not thread-safe; whoever encodes owns one. The writer puts commas itself, so fields can be left out freely.
public struct JSONWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var count = 0

    public init(capacity: Int = 4096) {
        base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    /// What has been written, valid until the next call that changes the writer.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    public mutating func removeAll() { count = 0 }

    @inline(__always)
    private mutating func reserve(_ bytes: Int) {
        if count + bytes > capacity { grow(bytes) }
    }

    @inline(never)
    private mutating func grow(_ bytes: Int) {
        let larger = max(capacity * 2, count + bytes)
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        memory.update(from: base, count: count)
        base.deallocate()
        base = memory
        capacity = larger
    }

    @inline(__always)
    public mutating func byte(_ value: UInt8) {
        reserve(1)
        base[count] = value
        count += 1
    }

    @inline(__always)
    public mutating func raw(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        reserve(length)
        (base + count).update(from: text.utf8Start, count: length)
        count += length
    }

    public mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    /// Where the next byte goes.
    public var position: Int { count }

    /// Writes once more what has been written there.
    /// - Parameter range: Positions before the present one.
    public mutating func again(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "only what has been written can be repeated")
        reserve(range.count)
        (base + count).update(from: base + range.lowerBound, count: range.count)
        count += range.count
    }

    public mutating func raw(_ bytes: [UInt8]) { bytes.withUnsafeBytes { raw($0) } }

    /// A JSON string with its quotes, escaped as RFC 8259 section 7 wants it.
    public mutating func string(_ text: String) {
        byte(UInt8(ascii: "\""))
        for scalar in text.utf8 {
            switch scalar {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case 0x0A: raw("\\n")
            case 0x0D: raw("\\r")
            case 0x09: raw("\\t")
            case 0..<0x20:
                raw("\\u00")
                byte(JSONWriter.hex(scalar >> 4))
                byte(JSONWriter.hex(scalar & 15))
            default: byte(scalar)
            }
        }
        byte(UInt8(ascii: "\""))
    }

    private static func hex(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    public mutating func unsigned(_ value: UInt64) {
        reserve(20)
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, value >= bound {
            digits += 1
            if digits < 20 { bound &*= 10 }
        }
        var rest = value
        var at = count + digits
        repeat {
            at -= 1
            base[at] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest != 0
        count += digits
    }

    public mutating func integer(_ value: Int64) {
        if value < 0 { byte(UInt8(ascii: "-")) }
        unsigned(value.magnitude)
    }

    /// `mantissa * 10^exponent`, exactly, without trailing zeros. A price keeps one decimal (`1401.0`), because the
    /// Python proxy sends floats and clients declare the field as one; `whole` leaves it out, for quantities.
    public mutating func decimal(_ mantissa: Int64, exponent: Int8, whole: Bool = false) {
        if mantissa < 0 { byte(UInt8(ascii: "-")) }
        var rest = mantissa.magnitude
        guard exponent < 0 else {
            unsigned(rest)
            if rest != 0 { for _ in 0..<min(exponent, 18) { byte(UInt8(ascii: "0")) } }
            if !whole { raw(".0") }
            return
        }
        var decimals = min(-Int(exponent), 18)
        while decimals > 0, rest % 10 == 0 {
            rest /= 10
            decimals -= 1
        }
        guard decimals > 0 else {
            unsigned(rest)
            if !whole { raw(".0") }
            return
        }
        let scale = Decimals.power(decimals)
        unsigned(rest / scale)
        byte(UInt8(ascii: "."))
        reserve(decimals)
        var fraction = rest % scale
        for at in stride(from: count + decimals - 1, through: count, by: -1) {
            base[at] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction % 10)
            fraction /= 10
        }
        count += decimals
    }
}
