import NIOCore
import Synchronization

/// The way back from a task to its loop, closed for good before the loop ends.
final class LoopGate: Sendable {
    private let loop: any EventLoop
    private let isOpen = Mutex(true)

    init(_ loop: any EventLoop) { self.loop = loop }

    /// Runs `body` on the loop, unless the gate is closed.
    func execute(_ body: @escaping @Sendable () -> Void) {
        isOpen.withLock { isOpen in
            if isOpen { loop.execute(body) }
        }
    }

    func close() { isOpen.withLock { $0 = false } }
}
