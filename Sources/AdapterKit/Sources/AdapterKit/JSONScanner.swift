/// Walks a JSON text front to back without allocating and without building anything.
///
/// Made for frames whose shape is known: open an object, ask for its keys, take or skip each value. Safe on any bytes:
/// it never reads past the end, never recurses and gives up beyond ``maximumDepth`` levels. After the first fault
/// ``isBroken`` is `true` and every further question is answered with `nil` or `false`.
///
/// ```swift
/// var json = JSONScanner(frame.bytes)
/// guard json.enterObject() else { return bad() }
/// while let key = json.nextKey() {
///     if key == "price" { price = json.decimal(exponent: -8) } else { json.skipValue() }
/// }
/// guard json.isFinished else { return bad() }
/// ```
///
/// A value has to be taken or skipped before the next key or element is asked for. Literals and numbers are checked
/// only as far as needed to find their end; ``decimal(exponent:)`` and ``integer()`` check the number itself.
public struct JSONScanner {
    /// Levels of nesting that are followed, this many and no more.
    public static let maximumDepth = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private let end: Int
    private var position = 0
    private var isFirst = false
    /// One bit for each open container, 1 for an object, so that brackets of the wrong kind are noticed.
    private var openObjects: UInt64 = 0
    private var depth = 0
    /// Whether the text turned out not to be the JSON that was asked for.
    public private(set) var isBroken = false

    /// Starts at the front of `text`, which has to outlive the scanner.
    public init(_ text: Bytes) {
        bytes = text.buffer
        end = text.count
    }

    /// Whether everything was read, all containers are closed and only white space is left.
    public var isFinished: Bool {
        var rest = self
        rest.skipSpace()
        return !isBroken && depth == 0 && rest.position == end
    }

    /// Where the scanner stands, in bytes from the front.
    public var offset: Int { position }

    // MARK: - Containers

    /// Enters the object that comes next.
    public mutating func enterObject() -> Bool {
        enter(UInt8(ascii: "{"), kind: 1)
    }

    /// Enters the array that comes next.
    public mutating func enterArray() -> Bool {
        enter(UInt8(ascii: "["), kind: 0)
    }

    /// The next key of the current object, without its quotes and with escapes as they are, or `nil` at its end.
    public mutating func nextKey() -> Bytes? {
        guard advance(closing: UInt8(ascii: "}"), kind: 1) else { return nil }
        guard let key = string() else { return nil }
        skipSpace()
        guard position < end, bytes[position] == UInt8(ascii: ":") else {
            fail()
            return nil
        }
        position += 1
        return key
    }

    /// Whether the current array has another element; `false` at its end.
    public mutating func nextElement() -> Bool {
        advance(closing: UInt8(ascii: "]"), kind: 0)
    }

    // MARK: - Values

    /// The string that comes next, without its quotes and with escapes as they are.
    public mutating func string() -> Bytes? {
        skipSpace()
        guard position < end, bytes[position] == UInt8(ascii: "\"") else {
            fail()
            return nil
        }
        let start = position + 1
        var here = start
        while true {
            here = Self.firstSpecial(bytes, from: here, end: end)
            guard here < end else { break }
            let byte = bytes[here]
            if byte == UInt8(ascii: "\"") {
                position = here + 1
                return piece(from: start, to: here)
            }
            guard byte == UInt8(ascii: "\\") else { break }
            here += 2
        }
        fail()
        return nil
    }

    /// The first quote, backslash or control character at or behind `start`, or something not below `end`.
    ///
    /// Strings are most of a message, so eight bytes are looked at in one go: a byte of `word ^ pattern` is zero where
    /// the pattern occurs, and subtracting 1 from each byte borrows into the top bit there. Only the lowest hit is
    /// exact, and only it is used.
    @inline(__always)
    private static func firstSpecial(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, end: Int) -> Int {
        var here = start
        guard let base = bytes.baseAddress else { return end }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops = ones &* 0x80
        while here &+ 8 <= end {
            let word = UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: here, as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let hits =
                ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word)
            if hits & tops != 0 { return here &+ (hits & tops).trailingZeroBitCount / 8 }
            here &+= 8
        }
        while here < end {
            let byte = base[here]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return here }
            here &+= 1
        }
        return here
    }

    /// The text of the number that comes next.
    public mutating func number() -> Bytes? {
        skipSpace()
        let start = position
        while position < end, Self.isNumberByte(bytes[position]) { position += 1 }
        guard position > start else {
            fail()
            return nil
        }
        return piece(from: start, to: position)
    }

    /// The text of the number that comes next, whether it is written as a number or, as many brokers do, as a string.
    public mutating func numberOrString() -> Bytes? {
        skipSpace()
        if position < end, bytes[position] == UInt8(ascii: "\"") { return string() }
        return number()
    }

    /// The number that comes next, bare or in quotes, as a mantissa: exact, or `nil` and broken.
    public mutating func decimal(exponent: Int) -> Int64? {
        guard let text = numberOrString() else { return nil }
        guard let mantissa = DecimalText.mantissa(of: text, exponent: exponent) else {
            fail()
            return nil
        }
        return mantissa
    }

    /// The whole number that comes next, bare or in quotes.
    public mutating func integer() -> Int64? {
        decimal(exponent: 0)
    }

    /// The `true` or `false` that comes next.
    public mutating func boolean() -> Bool? {
        skipSpace()
        if literal("true") { return true }
        if literal("false") { return false }
        fail()
        return nil
    }

    /// Takes a `null` if that is what comes next.
    public mutating func takeNull() -> Bool {
        skipSpace()
        return literal("null")
    }

    /// Passes over the value that comes next, whatever it is, and returns its text.
    @discardableResult
    public mutating func skipValue() -> Bytes? {
        skipSpace()
        let start = position
        let outer = depth
        repeat {
            // Inside a container: a key or the next element first, unless this was its end.
            if depth > outer {
                let isObject = openObjects & 1 == 1
                let goesOn = isObject ? nextKey() != nil : nextElement()
                if isBroken { return nil }
                if !goesOn { continue }
            }
            skipSpace()
            guard position < end else {
                fail()
                return nil
            }
            switch bytes[position] {
            case UInt8(ascii: "{"): _ = enterObject()
            case UInt8(ascii: "["): _ = enterArray()
            case UInt8(ascii: "\""): _ = string()
            case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = boolean()
            case UInt8(ascii: "n"): if !takeNull() { fail() }
            default: _ = number()
            }
            if isBroken { return nil }
        } while depth > outer
        return piece(from: start, to: position)
    }

    // MARK: - Steps

    private mutating func fail() {
        isBroken = true
        // With nothing left to read, every question fails by itself.
        position = end
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < end {
            let byte = bytes[position]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    private mutating func enter(_ bracket: UInt8, kind: UInt64) -> Bool {
        skipSpace()
        guard position < end, bytes[position] == bracket, depth < Self.maximumDepth else {
            fail()
            return false
        }
        position += 1
        depth += 1
        openObjects = openObjects << 1 | kind
        isFirst = true
        return true
    }

    /// Moves to the next member of the current container; `false` at its end.
    private mutating func advance(closing bracket: UInt8, kind: UInt64) -> Bool {
        skipSpace()
        guard position < end, depth > 0, openObjects & 1 == kind else {
            fail()
            return false
        }
        if bytes[position] == bracket {
            position += 1
            depth -= 1
            openObjects >>= 1
            isFirst = false
            return false
        }
        if !isFirst {
            guard bytes[position] == UInt8(ascii: ",") else {
                fail()
                return false
            }
            position += 1
        }
        isFirst = false
        return true
    }

    private mutating func literal(_ word: StaticString) -> Bool {
        guard end - position >= word.utf8CodeUnitCount,
            piece(from: position, to: position + word.utf8CodeUnitCount) == word
        else { return false }
        position += word.utf8CodeUnitCount
        return true
    }

    /// Only for places that were checked against the end.
    @inline(__always)
    private func piece(from start: Int, to stop: Int) -> Bytes {
        Bytes(bytes.baseAddress.map { $0 + start }, count: stop - start)
    }

    @inline(__always)
    private static func isNumberByte(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "+") || byte | 0x20 == UInt8(ascii: "e")
    }
}
