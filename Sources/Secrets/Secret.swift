import Glibc

/// A text that cannot be printed by accident: descriptions, interpolation, mirrors and dumps show `‹secret›`.
///
/// Its bytes lie in one place, shared by all copies, and are overwritten when the last copy goes. What cannot be
/// overwritten are texts that Swift has copied meanwhile: the one that ``init(_:)`` was given, and every ``revealed``.
/// So use ``withBytes(_:)`` where bytes will do. Any thread.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let storage: Storage

    public init(_ text: String) {
        var text = text
        storage = text.withUTF8 { Storage(UnsafeRawBufferPointer($0)) }
    }

    /// - Parameter bytes: UTF-8.
    public init(bytes: UnsafeRawBufferPointer) { storage = Storage(bytes) }

    /// Nil when the bytes are no UTF-8.
    public init?(utf8 bytes: UnsafeRawBufferPointer) {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        // Without a text that holds them, which could not be wiped.
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue: continue
            case .emptyInput:
                self.init(bytes: bytes)
                return
            case .error: return nil
            }
        }
    }

    /// The text itself. Call it only where the secret is used, never where something is written. It is a copy that is
    /// not wiped.
    public var revealed: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// Lends the text as UTF-8. The bytes must not be kept.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// Takes as long for the wrong one as for the right one of the same length.
    public static func == (one: Secret, other: Secret) -> Bool {
        one.withBytes { one in
            other.withBytes { other in
                guard one.count == other.count else { return false }
                var difference: UInt8 = 0
                for index in one.indices { difference |= one[index] ^ other[index] }
                return difference == 0
            }
        }
    }

    public func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }

    public var description: String { "‹secret›" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
    public var isEmpty: Bool { storage.bytes.isEmpty }
}

/// The bytes of a secret, and their end.
private final class Storage: Sendable {
    // Written in `init` alone, so all threads may read it.
    nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer

    init(_ source: UnsafeRawBufferPointer) {
        bytes = .allocate(byteCount: source.count, alignment: 1)
        bytes.copyMemory(from: source)
    }

    deinit {
        bytes.wipe()
        bytes.deallocate()
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the bytes with zeros, which no optimiser leaves out.
    public func wipe() {
        guard let baseAddress else { return }
        explicit_bzero(baseAddress, count)
    }
}
