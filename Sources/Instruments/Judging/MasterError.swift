/// Why a master could not be read, stored or looked up: what, where, why, and what to do about it.
public struct MasterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What programs tell apart; the sentence is for people.
    public struct Code: Sendable, Hashable {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// A file that is cut short, damaged, or packed in a way that is not read here.
        public static let unreadable = Code("unreadable")
        /// An archive that grows beyond the limit.
        public static let tooLarge = Code("too-large")
        /// A master without a single usable row.
        public static let empty = Code("empty")
        /// A master that is probably not the right one, or not all of it: taken only when the user insists.
        public static let doubtful = Code("doubtful")
        /// The file of the store: permissions, a full disk, damage, another program's.
        public static let store = Code("store")
        /// There is nobody to fetch it for.
        public static let unavailable = Code("unavailable")
        /// Another process is writing.
        public static let busy = Code("busy")
    }

    public let code: Code
    /// One sentence or two; never holds a credential.
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
