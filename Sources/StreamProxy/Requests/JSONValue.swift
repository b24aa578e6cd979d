import NIOCore

/// A JSON value as a client wrote it: members keep their order, numbers their spelling, so that whatever is echoed
/// (`request_id`, `timestamp`) comes back as it came.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The literal: `1`, `1.0` and `1e0` differ, as they do in Python.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Equatable, Sendable {
        let key: String
        let value: JSONValue
    }

    static func int(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

    /// The member of an object; the last one if a key comes twice.
    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// A whole number written as one; `1.0` is none, and neither is `true`.
    var int: Int? {
        if case .number(let literal) = self { Int(literal) } else { nil }
    }

    var double: Double? {
        if case .number(let literal) = self { Double(literal) } else { nil }
    }

    /// This object with one more member at its end.
    func adding(_ key: String, _ value: JSONValue?) -> JSONValue {
        guard let value, case .object(let members) = self else { return self }
        return .object(members + [Member(key: key, value: value)])
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByBooleanLiteral {
    init(stringLiteral value: String) { self = .string(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }
}

// What the recorded replies of the Python proxy show of its language; clients print these texts.
extension JSONValue {
    /// Whether Python's `or` would take it.
    var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let literal): Double(literal) != 0
        case .string(let text): !text.isEmpty
        case .array(let values): !values.isEmpty
        case .object(let members): !members.isEmpty
        }
    }

    var pythonType: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .number(let literal): literal.utf8.contains { ".eE".utf8.contains($0) } ? "float" : "int"
        case .string: "str"
        case .array: "list"
        case .object: "dict"
        }
    }

    /// As Python's `str` shows scalars; cut short, since it goes back into a message.
    var pythonText: String {
        let text: String
        switch self {
        case .null: text = "None"
        case .bool(let value): text = value ? "True" : "False"
        case .number(let literal): text = literal
        case .string(let value): text = value
        case .array, .object: text = String(buffer: jsonBytes)
        }
        return text.excerpt
    }
}

extension String {
    /// At most 200 characters of it.
    var excerpt: String { utf8.count > 200 ? String(prefix(200)) + "…" : self }
}
