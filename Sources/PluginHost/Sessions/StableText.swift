import CFeedhostABI
import Glibc

/// Bytes at a fixed address for as long as this object lives, to be lent to an adapter.
final class StableText: Sendable {
    // Written once in init, then only read.
    nonisolated(unsafe) private let bytes: UnsafeMutableBufferPointer<CChar>

    init(_ text: String) {
        let utf8 = Array(text.utf8)
        bytes = .allocate(capacity: utf8.count + 1)
        for (index, byte) in utf8.enumerated() { bytes[index] = CChar(bitPattern: byte) }
        bytes[utf8.count] = 0
    }

    /// For secrets: no other copy is made.
    init(utf8: UnsafeRawBufferPointer) {
        bytes = .allocate(capacity: utf8.count + 1)
        UnsafeMutableRawBufferPointer(bytes).copyMemory(from: utf8)
        bytes[utf8.count] = 0
    }

    deinit { bytes.deallocate() }

    /// For fields that are `fh_str`.
    var str: fh_str { fh_str(ptr: UnsafePointer(bytes.baseAddress), len: UInt64(bytes.count - 1)) }

    /// For fields that are NUL-terminated.
    var cString: UnsafePointer<CChar>? { UnsafePointer(bytes.baseAddress) }

    /// Overwrites the text: it was a secret.
    func wipe() {
        // Not a loop: the compiler drops stores to memory that is freed next.
        if let start = bytes.baseAddress { explicit_bzero(start, bytes.count) }
    }
}

extension fh_str {
    /// The text, with bytes that are no UTF-8 replaced; empty when there is none.
    var text: String {
        guard let ptr, len > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: ptr, count: Int(clamping: len)), as: UTF8.self)
    }

    /// Text of an adapter for a log or an answer: bounded, and on one line.
    var line: String {
        let bounded = ptr == nil ? "" : fh_str(ptr: ptr, len: min(len, 1024)).text
        return String(bounded.map { $0.isNewline || ($0.asciiValue ?? 32) < 32 ? " " : $0 })
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: ptr, count: ptr == nil ? 0 : Int(clamping: len)) }
}
