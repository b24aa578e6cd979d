/// Takes known secrets out of text that somebody else has written: a plugin's log lines and messages.
///
/// A secret is found as it is, percent-encoded, in hexadecimal, in base64 (also in the midst of more) and as JSON escapes
/// it; of values such as `key:token` each part counts too. Secrets of fewer than ``shortest`` bytes are left: they would
/// hide ordinary words.
public struct Redaction: Sendable {
    /// Bytes.
    public static let shortest = 6
    public static let replacement = "‹secret›"

    /// By their first four bytes, so that every place of a text is looked up once.
    private var forms: [UInt32: [Secret]] = [:]
    private var others: [Redaction] = []
    private let shortest: Int

    /// - Parameter shortest: Bytes; shorter secrets are left. At least ``Redaction/shortest``.
    public init(_ secrets: [Secret] = [], shortest: Int = Redaction.shortest) {
        self.shortest = max(shortest, Redaction.shortest)
        for secret in secrets { insert(secret) }
    }

    /// Takes out what either does.
    public func joined(with other: Redaction) -> Redaction {
        var both = self
        both.others.append(other)
        return both
    }

    private var isEmpty: Bool { forms.isEmpty && others.allSatisfy(\.isEmpty) }

    public mutating func insert(_ secret: Secret) {
        secret.withBytes { bytes in
            for part in [bytes]
                + bytes.split(separator: UInt8(ascii: ":")).map({ UnsafeRawBufferPointer(rebasing: $0) })
            where part.count >= shortest {
                SecretForms.each(of: part) { form in
                    let key = Self.key(form, at: 0)
                    if forms[key]?.contains(form) != true { forms[key, default: []].append(form) }
                }
            }
        }
    }

    public func clean(_ text: String) -> String {
        guard !isEmpty, !text.isEmpty else { return text }
        var text = text
        return text.withUTF8 { clean(UnsafeRawBufferPointer($0)) }
    }

    /// The beginning of a text without the secrets in it.
    /// - Parameters:
    ///   - text: UTF-8; what is none is replaced.
    ///   - limit: Bytes of it that are taken. A secret that begins within them and ends behind them is taken out, too.
    public func clean(_ text: UnsafeRawBufferPointer, limit: Int = .max) -> String {
        let end = min(text.count, limit)
        guard !isEmpty else { return String(decoding: text[..<end], as: UTF8.self) }
        var clean: [UInt8] = []
        clean.reserveCapacity(end + 16)
        // Behind the last secret that was found; secrets that overlap are taken out together.
        var hidden = 0
        for index in 0..<end {
            let length = longestForm(in: text, at: index)
            if length > 0, index >= hidden { clean.append(contentsOf: Redaction.replacement.utf8) }
            hidden = max(hidden, index + length)
            if index >= hidden { clean.append(text[index]) }
        }
        return String(decoding: clean, as: UTF8.self)
    }

    /// Bytes of the longest form that stands there; 0 for none.
    private func longestForm(in text: UnsafeRawBufferPointer, at index: Int) -> Int {
        guard index + Self.shortest <= text.count else { return 0 }
        let elsewhere = others.reduce(0) { max($0, $1.longestForm(in: text, at: index)) }
        guard let candidates = forms[Self.key(text, at: index)] else { return elsewhere }
        return candidates.reduce(elsewhere) { longest, form in
            form.withBytes { form in
                guard form.count > longest, form.count <= text.count - index,
                    text[index..<(index + form.count)].elementsEqual(form)
                else { return longest }
                return form.count
            }
        }
    }

    private static func key(_ form: Secret, at index: Int) -> UInt32 { form.withBytes { key($0, at: index) } }

    private static func key(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt32 {
        bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)
    }
}
