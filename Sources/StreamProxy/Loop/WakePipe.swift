import Glibc
import NIOCore
import NIOPosix

/// Wakes a loop from another thread through a pipe that it polls like its sockets.
///
/// Not by `loop.execute`: NIO runs all tasks before it polls, so a bus at full speed would starve accepts and reads
/// (performance.md, "Starvation").
final class WakePipe: Sendable {
    private let writeEnd: CInt
    private let channel: any Channel

    private init(writeEnd: CInt, channel: any Channel) {
        self.writeEnd = writeEnd
        self.channel = channel
    }

    /// - Parameter wake: Called on the loop, once for any number of signals that came before.
    static func open(on loop: any EventLoop, wake: @escaping @Sendable () -> Void) async throws -> WakePipe {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw IOError(errnoCode: errno, reason: "pipe") }
        let (input, output) = (ends[0], ends[1])
        // A full pipe has signals enough in it already.
        _ = fcntl(output, F_SETFL, fcntl(output, F_GETFL) | O_NONBLOCK)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        do {
            let channel = try await NIOPipeBootstrap(group: loop)
                .channelOption(.maxMessagesPerRead, value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Reader(wake))
                    }
                }
                .takingOwnershipOfDescriptor(input: input).get()
            return WakePipe(writeEnd: output, channel: channel)
        } catch {
            _ = closeDescriptor(input)
            _ = closeDescriptor(output)
            throw error
        }
    }

    /// Any thread.
    func signal() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// To be called when nobody can signal any more.
    func close() async {
        try? await channel.close().get()
        _ = closeDescriptor(writeEnd)
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let wake: @Sendable () -> Void

        init(_ wake: @escaping @Sendable () -> Void) { self.wake = wake }

        func channelReadComplete(context: ChannelHandlerContext) { wake() }
    }
}

/// `close`, where a method of the same name hides it.
private func closeDescriptor(_ descriptor: CInt) -> CInt { close(descriptor) }
