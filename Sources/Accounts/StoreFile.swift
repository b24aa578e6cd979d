import CoreFoundation
import Foundation

/// The file of a store before SQLite sees it: making it, and keeping it private.
struct StoreFile {
    /// Which file is at the path: a replaced one differs.
    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    let path: String

    private var folder: String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    /// Nil when nothing can be reached there.
    var identity: Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Makes file and folder if they are missing, closed to everyone else.
    /// - Returns: sentences for the user about what was changed.
    func prepare(create: Bool) throws -> [String] {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw AccountStoreError(
                    .notADatabase,
                    "\(path) is not an account store: it is no regular file. Name another file with --store.")
            }
            return tighten(mode: status.st_mode)
        }
        if errno == EACCES {
            throw AccountStoreError(
                .unwritable,
                "The account store \(path) cannot be reached: this user has no permission to look into its folder. Run feedhost as the user whose store it is, or name another file with --store."
            )
        }
        guard create else {
            throw AccountStoreError(
                .missing,
                "There is no account store at \(path). `feedhost users add NAME --broker BROKER` makes one; --store FILE or FEEDHOST_STORE names another."
            )
        }
        try makeFolder()
        // Made here and not by SQLite: its file would be readable by others for a moment. SQLite gives `-wal` and `-shm`
        // the mode of the main file. An existing file is never opened: closing it again would drop SQLite's own locks.
        let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor < 0 {
            let code = errno
            if code == EEXIST { return [] }
            throw failure("could not be made", code)
        }
        close(descriptor)
        return []
    }

    /// As `mkdir -p`, closed to others. Not Foundation's: its errors leave out why.
    private func makeFolder() throws {
        var missing: [String] = []
        var next = folder
        while access(next, F_OK) != 0, next != "/", next != "." {
            missing.append(next)
            next = (next as NSString).deletingLastPathComponent
            if next.isEmpty { next = "." }
        }
        for path in missing.reversed() where mkdir(path, 0o700) != 0 && errno != EEXIST {
            let reason = String(cString: strerror(errno))
            throw AccountStoreError(
                .directory,
                "The folder \(folder) of the account store does not exist and could not be made (\(reason)). "
                    + "Make it, or name another file with --store.")
        }
    }

    private func tighten(mode: mode_t) -> [String] {
        let shown = "0" + String(mode & 0o777, radix: 8)
        guard mode & 0o077 != 0 else { return [] }
        guard chmod(path, mode & 0o700) == 0 else {
            return [
                "The account store \(path) can be read or written by other users (mode \(shown)) and its mode could not be changed: "
                    + "it belongs to another user. Its keys and credentials may be known to others."
            ]
        }
        // Left from an earlier, wider main file; absent most of the time.
        for suffix in ["-wal", "-shm"] { chmod(path + suffix, 0o600) }
        return [
            "The account store \(path) could be read or written by other users (mode \(shown)); its mode is now 0600."
        ]
    }

    private func failure(_ what: String, _ code: Int32) -> AccountStoreError {
        let reason = String(cString: strerror(code))
        let kind: AccountStoreError.Code =
            switch code {
            case ENOSPC, EDQUOT: .diskFull
            case ENOENT, ENOTDIR: .directory
            default: .unwritable
            }
        return AccountStoreError(
            kind, "The account store \(path) \(what): \(reason). Mend that, or name another file with --store.")
    }
}

extension StoreFile {
    /// Runs `body` while no other process opens a store in this folder: two that make the same new file at once would
    /// run into each other's migrations. Opening takes milliseconds; after 5 s somebody else means something else by this
    /// lock, and it goes on without it.
    func alone<Result>(_ body: () throws -> Result) rethrows -> Result {
        let lock = lock()
        defer { if let lock { close(lock.descriptor) } }
        return try body()
    }

    /// The same for what must not be done by two at once.
    /// - Throws: ``AccountStoreError`` with `busy` when somebody else has had the lock for 5 s.
    func exclusively<Result>(_ body: () throws -> Result) throws -> Result {
        let lock = lock()
        defer { if let lock { close(lock.descriptor) } }
        guard lock?.isHeld == true else {
            throw AccountStoreError(
                .busy, "Another program has been using the folder of \(path) for itself for 5 s. Try again.")
        }
        return try body()
    }

    /// Of the folder; closing the descriptor lets go. Nil when there is no folder.
    private func lock() -> (descriptor: Int32, isHeld: Bool)? {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        for _ in 0..<100 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (descriptor, true) }
            // File systems without such locks.
            if errno != EWOULDBLOCK { return (descriptor, false) }
            usleep(50_000)
        }
        return (descriptor, false)
    }
}
