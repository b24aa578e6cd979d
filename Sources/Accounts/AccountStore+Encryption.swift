import GRDB

extension AccountStore {
    var vault: CredentialVault { CredentialVault(path: path, key: key) }

    /// Reads what is encrypted; once more if a rotation came between the look into the store and that at the key.
    func decrypting<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await read(body)
        } catch let error as AccountStoreError where error.code == .wrongKey {
            return try await read(body)
        }
    }

    /// What keeps the credentials from being decrypted; nil when the key fits. Says nothing of single values.
    public func keyTrouble() async -> String? {
        do {
            try await decrypting { _ = try self.vault.cipher(reading: $0) }
            return nil
        } catch let error as AccountStoreError where error.code == .wrongKey || error.code == .unreadableKey {
            return error.description
        } catch {
            // That the store cannot be read is said elsewhere.
            return nil
        }
    }

    /// Decrypts every credential and keeps none.
    /// - Returns: how many there are.
    /// - Throws: ``AccountStoreError`` that names the first that does not open.
    @discardableResult
    public func verifyCredentials() async throws -> Int {
        try await decrypting { db in
            let rows = try CredentialVault.rows(db)
            let cipher = try self.vault.cipher(reading: db)
            for row in rows { _ = try self.vault.open(row, cipher) }
            return rows.count
        }
    }
}
