/// Something that only some brokers have and that can be set from outside: `cooldown-ms=5000`.
struct VenueSetting<Options: Sendable>: Sendable {
    let name: String
    /// What it takes: `new|old`, `0…3600000`.
    let values: String
    /// - Returns: False, with nothing set, for a value that it does not take.
    let set: @Sendable (_ value: String, _ options: inout Options) -> Bool

    /// One of a few words.
    static func choice<Value: Sendable>(
        _ name: String, _ path: any WritableKeyPath<Options, Value> & Sendable, _ choices: [(word: String, Value)]
    ) -> Self {
        Self(name: name, values: choices.map(\.word).joined(separator: "|")) { text, options in
            guard let choice = choices.first(where: { $0.word == text }) else { return false }
            options[keyPath: path] = choice.1
            return true
        }
    }

    /// A time in ms, at most an hour.
    static func milliseconds(_ name: String, _ path: any WritableKeyPath<Options, Int64> & Sendable) -> Self {
        Self(name: name, values: "0…\(longest)") { text, options in
            guard let value = Int64(text), (0...longest).contains(value) else { return false }
            options[keyPath: path] = value
            return true
        }
    }

    private static var longest: Int64 { 3_600_000 }
}
