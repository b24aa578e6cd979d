import AdapterKit

/// Strings inside JSON values that the scanner has passed over.
enum JSONText {
    /// What is between the quotes of `value`, escapes as they are; a number or a literal as it is; `null` is empty.
    static func content(_ value: Bytes?) -> Bytes {
        guard let value else { return .empty }
        if value[0] == UInt8(ascii: "\"") { return value.slice(from: 1, to: value.count - 1) }
        return value == "null" ? .empty : value
    }

    /// A copy with the escapes undone; a wrong escape is kept as it is written.
    static func string(_ text: Bytes) -> String {
        guard text.firstIndex(of: UInt8(ascii: "\\")) != nil else { return String(text) }
        var result: [UInt16] = []
        var rest = String(text).utf16[...]
        while let unit = rest.popFirst() {
            guard unit == UInt16(UInt8(ascii: "\\")), let escape = rest.popFirst() else {
                result.append(unit)
                continue
            }
            let isUnicode = escape == UInt16(UInt8(ascii: "u"))
            if isUnicode, let code = UInt16(String(decoding: rest.prefix(4), as: UTF16.self), radix: 16) {
                result.append(code)
                rest = rest.dropFirst(4)
            } else {
                result.append(plain[escape] ?? escape)
            }
        }
        return String(decoding: result, as: UTF16.self)
    }

    private static let plain: [UInt16: UInt16] = [
        UInt16(UInt8(ascii: "n")): 0x0A, UInt16(UInt8(ascii: "t")): 0x09, UInt16(UInt8(ascii: "r")): 0x0D,
        UInt16(UInt8(ascii: "b")): 0x08, UInt16(UInt8(ascii: "f")): 0x0C,
    ]
}
