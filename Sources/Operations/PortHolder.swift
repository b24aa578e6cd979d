import Foundation
import Glibc

/// Finds out which process listens on a TCP port or a Unix socket of this machine.
public enum PortHolder {
    /// By the tables under `/proc`.
    /// - Returns: `python3 (process 4711)`; nil when nobody is found, for example because the process belongs to another user.
    public static func name(port: Int) -> String? {
        let inodes = listeners(port: port)
        guard !inodes.isEmpty else { return nil }
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in processes where Int(process) != nil {
            let folder = "/proc/\(process)/fd"
            for descriptor in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                guard
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)"),
                    inodes.contains(target)
                else { continue }
                return describe(process)
            }
        }
        return nil
    }

    /// By asking the kernel, which takes a connection that says nothing: `/proc/net/unix` shows the name that a socket was
    /// bound under, and not the one that it was renamed to.
    /// - Returns: As ``name(port:)``; nil when nobody listens, or nobody may connect.
    public static func name(unixSocket path: String) -> String? {
        guard let probe = UnixProbe(path) else { return nil }
        defer { probe.close() }
        guard probe.connect() == 0 else { return nil }
        // struct ucred: process, user, group.
        var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(probe.descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0, credentials.0 > 0 else {
            return nil
        }
        return describe("\(credentials.0)")
    }

    private static func describe(_ process: String) -> String {
        let name = (try? WholeFile.bytes("/proc/\(process)/comm")).map { String(decoding: $0, as: UTF8.self) }
        return "\((name ?? "a process").trimmingCharacters(in: .whitespacesAndNewlines)) (process \(process))"
    }

    /// The sockets that listen on the port, as `socket:[inode]`.
    private static func listeners(port: Int) -> Set<String> {
        var found: Set<String> = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let bytes = try? WholeFile.bytes(table) else { continue }
            for line in bytes.split(separator: UInt8(ascii: "\n")).dropFirst() {
                let columns = String(decoding: line, as: UTF8.self).split(separator: " ")
                // local_address is column 1, the state column 3 (0A: listening), the inode column 9.
                guard columns.count > 9, columns[3] == "0A", let local = columns[1].split(separator: ":").last,
                    Int(local, radix: 16) == port
                else { continue }
                found.insert("socket:[\(columns[9])]")
            }
        }
        return found
    }
}
