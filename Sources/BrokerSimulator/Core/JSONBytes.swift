import Foundation
import NIOCore

/// JSON of whatever is encodable, with sorted keys, so that the same value always gives the same bytes.
enum JSONBytes {
    static func of(_ value: some Encodable) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Fails for numbers that JSON cannot say, which no message here holds.
        return ByteBuffer(bytes: (try? encoder.encode(value)) ?? Data("null".utf8))
    }
}
