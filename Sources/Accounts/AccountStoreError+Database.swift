import GRDB

extension AccountStoreError {
    /// What SQLite said, in words that help. Anything that is not SQLite's stays as it is.
    static func translating(_ error: any Error, path: String) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        switch error.resultCode {
        case .SQLITE_NOTADB:
            return AccountStoreError(
                .notADatabase,
                "\(path) is not an account store: it is no SQLite database. Name another file with --store, or move this one away."
            )
        case .SQLITE_CORRUPT:
            return AccountStoreError(
                .corrupt, "The account store \(path) is damaged (\(reason(error))). Restore it from a backup.")
        case .SQLITE_FULL:
            return AccountStoreError(
                .diskFull,
                "The account store \(path) could not be written: the disk is full. Free some space and try again.")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return AccountStoreError(
                .busy,
                "The account store \(path) has been locked by another program for 5 s. Try again, or end the program that holds it."
            )
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            return AccountStoreError(
                .unwritable,
                "The account store \(path) cannot be written by this user (\(reason(error))). "
                    + "The file and its folder must belong to the user that runs feedhost: chown them, or name another file with --store."
            )
        default:
            return AccountStoreError(.database, "The account store \(path) failed: \(reason(error)).")
        }
    }

    /// SQLite's own words without the SQL and its arguments, which may hold what must not be shown.
    private static func reason(_ error: DatabaseError) -> String {
        let text = error.message ?? "no explanation"
        return "SQLite \(error.extendedResultCode.rawValue): \(text)"
    }
}
