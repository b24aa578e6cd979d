/// What a client sent against RFC 6455 or 7692: what to count, and what its close frame says.
struct ProtocolViolation: Error, Equatable {
    let kind: ProxyCounters.Violation
    let close: CloseReason

    private init(_ kind: ProxyCounters.Violation, _ close: CloseReason) {
        self.kind = kind
        self.close = close
    }

    private static func breach(_ kind: ProxyCounters.Violation, _ text: String) -> ProtocolViolation {
        ProtocolViolation(kind, CloseReason(CloseReason.protocolError.code, text))
    }

    static let unmasked = breach(.unmasked, "frames from clients must be masked")
    static let reservedBits = breach(.reservedBits, "reserved bits must be 0")
    static let opcode = breach(.opcode, "unknown opcode")
    static let control = breach(.control, "control frames must be whole and at most 125 bytes long")
    static let fragmentation = breach(.fragmentation, "fragments out of order")
    static let length = breach(.length, "length not in its shortest form")
    static let closePayload = breach(.closePayload, "invalid close frame")
    static let text = ProtocolViolation(.text, CloseReason(CloseReason.invalidData.code, "text is not UTF-8"))
    static let deflate = ProtocolViolation(
        .deflate, CloseReason(CloseReason.invalidData.code, "message cannot be decompressed"))
    static let tooBig = ProtocolViolation(.tooBig, .tooBig)
}
