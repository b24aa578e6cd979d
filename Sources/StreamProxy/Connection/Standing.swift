import MarketData

/// What a client has shown so far.
enum Standing {
    /// No valid key yet.
    case anonymous
    /// A valid key; no account when its user has no broker.
    case known(Account?)

    var isAnonymous: Bool {
        if case .anonymous = self { true } else { false }
    }

    var account: Account? {
        switch self {
        case .anonymous: nil
        case .known(let account): account
        }
    }
}
