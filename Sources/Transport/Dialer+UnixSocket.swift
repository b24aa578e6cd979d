import NIOCore
import NIOPosix

extension Dialer {
    /// A Unix socket has neither a name to look up nor options of TCP.
    func dial(unixSocket path: String, timeout: TimeAmount) -> EventLoopFuture<any Channel> {
        do {
            // Checked here: NIO takes a path that is too long for a mistake of the program.
            _ = try SocketAddress(unixDomainSocketPath: path)
        } catch {
            return loop.makeFailedFuture(error)
        }
        return ClientBootstrap(group: loop).connectTimeout(timeout).connect(unixDomainSocketPath: path)
    }
}
