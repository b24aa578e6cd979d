import NIOCore
import NIOPosix
import NIOSSL

/// What a connection has of the listener that it came by.
struct Entrance: Sendable {
    /// Bytes go through TLS.
    var isTLS = false
    /// From this machine, by a Unix socket.
    var isUnix = false
    /// Whether several messages may leave in one write.
    var coalesces = true
}

/// One open listener.
struct Listener: Sendable {
    /// With the port that the system has picked.
    let address: ListenerAddress
    private let channel: any Channel
    private let file: UnixSocketFile?

    /// - Parameter bootstrap: Knows how to greet a connection.
    /// - Throws: ``ListenFailure``.
    static func open(_ address: ListenerAddress, _ bootstrap: ServerBootstrap) async throws -> Listener {
        do {
            switch address.place {
            case .tcp(let host, let port):
                // Never SO_REUSEPORT: OpenAlgo's own proxy sets it, and two of them would share the port
                // (drop-in.md section 2).
                let channel = try await bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .bind(host: host, port: port).get()
                return Listener(
                    address: address.with(port: channel.localAddress?.port ?? port), channel: channel, file: nil)
            case .unix(let path, let mode):
                let (file, descriptor) = try UnixSocketFile.bind(path: path, mode: mode)
                do {
                    // Takes the descriptor over, in failure too.
                    let channel = try await bootstrap.withBoundSocket(descriptor).get()
                    return Listener(address: address, channel: channel, file: file)
                } catch {
                    file.remove()
                    throw error
                }
            }
        } catch {
            throw ListenFailure(address: address, cause: error)
        }
    }

    func close() async {
        try? await channel.close().get()
        file?.remove()
    }
}

struct ListenFailure: Error {
    let address: ListenerAddress
    let cause: any Error
}

extension ListenerAddress {
    var entrance: Entrance {
        if case .unix = place { return Entrance(isUnix: true, coalesces: coalesces) }
        return Entrance(isTLS: isTLS, coalesces: coalesces)
    }

    fileprivate func with(port: Int) -> ListenerAddress {
        guard case .tcp(let host, _) = place else { return self }
        return ListenerAddress(host: host, port: port, isTLS: isTLS, coalesces: coalesces)
    }
}
