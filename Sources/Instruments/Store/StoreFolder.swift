import Foundation

/// The store's file before SQLite sees it, closed to everyone else as the account store beside it is.
enum StoreFolder {
    /// Which file is at a path: a replaced one differs.
    struct Identity: Sendable, Hashable {
        let device: UInt64
        let inode: UInt64

        /// Nil when nothing can be reached there.
        init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    /// Makes file and folder if they are missing. SQLite would make them readable by others.
    static func prepare(_ path: String) throws {
        guard Identity(path: path) == nil else { return }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if Identity(path: folder) == nil {
            try? FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            throw MasterError(
                .store,
                "The instruments cannot be stored in \(path): \(String(cString: strerror(errno))). Mend that, or name another account store with --store: they are kept beside it."
            )
        }
    }
}
