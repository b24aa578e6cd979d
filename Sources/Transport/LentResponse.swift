import CFeedhostABI
import NIOCore

/// Lends an answer as an `fh_response` for the time of one call.
enum LentResponse {
    /// - Parameter answer: Nil when none came.
    static func with(_ answer: HTTPAnswer?, status: fh_status, _ body: (UnsafePointer<fh_response>) -> Void) {
        // All texts in one block of memory, so that one pointer is lent and not two for every field.
        var text: [UInt8] = []
        var spans: [(name: Range<Int>, value: Range<Int>)] = []
        for field in answer?.fields ?? [] {
            let start = text.count
            text.append(contentsOf: field.name.utf8)
            let middle = text.count
            text.append(contentsOf: field.value.utf8)
            spans.append((start..<middle, middle..<text.count))
        }
        text.withUnsafeBytes { text in
            let fields = spans.map { fh_field(name: lend(text, $0.name), value: lend(text, $0.value)) }
            fields.withUnsafeBufferPointer { fields in
                (answer?.body ?? ByteBuffer()).withUnsafeReadableBytes { bytes in
                    var response = fh_response(
                        size: UInt32(MemoryLayout<fh_response>.size), field_count: UInt32(fields.count), status: status,
                        http_status: Int32(answer?.status ?? 0), fields: fields.baseAddress,
                        body: lend(bytes, 0..<bytes.count))
                    body(&response)
                }
            }
        }
    }

    private static func lend(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> fh_str {
        let start = bytes.baseAddress.map { ($0 + range.lowerBound).assumingMemoryBound(to: CChar.self) }
        return fh_str(ptr: start, len: UInt64(range.count))
    }
}
