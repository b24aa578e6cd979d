import CoreFoundation
import Foundation

/// A small file that somebody else writes, and which version of it is there.
struct WatchedFile {
    /// Differs when the file was written or replaced.
    struct Version: Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let written: [Int]
    }

    static let largest = 1 << 20
    let path: String

    /// Nil when there is no file.
    var version: Version? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Version(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            written: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec])
    }

    /// Whether others than its owner and group can read it.
    var isOpenToAll: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o007 != 0
    }

    /// - Throws: ``JWTConfigurationError``.
    func read() throws -> [UInt8] {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw JWTConfigurationError("\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw JWTConfigurationError("\(path) is no regular file; name a file.")
        }
        // Whoever can write it decides who comes in.
        guard status.st_mode & 0o002 == 0 else {
            throw JWTConfigurationError("\(path) can be written by everybody; mend it with: chmod o-w '\(path)'")
        }
        guard status.st_size <= Self.largest else {
            throw JWTConfigurationError("\(path) is larger than \(Self.largest) bytes; it cannot be what is meant.")
        }
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw JWTConfigurationError("\(path) cannot be read: \(error.localizedDescription).")
        }
    }
}
