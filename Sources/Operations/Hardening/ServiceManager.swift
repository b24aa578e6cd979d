import Glibc

/// Tells systemd how far this service is (sd_notify(3)); without systemd it tells nobody.
package enum ServiceManager {
    package enum State: String {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    package static func tell(_ state: State) {
        guard let name = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }) else { return }
        send(state, to: name)
    }

    /// - Parameter name: A path, or a name in the abstract namespace, which begins with `@`.
    static func send(_ state: State, to name: String) {
        let text = state.rawValue
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        guard path.first == UInt8(ascii: "/") || path.first == UInt8(ascii: "@"),
            path.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return }
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + socklen_t(path.count)
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}
