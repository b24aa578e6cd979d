/// One setting: its names, what it may hold, and what it is for.
struct SettingDefinition: Sendable {
    /// Who reads a setting, so that nothing pretends to work.
    enum Reader: Sendable, Hashable {
        case feedhost
        /// Accepted and checked, but without effect in this version; says whose it is.
        case later(String)
    }

    /// As in the YAML file: `proxy.port`.
    let key: String
    /// As environment variable and in `.env`.
    let environment: String?
    let kind: SettingKind
    /// Nil: there is none, or it is found out at start.
    let standard: String?
    /// Never shown, not even in errors.
    let isSecret: Bool
    let reader: Reader
    let help: String

    init(
        _ key: String, _ environment: String?, _ kind: SettingKind, default standard: String? = nil,
        secret: Bool = false, reader: Reader = .feedhost, _ help: String
    ) {
        self.key = key
        self.environment = environment
        self.kind = kind
        self.standard = standard
        isSecret = secret
        self.reader = reader
        self.help = help
    }
}
