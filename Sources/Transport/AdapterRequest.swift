import CFeedhostABI
import NIOCore

/// An `fh_request`, copied: the adapter's memory is borrowed for the call.
package struct AdapterRequest {
    /// Sizes and counts above these are mistakes, not requests.
    private enum Bound {
        static let url: UInt64 = 16_384
        static let field: UInt64 = 65_536
        static let fields: UInt32 = 128
        static let body: UInt64 = 16 << 20
    }
    /// Size of the table in ABI 1.0.
    static let firstSize = 72

    package let url: String
    package let method: UInt32
    package let fields: [HeaderField]
    package let body: ByteBuffer
    /// Milliseconds.
    package let timeout: Int64
    let user: UInt64

    /// - Throws: `FH_E_INVALID`, without what is secret.
    package init(_ pointer: UnsafePointer<fh_request>?) throws(TransportFailure) {
        guard let pointer, pointer.pointee.size >= Self.firstSize else {
            throw TransportFailure(FH_E_INVALID, "the request is missing or too short")
        }
        let raw = pointer.pointee
        url = try Self.text(raw.url, limit: Bound.url, what: "the URL")
        guard raw.body.len == 0 || raw.body.ptr != nil, raw.body.len <= Bound.body else {
            throw TransportFailure(FH_E_INVALID, "the body has \(raw.body.len) bytes; 16 MiB are possible")
        }
        body = ByteBuffer(bytes: UnsafeRawBufferPointer(start: raw.body.ptr, count: Int(raw.body.len)))
        guard raw.field_count <= Bound.fields, raw.field_count == 0 || raw.fields != nil else {
            throw TransportFailure(FH_E_INVALID, "the request has \(raw.field_count) header fields; 128 are possible")
        }
        var fields: [HeaderField] = []
        for index in 0..<Int(raw.field_count) {
            guard let field = raw.fields?[index] else { break }
            fields.append(
                HeaderField(
                    try Self.text(field.name, limit: 256, what: "a header field's name"),
                    try Self.text(field.value, limit: Bound.field, what: "a header field's value")))
        }
        self.fields = fields
        method = raw.method
        timeout = raw.timeout_ms == 0 ? 10_000 : Int64(raw.timeout_ms)
        user = raw.user
    }

    private static func text(_ str: fh_str, limit: UInt64, what: String) throws(TransportFailure) -> String {
        guard str.len <= limit else { throw TransportFailure(FH_E_INVALID, "\(what) is longer than \(limit) bytes") }
        guard str.len > 0 else { return "" }
        guard let start = str.ptr else { throw TransportFailure(FH_E_INVALID, "\(what) is missing") }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(str.len))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TransportFailure(FH_E_INVALID, "\(what) is not UTF-8")
        }
        return text
    }
}
