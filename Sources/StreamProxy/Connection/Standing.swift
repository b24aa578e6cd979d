import MarketData

/// What a client has shown so far.
enum Standing {
    /// No valid key yet.
    case anonymous
    /// A valid key, but no broker session; no account either when the user has no broker.
    case withoutSession(Account?)
    case attached(Account, any MarketSession)

    var isAnonymous: Bool {
        if case .anonymous = self { true } else { false }
    }

    var account: Account? {
        switch self {
        case .anonymous: nil
        case .withoutSession(let account): account
        case .attached(let account, _): account
        }
    }

    var session: (any MarketSession)? {
        if case .attached(_, let session) = self { session } else { nil }
    }
}
