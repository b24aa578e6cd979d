/// Why an OpenAlgo installation cannot be used: what, where, why, and what to do about it.
public struct OpenAlgoError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What programs tell apart; the sentence is for people.
    public struct Code: Sendable, Hashable {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// Its `.env` lacks something, or holds what cannot be used.
        public static let configuration = Code("configuration")
        /// A database that is no SQLite file.
        public static let unsupported = Code("unsupported")
        public static let missing = Code("missing")
        /// A file that is there and is not OpenAlgo's database.
        public static let notOpenAlgo = Code("not-openalgo")
        public static let busy = Code("busy")
        public static let unreadable = Code("unreadable")
    }

    public let code: Code
    /// One sentence or two; never holds a key, a token or a database URL.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
