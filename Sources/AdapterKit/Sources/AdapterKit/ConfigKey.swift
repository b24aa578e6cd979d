import CFeedhostABI

/// A setting or a credential that an adapter declares.
public struct ConfigKey: Hashable, Sendable {
    /// What values a key takes.
    public struct Kind: Hashable, Sendable {
        let rawValue: UInt32
        /// Any text.
        public static let string = Kind(rawValue: UInt32(FH_CFG_STRING))
        /// A whole number.
        public static let integer = Kind(rawValue: UInt32(FH_CFG_INT))
        /// `true` or `false`.
        public static let boolean = Kind(rawValue: UInt32(FH_CFG_BOOL))
        /// A number with a unit, e.g. `30s`.
        public static let duration = Kind(rawValue: UInt32(FH_CFG_DURATION))
        /// Text that is never logged.
        public static let secret = Kind(rawValue: UInt32(FH_CFG_SECRET))
        /// An absolute address.
        public static let url = Kind(rawValue: UInt32(FH_CFG_URL))
    }

    /// The name in `BROKER.name=value`.
    public var name: String
    /// What values it takes.
    public var kind: Kind
    /// The value without a setting.
    public var defaultValue: String?
    /// Whether there has to be a value.
    public var isRequired: Bool
    /// One line: meaning, unit and range.
    public var help: String

    /// Declares a key.
    public init(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, required isRequired: Bool = false,
        help: String
    ) {
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.isRequired = isRequired
        self.help = help
    }
}
