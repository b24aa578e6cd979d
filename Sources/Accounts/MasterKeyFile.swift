import CoreFoundation
import Foundation

/// The file of the master key and its neighbours: `.new` is a key that is being introduced, `.old` the one before, which opens
/// backups of that time. Whichever fits the store counts, so that a rotation may be interrupted anywhere.
struct MasterKeyFile: Sendable {
    struct Stamp: Sendable, Hashable {
        let inode: UInt64
        let size: Int64
        let seconds: Int64
        let nanoseconds: Int64
    }

    let path: String
    var newPath: String { path + ".new" }
    var oldPath: String { path + ".old" }
    /// Nobody's key is longer; what is may be a device.
    private static let limit = 1024

    var stamp: Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: Int64(status.st_mtim.tv_sec),
            nanoseconds: Int64(status.st_mtim.tv_nsec))
    }

    // MARK: Reading

    /// - Throws: ``AccountStoreError`` with `unreadableKey`.
    func current() throws -> MasterKey { try read(path) }

    /// Nil when there are keys, but not this one.
    /// - Throws: ``AccountStoreError`` when the file itself cannot be read and no neighbour fits.
    func key(id: String) throws -> MasterKey? {
        // The present one twice: it may become so between the first look and the one beside it.
        for path in [path, newPath, path, oldPath] {
            if let key = try? read(path), key.id == id { return key }
        }
        _ = try current()
        return nil
    }

    private func read(_ path: String) throws -> MasterKey {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            let what = code == ENOENT ? "does not exist" : "cannot be read (\(Self.reason(code)))"
            throw AccountStoreError(
                .unreadableKey,
                "The key file \(path) \(what). Put it back, or name another with accounts.key_file or FEEDHOST_KEY_FILE."
            )
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.limit)
        defer { Wipe.zero(&bytes) }
        let count = bytes.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { throw Self.noKey(path) }
        var text = Array(bytes[..<count])
        defer { Wipe.zero(&text) }
        guard let key = MasterKey(text: text) else { throw Self.noKey(path) }
        return key
    }

    // MARK: Writing

    /// The key of the file, which is made when it is missing.
    func keyOrNew() throws -> MasterKey {
        if access(path, F_OK) != 0, errno == ENOENT { try create(MasterKey()) }
        return try current()
    }

    /// Never replaces a key: when another process was quicker, its key counts.
    /// - Returns: false when there was one.
    @discardableResult
    func create(_ key: MasterKey) throws -> Bool {
        let draft = path + ".\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(draft) }
        try write(key, to: draft)
        if link(draft, path) != 0 {
            guard errno == EEXIST else { throw unwritable(path, errno) }
            return false
        }
        try sync()
        return true
    }

    /// Puts a key beside the present one.
    func introduce(_ key: MasterKey) throws {
        unlink(newPath)
        try write(key, to: newPath)
        try sync()
    }

    /// Keeps the present key as the old one.
    func keepOld() throws {
        let draft = oldPath + ".\(getpid())"
        unlink(draft)
        // A link and not a renaming: at no time is there no file at `path`.
        guard link(path, draft) == 0 else {
            if errno == ENOENT { return }
            throw unwritable(draft, errno)
        }
        guard rename(draft, oldPath) == 0 else { throw unwritable(oldPath, errno) }
    }

    /// Makes the introduced key the present one.
    func promote() throws {
        guard rename(newPath, path) == 0 else { throw unwritable(path, errno) }
        try sync()
    }

    /// Ends a rotation that was interrupted after the store had changed over.
    func settle(id: String) throws {
        guard let new = try? read(newPath), new.id == id, (try? current().id) != id else { return }
        try keepOld()
        try promote()
    }

    /// Closed to others from its first moment.
    private func write(_ key: MasterKey, to path: String) throws {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw unwritable(path, errno) }
        defer { close(descriptor) }
        var text = key.fileText
        defer { Wipe.zero(&text) }
        let count = text.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        guard count == text.count, fsync(descriptor) == 0 else {
            let code = errno
            unlink(path)
            throw unwritable(path, code)
        }
    }

    /// A new name is on the disk only when its folder is.
    private func sync() throws {
        let folder = (path as NSString).deletingLastPathComponent
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unwritable(path, errno) }
        defer { close(descriptor) }
        // File systems that cannot do this for a folder need not.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw unwritable(path, errno) }
    }

    /// Others must not read the key.
    /// - Returns: a sentence for the user when the mode was, or should be, changed.
    func tighten() -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
        let shown = "0" + String(status.st_mode & 0o777, radix: 8)
        if status.st_uid == geteuid(), chmod(path, status.st_mode & 0o700) == 0 {
            return "The key file \(path) could be read by other users (mode \(shown)); its mode is now 0600."
        }
        return "The key file \(path) can be read by other users (mode \(shown)): they can decrypt the credentials."
    }

    static func noKey(_ name: String) -> AccountStoreError {
        AccountStoreError(
            .unreadableKey,
            "\(name) holds no key: 64 hexadecimal digits, or Base64 of 32 bytes, are needed. `openssl rand -hex 32` makes some."
        )
    }

    private func unwritable(_ path: String, _ code: Int32) -> AccountStoreError {
        AccountStoreError(
            .unwritable,
            "The key file \(path) could not be written (\(Self.reason(code))). "
                + "Mend that, or name another with accounts.key_file or FEEDHOST_KEY_FILE.")
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
