import Foundation
import GRDB
import MarketData
import Secrets

/// One row of `credentials` with whose it is.
struct StoredCredential {
    let set: Int64
    let user: String
    let place: CredentialCipher.Place
    let ciphertext: Data?
    /// As the first version of the store wrote it.
    let plain: String?
}

/// What stands between the rows of a store and their values.
struct CredentialVault: Sendable {
    /// Of the store, for messages.
    let path: String
    let key: MasterKeySource

    /// The cipher that opens what is stored; nil when nothing is encrypted.
    /// - Throws: ``AccountStoreError`` when the key is missing or another one.
    func cipher(reading db: Database) throws -> CredentialCipher? {
        guard let id = try Self.keyInUse(db) else { return nil }
        return CredentialCipher(key: try key.key(id: id, store: path))
    }

    /// The cipher for what is to be stored. Where nothing is encrypted yet, any key will do.
    func cipher(writing db: Database) throws -> CredentialCipher {
        if let cipher = try cipher(reading: db) { return cipher }
        let first = try key.firstKey()
        try db.execute(sql: "UPDATE encryption SET key_id = ?", arguments: [first.id])
        return CredentialCipher(key: first)
    }

    static func keyInUse(_ db: Database) throws -> String? {
        try String.fetchOne(
            db,
            sql:
                "SELECT key_id FROM encryption WHERE EXISTS (SELECT 1 FROM credentials WHERE ciphertext IS NOT NULL)"
        )
    }
}

extension CredentialVault {
    static func rows(
        _ db: Database, _ condition: String = "1", _ arguments: StatementArguments = []
    ) throws -> [StoredCredential] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT set_id, users.id AS owner, users.name AS user, credential_sets.broker, credentials.name,
                ciphertext, plain FROM credentials JOIN credential_sets ON credential_sets.id = set_id
                JOIN users ON users.id = user_id WHERE \(condition) ORDER BY set_id, credentials.name
                """, arguments: arguments
        ).map {
            StoredCredential(
                set: $0["set_id"], user: $0["user"],
                place: .init(owner: $0["owner"], broker: $0["broker"], name: $0["name"]),
                ciphertext: $0["ciphertext"], plain: $0["plain"])
        }
    }

    func open(_ row: StoredCredential, _ cipher: CredentialCipher?) throws -> Secret {
        if let plain = row.plain { return Secret(plain) }
        guard let bytes = row.ciphertext, let value = cipher?.open(bytes, row.place) else {
            throw AccountStoreError(
                .damagedCredential,
                "The credential \(AccountNames.shown(row.place.name)) of user \(row.user) at \(row.place.broker) in \(path) is damaged, "
                    + "or was moved there by something else than feedhost. Set it anew with `feedhost credentials set`."
            )
        }
        return value
    }

    static func put(_ value: Secret, _ row: StoredCredential, _ cipher: CredentialCipher, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE credentials SET ciphertext = ?, plain = NULL WHERE set_id = ? AND name = ?",
            arguments: [try cipher.seal(value, row.place), row.set, row.place.name])
    }
}
