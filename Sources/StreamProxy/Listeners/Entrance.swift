import Glibc
import MarketData
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

/// One open listener: a socket, or one for each address that its name stands for.
struct Listener: Sendable {
    /// With the port that the system has picked.
    let address: ListenerAddress
    /// Where it listens, numeric; empty for a Unix socket.
    let places: [String]
    /// Addresses of its name that this machine does not have, with why.
    let absent: [String: String]
    private let channels: [any Channel]
    private let file: UnixSocketFile?

    /// How often another port is tried when the one that the system has picked is free on one address only.
    private static let attempts = 20

    /// - Parameter bootstrap: Knows how to greet a connection.
    /// - Throws: ``ListenFailure``.
    static func open(_ address: ListenerAddress, _ bootstrap: ServerBootstrap) async throws -> Listener {
        do {
            switch address.place {
            case .tcp(let host, let port):
                // A look-up blocks this thread, once, before anybody is served.
                return try await openAll(address, try HostAddresses.of(host), port: port, bootstrap)
            case .unix(let path, let mode):
                let (file, descriptor) = try UnixSocketFile.bind(path: path, mode: mode)
                do {
                    // Takes the descriptor over, in failure too.
                    let channel = try await bootstrap.withBoundSocket(descriptor).get()
                    return Listener(address: address, places: [], absent: [:], channels: [channel], file: file)
                } catch {
                    file.remove()
                    throw error
                }
            }
        } catch {
            throw ListenFailure(address: address, cause: error)
        }
    }

    /// Clients try one address of a name after the other, and which one first is theirs to choose: all must answer, at one
    /// port. A family that the machine does not have is no reason to give up.
    private static func openAll(
        _ address: ListenerAddress, _ hosts: [String], port: Int, _ bootstrap: ServerBootstrap
    ) async throws -> Listener {
        // Never SO_REUSEPORT: OpenAlgo's own proxy sets it, and two of them would share the port
        // (drop-in.md section 2).
        let bootstrap = bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        var attempt = 1
        while true {
            var channels: [any Channel] = []
            do {
                var absent: [(host: String, error: IOError)] = []
                var chosen = port
                for host in hosts {
                    do {
                        let place = try SocketAddress.makeAddressResolvingHost(host, port: chosen)
                        let channel = try await bootstrap.bind(to: place).get()
                        channels.append(channel)
                        chosen = channel.localAddress?.port ?? chosen
                    } catch let error as IOError where HostAddresses.isAbsence(error.errnoCode) {
                        absent.append((host, error))
                    }
                }
                if channels.isEmpty, let first = absent.first { throw first.error }
                let missing = Set(absent.map(\.host))
                return Listener(
                    address: address.with(port: chosen), places: hosts.filter { !missing.contains($0) },
                    absent: Dictionary(absent.map { ($0.host, $0.error.reason) }) { first, _ in first },
                    channels: channels, file: nil)
            } catch {
                for channel in channels { try? await channel.close().get() }
                let isTaken = (error as? IOError)?.errnoCode == EADDRINUSE
                guard isTaken, port == 0, !channels.isEmpty, attempt < attempts else { throw error }
                attempt += 1
            }
        }
    }

    /// Whether what is sent there can be read on its way from another machine.
    var isExposed: Bool { !address.isTLS && places.contains { !HostAddresses.isLoopback($0) } }

    func close() async {
        for channel in channels { try? await channel.close().get() }
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

extension IOError {
    /// In the system's words, without the call that failed.
    fileprivate var reason: String { String(cString: strerror(errnoCode)) }
}
