import CFeedhostABI

/// Bytes that belong to someone else and are valid for the current call only: a frame, or a piece of it.
///
/// Copy what you keep, for example with `String(bytes)`. Comparing and hashing look at the content and allocate
/// nothing.
public struct Bytes: Equatable {
    @usableFromInline let start: UnsafePointer<UInt8>?
    /// How many there are.
    public let count: Int

    /// Wraps borrowed memory; `start` may be `nil` when `count` is 0.
    @inlinable
    public init(_ start: UnsafePointer<UInt8>?, count: Int) {
        self.start = start
        self.count = start == nil ? 0 : max(0, count)
    }

    /// Wraps a borrowed buffer.
    @inlinable
    public init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.init(buffer.baseAddress, count: buffer.count)
    }

    /// No bytes.
    @inlinable
    public static var empty: Bytes { Bytes(nil, count: 0) }

    /// Whether there are none.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// The byte at `offset`, or `nil` outside.
    @inlinable
    public subscript(offset: Int) -> UInt8? {
        guard let start, offset >= 0, offset < count else { return nil }
        return start[offset]
    }

    /// The bytes from `lower` up to, not including, `upper`, cut to what there is.
    @inlinable
    public func slice(from lower: Int, to upper: Int = .max) -> Bytes {
        let lower = min(max(0, lower), count)
        let upper = min(max(lower, upper), count)
        guard let start else { return .empty }
        return Bytes(start + lower, count: upper - lower)
    }

    /// The first place of `byte`, or `nil`.
    @inlinable
    public func firstIndex(of byte: UInt8) -> Int? {
        guard let start else { return nil }
        var offset = 0
        while offset < count {
            if start[offset] == byte { return offset }
            offset += 1
        }
        return nil
    }

    /// The byte if there is exactly one, for one-letter keys; otherwise `nil`.
    @inlinable
    public var only: UInt8? { count == 1 ? self[0] : nil }

    /// As a buffer, for code that needs one.
    @inlinable
    public var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

    /// Compares the content.
    @inlinable
    public static func == (a: Bytes, b: Bytes) -> Bool {
        guard a.count == b.count else { return false }
        guard let left = a.start, let right = b.start else { return true }
        var offset = 0
        while offset < a.count {
            if left[offset] != right[offset] { return false }
            offset += 1
        }
        return true
    }

    /// Compares the content with a literal.
    @inlinable
    public static func == (a: Bytes, b: StaticString) -> Bool {
        guard b.hasPointerRepresentation else { return false }
        return a == Bytes(b.utf8Start, count: b.utf8CodeUnitCount)
    }

    init(_ text: fh_str) {
        self.init(
            text.ptr.map { UnsafeRawPointer($0).assumingMemoryBound(to: UInt8.self) }, count: Int(clamping: text.len))
    }
}

extension String {
    /// Copies borrowed bytes; what is not UTF-8 becomes U+FFFD.
    public init(_ bytes: Bytes) {
        self.init(decoding: bytes.buffer, as: UTF8.self)
    }

    init(_ text: fh_str) {
        self.init(Bytes(text))
    }

    /// Lends the text to a C call for as long as `body` runs.
    func withBorrowed<R>(_ body: (fh_str) throws -> R) rethrows -> R {
        var copy = self
        return try copy.withUTF8 { try body(fh_str($0)) }
    }
}

extension fh_str {
    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.init(
            ptr: buffer.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) },
            len: UInt64(buffer.count))
    }
}
