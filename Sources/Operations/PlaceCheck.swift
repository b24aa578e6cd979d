import Foundation
import Glibc
import MarketData

/// Tries whether something could listen at a place, and leaves nothing behind.
public enum PlaceCheck {
    /// What keeps a socket from being bound.
    public enum Trouble: Sendable, Hashable {
        /// Somebody listens there; who, as ``PortHolder`` tells it.
        case taken(by: String?)
        /// Another reason, as a sentence without its end.
        case unusable(String)
    }

    /// - Parameters:
    ///   - host: An address of this machine or a name of it, without brackets.
    ///   - port: 0 is always free.
    /// - Returns: Nil when the place is free. Blocks while a name is looked up.
    public static func tcp(host: String, port: Int) -> Trouble? {
        let addresses: [String]
        do {
            addresses = try HostAddresses.of(host)
        } catch {
            return .unusable("\(error)")
        }
        let troubles = addresses.map { tcp(address: $0, port: port) }
        // Somebody at one address keeps the host from having that port at all; an address that is missing does not, as long
        // as there is another.
        for case .taken(let holder)? in troubles { return .taken(by: holder) }
        return troubles.contains(nil) ? nil : troubles.first ?? nil
    }

    private static func tcp(address host: String, port: Int) -> Trouble? {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found else {
            return .unusable("\(host) is no address of this machine")
        }
        defer { freeaddrinfo(address) }
        let info = address.pointee
        let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard descriptor >= 0 else { return .unusable(reason(errno)) }
        defer { close(descriptor) }
        // As the host does: connections that have ended a moment ago are in nobody's way.
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) != 0 || listen(descriptor, 1) != 0 else { return nil }
        switch errno {
        case EADDRINUSE: return .taken(by: PortHolder.name(port: port))
        case EADDRNOTAVAIL: return .unusable("\(host) is no address of this machine")
        case EACCES, EPERM: return .unusable("ports below 1024 need a right that this user does not have")
        case let code: return .unusable(reason(code))
        }
    }

    /// - Parameter path: Absolute.
    public static func unixSocket(path: String) -> Trouble? {
        let folder = (path as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            return .unusable("the folder \(folder) does not exist")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            return .unusable("this user may not write to the folder \(folder)")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            return .unusable("\(path) is there and is not a socket; remove it")
        }
        guard let probe = UnixProbe(path) else { return .unusable("\(path) is too long for a Unix socket") }
        defer { probe.close() }
        // A file that nobody listens on was left behind, and is replaced.
        if probe.connect() != 0, errno == ECONNREFUSED { return nil }
        return .taken(by: PortHolder.name(unixSocket: path))
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// A socket on its way to a Unix socket.
struct UnixProbe {
    let descriptor: Int32
    private let address: sockaddr_un

    /// - Returns: Nil for a path that is too long.
    init?(_ path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard bytes.count < buffer.count else { return false }
            buffer.copyBytes(from: bytes)
            return true
        }
        guard fits else { return nil }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        // A full queue must not hold us: somebody listens then.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        self.address = address
    }

    /// - Returns: As connect(2).
    func connect() -> Int32 {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                systemConnect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    func close() { _ = systemClose(descriptor) }
}

// Named so that they do not meet the methods.
private let systemConnect = Glibc.connect
private let systemClose = Glibc.close
