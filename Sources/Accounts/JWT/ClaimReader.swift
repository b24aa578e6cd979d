import MarketData

/// A claim's name: any text.
struct ClaimName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// Reads claims of one object. A claim that is there and of another type is an error; `null` is there.
struct ClaimReader {
    private let fields: KeyedDecodingContainer<ClaimName>
    /// Before a claim's name in errors.
    private let place: String
    private static let mostTexts = 1000

    init(_ fields: KeyedDecodingContainer<ClaimName>, inside place: String) {
        self.fields = fields
        self.place = place
    }

    var names: [String] { fields.allKeys.map(\.stringValue) }

    func has(_ name: String) -> Bool { fields.contains(ClaimName(stringValue: name)) }

    func text(_ name: String) throws -> String? { try value(name, "a text") }
    func flag(_ name: String) throws -> Bool? { try value(name, "true or false") }
    func number(_ name: String) throws -> Int? { try value(name, "a whole number") }

    func texts(_ name: String) throws -> [String]? {
        let texts: [String]? = try value(name, "a list of texts")
        guard texts?.count ?? 0 <= Self.mostTexts else {
            throw wrong(name, "a list of at most \(Self.mostTexts) texts")
        }
        return texts
    }

    func textOrTexts(_ name: String) throws -> [String]? {
        if let text = try? fields.decode(String.self, forKey: ClaimName(stringValue: name)) { return [text] }
        return try texts(name)
    }

    /// Seconds since 1970, before the year 10000: a time in milliseconds is found out.
    func seconds(_ name: String) throws -> Double? {
        guard let seconds: Double = try value(name, "a time in seconds") else { return nil }
        guard (0...253_402_300_799).contains(seconds) else { throw wrong(name, "a time in seconds since 1970") }
        return seconds
    }

    func nested(_ name: String) throws -> ClaimReader? {
        guard has(name) else { return nil }
        guard let inner = try? fields.nestedContainer(keyedBy: ClaimName.self, forKey: ClaimName(stringValue: name))
        else {
            throw wrong(name, "an object")
        }
        return ClaimReader(inner, inside: "\(place)\(name).")
    }

    /// For a claim that should be something else; does not show what it is.
    func wrong(_ name: String, _ wanted: String) -> FeedError {
        FeedError(.authentication, "The token's claim \(place)\(name) is not \(wanted)")
    }

    private func value<Value: Decodable>(_ name: String, _ wanted: String) throws -> Value? {
        guard has(name) else { return nil }
        guard let value = try? fields.decode(Value.self, forKey: ClaimName(stringValue: name)) else {
            throw wrong(name, wanted)
        }
        return value
    }
}
