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

    /// Without buffers in between: it may be a secret, and whoever gets the bytes can wipe them.
    /// - Throws: ``JWTConfigurationError``.
    func read() throws -> [UInt8] {
        // Not blocking, in case it is a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(errno) }
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
        return try read(descriptor, Int(status.st_size))
    }

    private func read(_ descriptor: Int32, _ size: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Foundation.read(descriptor, buffer.baseAddress?.advanced(by: count), size - count)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw unreadable(errno) }
                // It is being written: the next look reads it again.
                if got == 0 { return }
                count += got
            }
        }
    }

    private func unreadable(_ code: Int32) -> JWTConfigurationError {
        JWTConfigurationError("\(path) cannot be read: \(String(cString: strerror(code))).")
    }
}
