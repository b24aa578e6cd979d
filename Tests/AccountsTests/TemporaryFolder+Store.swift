import TestSupport

@testable import Accounts

extension TemporaryFolder {
    func store(
        _ name: String = "store.db", key: MasterKeySource? = nil, now: Int64 = 1_700_000_000
    ) throws -> AccountStore {
        try AccountStore(path: file(name), create: true, key: key, now: { now })
    }
}
