import GRDB
import MarketData

/// What a rotation of the master key did.
public struct KeyRotation: Sendable, Hashable {
    /// Credentials that were encrypted anew.
    public let credentials: Int
    /// Where the new key is.
    public let keyFile: String
    /// Where the key before is kept, for backups of that time; nil when it was not touched.
    public let oldKeyFile: String?
}

/// After what a rotation may be cut off; tests do that.
enum RotationStep: Sendable, CaseIterable {
    case introduced, encrypted, committed, oldKept, promoted
}

extension AccountStore {
    /// Makes a new master key and encrypts every credential with it, in one transaction. Cut off at any point, either the old
    /// key or the new one opens the store, and both are where they are looked for. Running hosts go on with the new key.
    /// - Parameter newFile: Where to put the key; needed when the present one comes from the environment. Must not exist.
    /// - Throws: ``AccountStoreError``; then nothing has changed, unless it is about the key file: the new key is beside it, and counts.
    public func rotateKey(newFile: String? = nil) async throws -> KeyRotation {
        try await rotateKey(newFile: newFile) { _ in }
    }

    func rotateKey(
        newFile: String? = nil, after step: @escaping @Sendable (RotationStep) throws -> Void
    ) async throws -> KeyRotation {
        try await onLane { store in
            try StoreFile(path: store.path).exclusively {
                if let newFile { return try store.change(to: newFile, step) }
                guard case .file(let file) = store.key.kind else {
                    throw AccountStoreError(
                        .invalidValue,
                        "The key comes from \(store.key.name), which feedhost cannot change. Name a file for the new key with --new-key-file; "
                            + "afterwards unset \(store.key.name) and set FEEDHOST_KEY_FILE to that file.")
                }
                return try store.replace(file, step)
            }
        }
    }

    private func replace(
        _ file: MasterKeyFile, _ step: (RotationStep) throws -> Void
    ) throws -> KeyRotation {
        let queue = try connection()
        // What an interrupted rotation left is needed: it is put in its place before another new key is.
        if let id = try queue.read({ try String.fetchOne($0, sql: "SELECT key_id FROM encryption") }) {
            try file.settle(id: id)
        }
        let new = MasterKey()
        try file.introduce(new)
        try step(.introduced)
        let count = try encryptAll(with: new, queue, step)
        try step(.committed)
        try file.keepOld()
        try step(.oldKept)
        try file.promote()
        try step(.promoted)
        return KeyRotation(credentials: count, keyFile: file.path, oldKeyFile: file.oldPath)
    }

    private func change(to path: String, _ step: (RotationStep) throws -> Void) throws -> KeyRotation {
        guard case .file(let file) = MasterKeySource.file(path).kind else {
            return try replace(.init(path: path), step)
        }
        let new = MasterKey()
        guard try file.create(new) else {
            throw AccountStoreError(
                .invalidValue, "\(file.path) exists already; name a file that does not, so that no key is lost.")
        }
        try step(.introduced)
        let count = try encryptAll(with: new, try connection(), step)
        try step(.committed)
        return KeyRotation(credentials: count, keyFile: file.path, oldKeyFile: nil)
    }

    private func encryptAll(
        with new: MasterKey, _ queue: DatabaseQueue, _ step: (RotationStep) throws -> Void
    ) throws -> Int {
        let count = try queue.write { db in
            let rows = try CredentialVault.rows(db)
            let before = try vault.cipher(reading: db)
            let after = CredentialCipher(key: new)
            for row in rows { try CredentialVault.put(try vault.open(row, before), row, after, db) }
            try db.execute(sql: "UPDATE encryption SET key_id = ?", arguments: [new.id])
            try step(.encrypted)
            return rows.count
        }
        // What the old key opens is overwritten (`secure_delete`) and goes from the log as well.
        _ = try? queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        return count
    }
}
