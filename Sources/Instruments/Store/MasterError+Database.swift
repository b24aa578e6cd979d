import GRDB

extension MasterError {
    /// What SQLite says of the store at `path`, in words that help. Anything that is not SQLite's stays as it is.
    static func translating<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw translated(error, path)
        }
    }

    private static func translated(_ error: DatabaseError, _ path: String) -> MasterError {
        let again = "Delete it, then run `feedhost instruments sync` again."
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            return MasterError(.store, "The instrument store \(path) is damaged (\(error.resultCode)). \(again)")
        case .SQLITE_FULL:
            return MasterError(
                .store,
                "The instruments could not be stored in \(path): the disk is full. Free some space, then try again.")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return MasterError(
                .busy, "The instrument store \(path) is being written by another program. Try again in a minute.")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_IOERR:
            return MasterError(
                .store,
                "The instrument store \(path) cannot be used by this user (\(error.resultCode)). The file and its folder must belong to the user that runs feedhost."
            )
        default:
            return MasterError(
                .store,
                "The instrument store \(path) failed: \(error.message ?? "SQLite \(error.resultCode)"). \(again)")
        }
    }
}
