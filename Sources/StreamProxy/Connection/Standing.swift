import MarketData

/// A valid key that was of no use when it was shown.
struct UnsettledKey {
    let key: Secret
    /// ``Shard/changes`` at that time: only when they have gone on is it worth looking again.
    var changes: Int
}

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
