import MarketData
import Secrets

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
    /// A valid key whose user has no broker; nil when nobody could tell whose it is.
    case brokerless(KeyOwner?)
    case known(Account)

    var isAnonymous: Bool {
        if case .anonymous = self { true } else { false }
    }

    /// Nil without a key, and for a user without broker.
    var account: Account? {
        if case .known(let account) = self { account } else { nil }
    }

    /// Whose key it has shown.
    var owner: KeyOwner? {
        switch self {
        case .anonymous: nil
        case .brokerless(let owner): owner
        case .known(let account): account.owner
        }
    }
}
