import CFeedhostABI
import NIOHTTP1

/// One header field. Values are secrets.
public struct HeaderField: Sendable, Hashable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What header fields an adapter may send.
enum HeaderRules {
    private static let maxFields = 128
    private static let maxBytes = 65_536
    /// The transport's own: they say how the message is framed and encoded.
    private static let reserved: Set<String> = [
        "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer", "expect", "accept-encoding",
        "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-accept",
    ]

    /// - Throws: `FH_E_INVALID`, with the field's name and without its value.
    static func headers(_ fields: [HeaderField], url: TransportURL) throws(TransportFailure) -> HTTPHeaders {
        guard fields.count <= maxFields else {
            throw TransportFailure(FH_E_INVALID, "more than \(maxFields) header fields for \(url)")
        }
        var headers = HTTPHeaders()
        var bytes = 0
        for field in fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(isTokenByte) else {
                throw TransportFailure(FH_E_INVALID, "a header field's name is malformed, for \(url)")
            }
            guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw TransportFailure(
                    FH_E_INVALID, "the header field \(field.name) holds control characters, for \(url)")
            }
            guard !reserved.contains(field.name.lowercased()) else {
                throw TransportFailure(
                    FH_E_INVALID, "the header field \(field.name) is the host's own, for \(url)")
            }
            bytes += field.name.utf8.count + field.value.utf8.count
            headers.add(name: field.name, value: field.value)
        }
        guard bytes <= maxBytes else { throw TransportFailure(FH_E_INVALID, "header fields above 64 KiB for \(url)") }
        if !headers.contains(name: "Host") { headers.add(name: "Host", value: url.hostField) }
        return headers
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}
