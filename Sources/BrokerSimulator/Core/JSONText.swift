import MarketData

/// Writes JSON whose members keep the order in which a broker sends them.
enum JSONText {
    /// One member's value.
    enum Value {
        case text(String)
        /// Written as it is: a number, or a whole object.
        case raw(String)
    }

    /// A JSON string with its quotes, escaped as RFC 8259 section 7 wants it.
    static func quoted(_ text: String) -> String {
        var writer = JSONWriter(capacity: text.utf8.count + 8)
        writer.string(text)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    static func object(_ members: [(String, Value)]) -> String {
        let parts = members.map { name, value in
            switch value {
            case .text(let text): "\(quoted(name)):\(quoted(text))"
            case .raw(let json): "\(quoted(name)):\(json)"
            }
        }
        return "{" + parts.joined(separator: ",") + "}"
    }
}
