import Foundation
import Synchronization

/// A file that one running host holds, so that a second one on the same store knows. The lock is the kernel's: a host that
/// was killed holds nothing.
package final class HostLock: Sendable {
    /// Another host is there.
    package struct Held: Error {
        /// Nil when it has not written its number yet.
        package let process: Int32?
    }

    /// There can be no lock there, as a sentence without its end: a folder that cannot be written, a file system without locks.
    package struct Impossible: Error, CustomStringConvertible {
        package let description: String
    }

    private let path: String
    private let descriptor: Int32
    private let isReleased = Mutex(false)

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// - Throws: ``Held``, ``Impossible``.
    package static func take(_ path: String) throws -> HostLock {
        // Whoever lets go removes the file, and it may be the one that was just opened.
        for _ in 0..<100 {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw impossible(path) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                defer { close(descriptor) }
                guard code == EWOULDBLOCK else { throw impossible(path, code) }
                throw Held(process: number(descriptor))
            }
            guard isSame(descriptor, path) else {
                close(descriptor)
                continue
            }
            let text = Array("\(getpid())\n".utf8)
            ftruncate(descriptor, 0)
            _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
            return HostLock(path: path, descriptor: descriptor)
        }
        throw Impossible(description: "\(path) is removed again and again")
    }

    /// - Returns: Nil when nobody holds it, or nobody can look.
    package static func heldBy(_ path: String) -> Held? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return nil }
        return Held(process: number(descriptor))
    }

    /// Takes the file away and lets go. More than once does nothing more.
    package func release() {
        let isFirst = isReleased.withLock { isReleased in
            defer { isReleased = true }
            return !isReleased
        }
        guard isFirst else { return }
        if Self.isSame(descriptor, path) { unlink(path) }
        close(descriptor)
    }

    deinit { release() }

    /// Whether the file at the path is the one that is open.
    static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var (open, there) = (stat(), stat())
        return fstat(descriptor, &open) == 0 && lstat(path, &there) == 0 && open.st_dev == there.st_dev
            && open.st_ino == there.st_ino
    }

    private static func number(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func impossible(_ path: String, _ code: Int32 = errno) -> Impossible {
        Impossible(description: "\(path): \(String(cString: strerror(code)))")
    }
}
