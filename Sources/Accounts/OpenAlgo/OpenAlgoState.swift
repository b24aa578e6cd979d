import Foundation
import MarketData
import Secrets

/// What is known of keys and logins, decrypted. Follows the rows from one look to the next.
struct OpenAlgoState: Sendable {
    struct Key: Sendable {
        /// Ours, never used twice: OpenAlgo writes a new key into the old one's row, and the host remembers revoked numbers.
        let id: Int64
        let row: OpenAlgoSnapshot.Key
        /// Nil when the encrypted copy cannot be read: then only the hash is left.
        let digest: Data?
        var user: String { row.user }
    }

    struct Login: Sendable {
        let row: OpenAlgoSnapshot.Login
        /// Nil when there is no token that could be used.
        let values: [String: Secret]?
        /// Rises with every change of ``values``.
        let version: UInt64
        var broker: String { row.broker }
    }

    /// In the order of the rows.
    private(set) var keys: [Key] = []
    /// Also of users whose row is gone; those have no values.
    private(set) var logins: [String: Login] = [:]
    private var byDigest: [Data: Int] = [:]
    private var lastID: Int64 = 0
    private var lastVersion: UInt64 = 0
    /// What is there at the start is no news.
    private var isFirst = true

    init() {}

    /// The key whose encrypted copy is the same. See ``SQLiteAccounts/authenticate(key:)`` for why a look-up by digest is
    /// as good as a comparison in constant time.
    func key(digest: Data) -> Key? { byDigest[digest].map { keys[$0] } }

    /// Takes over what the database holds now.
    /// - Returns: What became different for those who are connected, in a fixed order.
    mutating func update(_ snapshot: OpenAlgoSnapshot, _ cipher: TokenCipher) -> [AccountChange] {
        // First: what clients of a user who was removed are to know is that, and not that the key went too.
        let removed = removedUsers(snapshot).map { AccountChange(.userChanged(user: $0)) }
        return removed + updateKeys(snapshot.keys, cipher).map { AccountChange(.keyRevoked(keyID: $0)) }
            + updateLogins(snapshot.logins, cipher)
    }

    /// Users who had a key and a login, and have neither now.
    private func removedUsers(_ snapshot: OpenAlgoSnapshot) -> [String] {
        let remaining = Set(snapshot.keys.map(\.user)).union(snapshot.logins.map(\.user))
        return Set(keys.map(\.user)).subtracting(remaining).filter { logins[$0] != nil }.sorted()
    }

    /// - Returns: The numbers of keys that are no longer good.
    private mutating func updateKeys(_ rows: [OpenAlgoSnapshot.Key], _ cipher: TokenCipher) -> [Int64] {
        let known = Dictionary(keys.map { ($0.row, $0) }) { first, _ in first }
        var gone = Set(keys.map(\.id))
        keys = rows.map { row in
            if let same = known[row] {
                gone.remove(same.id)
                return same
            }
            lastID += 1
            let text = row.encrypted.isEmpty ? nil : cipher.open(row.encrypted)
            return Key(id: lastID, row: row, digest: text.map(KeyDigest.of))
        }
        byDigest = [:]
        for (index, key) in keys.enumerated() {
            if let digest = key.digest { byDigest[digest] = index }
        }
        return gone.sorted()
    }

    private mutating func updateLogins(_ rows: [OpenAlgoSnapshot.Login], _ cipher: TokenCipher) -> [AccountChange] {
        var changes: [AccountChange] = []
        defer { isFirst = false }
        let present = Set(rows.map(\.user))
        for (user, old) in logins.sorted(by: { $0.key < $1.key }) where !present.contains(user) && old.values != nil {
            logins[user] = login(old.row.revoked, values: nil)
            changes.append(AccountChange(.credentialsChanged(user: user, broker: old.broker)))
        }
        for row in rows {
            let old = logins[row.user]
            // Nothing was written, and nothing needs decrypting.
            if let old, old.row == row, old.values != nil || row.isRevoked { continue }
            let values = Self.values(row, cipher)
            if let old, old.broker == row.broker, old.values == values {
                // The same token again, as after a login from a second device: encrypted anew, and no news.
                logins[row.user] = Login(row: row, values: values, version: old.version)
                continue
            }
            logins[row.user] = login(row, values: values)
            if let old, old.broker != row.broker {
                changes.append(AccountChange(.userChanged(user: row.user)))
                continue
            }
            // Who had shown a key before the login can go on now.
            if values != nil, old?.values == nil, !isFirst {
                changes.append(AccountChange(.brokersChanged(user: row.user, brokers: [row.broker])))
            }
            if old != nil {
                changes.append(AccountChange(.credentialsChanged(user: row.user, broker: row.broker)))
            }
        }
        return changes
    }

    private mutating func login(_ row: OpenAlgoSnapshot.Login, values: [String: Secret]?) -> Login {
        lastVersion += 1
        return Login(row: row, values: values, version: lastVersion)
    }

    /// What OpenAlgo writes for a token while a login of several steps is under way (Samco).
    private static let placeholder = Secret("pending")

    /// Nil for a revoked login, and for one whose token is missing, a placeholder or under another key.
    private static func values(_ row: OpenAlgoSnapshot.Login, _ cipher: TokenCipher) -> [String: Secret]? {
        guard !row.isRevoked, !row.broker.isEmpty,
            let token = row.tokens["access_token"].flatMap({ cipher.open($0.revealed) }),
            !token.isEmpty, token != placeholder
        else { return nil }
        var values = ["access_token": token]
        for (name, text) in row.tokens where name != "access_token" {
            // The token of the feed is always encrypted; the others are with some brokers.
            values[name] = cipher.open(text.revealed) ?? (name == "feed_token" ? nil : text)
        }
        if !row.clientID.isEmpty { values["user_id"] = Secret(row.clientID) }
        return values
    }
}
