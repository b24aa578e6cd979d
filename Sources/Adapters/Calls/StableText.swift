import CFeedhostABI
import MarketData
import Secrets

/// Bytes at a fixed address for as long as this object lives, to be lent to an adapter. They are overwritten at its end: some
/// are secrets.
package final class StableText: Sendable {
    // Written once in init, then only read.
    nonisolated(unsafe) private let bytes: UnsafeMutableBufferPointer<CChar>

    package init(_ text: String) {
        let utf8 = Array(text.utf8)
        bytes = .allocate(capacity: utf8.count + 1)
        for (index, byte) in utf8.enumerated() { bytes[index] = CChar(bitPattern: byte) }
        bytes[utf8.count] = 0
    }

    /// No other copy is made.
    init(_ secret: Secret) {
        bytes = secret.withBytes { utf8 in
            let bytes = UnsafeMutableBufferPointer<CChar>.allocate(capacity: utf8.count + 1)
            UnsafeMutableRawBufferPointer(bytes).copyMemory(from: utf8)
            bytes[utf8.count] = 0
            return bytes
        }
    }

    deinit {
        wipe()
        bytes.deallocate()
    }

    func wipe() { UnsafeMutableRawBufferPointer(bytes).wipe() }

    /// For fields that are `fh_str`.
    package var str: fh_str { fh_str(ptr: UnsafePointer(bytes.baseAddress), len: UInt64(bytes.count - 1)) }

    /// For fields that are NUL-terminated.
    var cString: UnsafePointer<CChar>? { UnsafePointer(bytes.baseAddress) }
}

extension fh_str {
    /// The text, with bytes that are no UTF-8 replaced; empty when there is none.
    var text: String {
        guard let ptr, len > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: ptr, count: Int(clamping: len)), as: UTF8.self)
    }

    /// Text of a plugin for a log or an answer: bounded, and on one line.
    var line: String { line(without: Redaction()) }

    /// The same for texts in which a plugin may repeat what it was lent.
    func line(without secrets: Redaction) -> String {
        // Cleaned before it is cut: half a secret would not be found.
        String(secrets.clean(bytes, limit: 1024).map { $0.isNewline || ($0.asciiValue ?? 32) < 32 ? " " : $0 })
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: ptr, count: ptr == nil ? 0 : Int(clamping: len)) }
}
