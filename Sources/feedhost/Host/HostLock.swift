import Accounts
import CoreFoundation
import Foundation
import Synchronization

/// A file that one running host holds, so that a second one on the same store knows. The lock is the kernel's: a host that
/// was killed holds nothing.
final class HostLock: Sendable {
    /// Another host is there.
    struct Held: Error {
        /// Nil when it has not written its number yet.
        let process: Int32?
    }

    /// There can be no lock there, as a sentence without its end: a folder that cannot be written, a file system without locks.
    struct Impossible: Error, CustomStringConvertible {
        let description: String
    }

    private let path: String
    private let descriptor: Int32
    private let isReleased = Mutex(false)

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// - Throws: ``Held``, ``Impossible``.
    static func take(_ path: String) throws -> HostLock {
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

    /// Who holds the lock; nil when nobody does, or nobody knows.
    static func holder(_ path: String) -> Int32? { heldBy(path)?.process }

    /// - Returns: Nil when nobody holds it, or nobody can look.
    static func heldBy(_ path: String) -> Held? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return nil }
        return Held(process: number(descriptor))
    }

    /// Takes the file away and lets go. More than once does nothing more.
    func release() {
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

extension Settings {
    /// Beside our own store, never beside OpenAlgo's database, which is not ours to write to: then it is named after that.
    var lockPath: String {
        let folder = (store as NSString).deletingLastPathComponent
        guard isOnOpenAlgo, let installation = try? openAlgo.installation() else { return Self.real(store) + ".lock" }
        // FNV-1a: the same in every process.
        let name = Self.real(installation.database).utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return "\(folder.isEmpty ? "." : folder)/openalgo-\(String(name, radix: 16)).lock"
    }

    /// Takes the store for this host alone.
    /// - Returns: Nil when several may share it, or when there can be no lock.
    /// - Throws: ``StartError`` that names the host that has it.
    func lockStore(_ say: (String) -> Void) throws -> HostLock? {
        guard !sharesStore else { return nil }
        let folder = (lockPath as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(
            atPath: folder.isEmpty ? "." : folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        do {
            return try HostLock.take(lockPath)
        } catch let error as HostLock.Held {
            let holder = error.process.map { "another host (process \($0))" } ?? "another host"
            let what = isOnOpenAlgo ? "OpenAlgo's users and tokens" : "the store \(store)"
            throw StartError(
                "\(holder) already runs on \(what): two would log in at the brokers twice. Stop it, name another store (--store), or say --shared-store."
            )
        } catch {
            say("whether another host runs on the store cannot be told: \(error)")
            return nil
        }
    }

    /// Without symbolic links; a file that is not there yet as it is, in its real folder.
    private static func real(_ path: String) -> String {
        if let found = realpath(path, nil) {
            defer { free(found) }
            return String(cString: found)
        }
        let folder = (path as NSString).deletingLastPathComponent
        guard let found = realpath(folder.isEmpty ? "." : folder, nil) else { return path }
        defer { free(found) }
        return String(cString: found) + "/" + (path as NSString).lastPathComponent
    }
}
