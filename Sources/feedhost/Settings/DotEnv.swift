/// A `.env` file as python-dotenv reads it, because OpenAlgo's own file is read here.
///
/// Two differences, both on purpose: a byte order mark is skipped (python-dotenv makes it part of the first name), and a
/// line number is that of the name, not of the blank lines above it.
struct DotEnv: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        let name: String
        /// Nil for a name without `=`, which sets nothing.
        let value: String?
        /// From 1.
        let line: Int
    }

    /// In the order of the file, before interpolation; a name may occur twice.
    let entries: [Entry]
    /// First lines of statements that could not be understood; they are skipped, as python-dotenv does.
    let invalidLines: [Int]

    init(_ text: String) {
        var scanner = DotEnvScanner(text)
        var entries: [Entry] = []
        var invalid: [Int] = []
        while let statement = scanner.next() {
            switch statement {
            case .binding(let entry): entries.append(entry)
            case .comment: break
            case .invalid(let line): invalid.append(line)
            }
        }
        self.entries = entries
        invalidLines = invalid
    }

    /// What the file sets, last one first served, with `${NAME}` and `${NAME:-default}` filled in.
    ///
    /// As with `load_dotenv(override=False)`: a name that the environment has means the environment's value.
    func values(environment: [String: String]) -> [String: Entry] {
        var known: [String: Entry] = [:]
        for entry in entries {
            let value = entry.value.map { text in
                Self.interpolate(text) { name, fallback in
                    if let outer = environment[name] { return outer }
                    // A name that is known without a value is empty: the fallback is for names that are not known at all.
                    if let earlier = known[name] { return earlier.value ?? "" }
                    return fallback ?? ""
                }
            }
            known[entry.name] = Entry(name: entry.name, value: value, line: entry.line)
        }
        return known
    }

    private static func interpolate(_ text: String, _ look: (String, String?) -> String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var at = 0
        while at < scalars.count {
            if let (name, fallback, end) = variable(scalars, at) {
                result.append(contentsOf: look(name, fallback).unicodeScalars)
                at = end
            } else {
                result.append(scalars[at])
                at += 1
            }
        }
        return String(result)
    }

    /// `${name}` or `${name:-fallback}` at `start`; anything else stays as it is written.
    private static func variable(_ text: [Unicode.Scalar], _ start: Int) -> (String, String?, Int)? {
        guard start + 1 < text.count, text[start] == "$", text[start + 1] == "{" else { return nil }
        guard let close = text[start...].firstIndex(of: "}") else { return nil }
        let inside = text[(start + 2)..<close]
        guard let colon = inside.firstIndex(of: ":") else { return (Self.string(inside), nil, close + 1) }
        guard colon + 1 < close, text[colon + 1] == "-" else { return nil }
        return (string(inside[..<colon]), string(inside[(colon + 2)...]), close + 1)
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
