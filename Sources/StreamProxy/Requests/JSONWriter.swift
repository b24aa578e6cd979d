import NIOCore

extension JSONValue {
    /// The compact spelling.
    var jsonBytes: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeJSON(self)
        return bytes
    }
}

extension ByteBuffer {
    mutating func writeJSON(_ value: JSONValue) {
        switch value {
        case .null: writeStaticString("null")
        case .bool(let value): writeStaticString(value ? "true" : "false")
        case .number(let literal): writeString(literal)
        case .string(let text): writeJSON(text)
        case .array(let values):
            writeStaticString("[")
            for (index, value) in values.enumerated() {
                if index > 0 { writeStaticString(",") }
                writeJSON(value)
            }
            writeStaticString("]")
        case .object(let members):
            writeStaticString("{")
            for (index, member) in members.enumerated() {
                if index > 0 { writeStaticString(",") }
                writeJSON(member.key)
                writeStaticString(":")
                writeJSON(member.value)
            }
            writeStaticString("}")
        }
    }

    /// A text in quotes. Only what must be escaped is; everything else stays UTF-8.
    mutating func writeJSON(_ text: String) {
        writeStaticString("\"")
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
            writeString(text)
        } else {
            for byte in text.utf8 { writeEscaped(byte) }
        }
        writeStaticString("\"")
    }

    private mutating func writeEscaped(_ byte: UInt8) {
        switch byte {
        case 0x22: writeStaticString("\\\"")
        case 0x5C: writeStaticString("\\\\")
        case 0x0A: writeStaticString("\\n")
        case 0x0D: writeStaticString("\\r")
        case 0x09: writeStaticString("\\t")
        case ..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            writeStaticString("\\u00")
            writeInteger(digits[Int(byte >> 4)])
            writeInteger(digits[Int(byte & 15)])
        default: writeInteger(byte)
        }
    }
}
