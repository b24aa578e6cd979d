@testable import Adapters

/// The headers of a small shared library, to be spoilt.
struct ELFBytes {
    private(set) var bytes: [UInt8]

    /// Two loadable segments and a dynamic section in 1,024 bytes, a section table at the end.
    init(machine: UInt16 = ELFMachine.own.rawValue) {
        bytes = [UInt8](repeating: 0, count: 1_024)
        put([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1], at: 0)
        put16(3, at: 16)
        put16(machine, at: 18)
        put64(64, at: 32)
        put64(896, at: 40)
        put16(56, at: 54)
        put16(3, at: 56)
        put16(64, at: 58)
        put16(2, at: 60)
        segment(0, kind: 1, offset: 0, size: 512)
        segment(1, kind: 1, offset: 512, size: 256)
        segment(2, kind: 2, offset: 600, size: 64)
    }

    mutating func segment(_ index: Int, kind: UInt8, offset: UInt64, size: UInt64) {
        let base = 64 + index * 56
        put([kind, 0, 0, 0], at: base)
        put64(offset, at: base + 8)
        put64(size, at: base + 32)
        put64(size, at: base + 40)
    }

    mutating func put(_ values: [UInt8], at index: Int) {
        bytes.replaceSubrange(index..<index + values.count, with: values)
    }
    mutating func put16(_ value: UInt16, at index: Int) { put([UInt8(value & 0xFF), UInt8(value >> 8)], at: index) }
    mutating func put64(_ value: UInt64, at index: Int) {
        put((0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }, at: index)
    }

    mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }

    /// The refusal's sentence; nil when the image is sound.
    func refusal() -> String? { Self.refusal(bytes) }

    static func refusal(_ bytes: [UInt8]) -> String? {
        let image = ELFImage(size: UInt64(bytes.count)) { offset, count in
            guard offset < UInt64(bytes.count) else { return [] }
            return Array(bytes[Int(offset)..<min(bytes.count, Int(offset) + count)])
        }
        do throws(PluginRefusal) { try image.check() } catch { return error.reason }
        return nil
    }
}
