import Glibc
import NIOCore

/// A Unix socket's file: made with the right mode from its first moment, and removed by whoever made it.
struct UnixSocketFile: Sendable {
    /// Something is at the path that is not ours to replace.
    struct Occupied: Error, CustomStringConvertible {
        let isListening: Bool
        let description: String
    }

    let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Binds a socket that does not listen yet.
    /// - Returns: The descriptor, for the caller to close.
    /// - Throws: ``Occupied``, `IOError`.
    static func bind(path: String, mode: UInt32) throws -> (UnixSocketFile, CInt) {
        try makeRoom(path)
        let kind = CInt(SOCK_STREAM.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // Under another name until it has its mode: nobody may connect before, and a file left by a host that was killed
        // is replaced in one step.
        let draft = path + ".new"
        do {
            unlink(draft)
            try check("bind") { try withAddress(draft) { systemBind(descriptor, $0, $1) } }
            try check("chmod") { chmod(draft, mode_t(mode)) }
            var status = stat()
            try check("stat") { lstat(draft, &status) }
            try check("rename") { rename(draft, path) }
            return (UnixSocketFile(path: path, device: status.st_dev, inode: status.st_ino), descriptor)
        } catch {
            unlink(draft)
            close(descriptor)
            throw error
        }
    }

    /// Removes the file, unless somebody has put another in its place.
    func remove() {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        unlink(path)
    }

    /// Nothing may be at the path but a socket that nobody listens on.
    private static func makeRoom(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Occupied(isListening: false, description: "\(path) is there and is not a socket; remove it")
        }
        let kind = CInt(SOCK_STREAM.rawValue)
        let probe = socket(AF_UNIX, kind, 0)
        guard probe >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        defer { close(probe) }
        // A full queue must not hold us: somebody listens then.
        _ = fcntl(probe, F_SETFL, O_NONBLOCK)
        let isRefused = try withAddress(path) { systemConnect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
        if !isRefused { throw Occupied(isListening: true, description: "another process listens on \(path)") }
    }

    private static func check(_ what: StaticString, _ call: () throws -> CInt) throws {
        if try call() != 0 { throw IOError(errnoCode: errno, reason: "\(what)") }
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) throws -> CInt {
        let address = try SocketAddress(unixDomainSocketPath: path)
        return address.withSockAddr { body($0, socklen_t($1)) }
    }
}

// Named so that they do not meet methods of the same names.
private let systemBind = Glibc.bind
private let systemConnect = Glibc.connect
