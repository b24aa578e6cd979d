import Accounts

extension Settings {
    /// Opens the own store with the master key that is configured.
    /// - Throws: ``AccountStoreError``.
    func accountStore(create: Bool = true) throws -> AccountStore {
        let key: MasterKeySource? =
            if let masterKey {
                .text(masterKey, origin: "FEEDHOST_MASTER_KEY")
            } else {
                keyFile.map { .file($0) }
            }
        return try AccountStore(path: store, create: create, key: key)
    }
}
