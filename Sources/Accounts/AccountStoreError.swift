/// Why the store could not do what was asked: what, where, why, and what to do about it.
public struct AccountStoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What programs tell apart; the sentence is for people.
    public struct Code: Sendable, Hashable {
        private let name: String
        private init(_ name: String) { self.name = name }

        public static let missing = Code("missing")
        public static let directory = Code("directory")
        public static let notADatabase = Code("not-a-database")
        public static let otherProgram = Code("other-program")
        public static let newerSchema = Code("newer-schema")
        public static let corrupt = Code("corrupt")
        public static let unwritable = Code("unwritable")
        public static let diskFull = Code("disk-full")
        public static let busy = Code("busy")
        public static let database = Code("database")
        public static let invalidValue = Code("invalid-value")
        public static let duplicateUser = Code("duplicate-user")
        public static let unknownUser = Code("unknown-user")
        public static let unknownKey = Code("unknown-key")
        public static let duplicateKey = Code("duplicate-key")
        /// The user has a key with this label.
        public static let duplicateLabel = Code("duplicate-label")
        /// The credentials were encrypted with another key.
        public static let wrongKey = Code("wrong-key")
        /// There is no master key, or what is there is none.
        public static let unreadableKey = Code("unreadable-key")
        /// A credential was changed outside of feedhost.
        public static let damagedCredential = Code("damaged-credential")
    }

    public let code: Code
    /// One sentence or two; never holds a key or a credential.
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
