import Glibc
import Synchronization

/// Wakes a thread that polls. Producers call ``signal()`` after every hand-over; it costs a system call only when the
/// thread has said that it is going to sleep.
final class WakeUp: Sendable {
    private let pipe: SignalPipe
    private let sleeping = Atomic<Bool>(false)

    init() throws { pipe = try SignalPipe() }

    /// Readable when the thread shall wake up.
    var descriptor: Int32 { pipe.reader }

    /// Any thread. Wait-free, but for the one system call that ends a sleep.
    @inline(__always)
    func signal() {
        // The fence orders the producer's hand-over before the look at the flag; the consumer does the reverse.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if sleeping.load(ordering: .relaxed) { wake() }
    }

    /// The same for a producer of a feed, which also puts it on the list of those that have something.
    @inline(__always)
    func signal(_ slot: Int, in ready: ReadyFeeds) {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        ready.mark(slot)
        if sleeping.load(ordering: .relaxed) { wake() }
    }

    @inline(never)
    private func wake() {
        if sleeping.exchange(false, ordering: .acquiringAndReleasing) { pipe.ring() }
    }

    /// The consumer is about to sleep; it must look for work once more after this and before it polls.
    func willSleep() {
        sleeping.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// The consumer is awake again.
    func didWake() {
        sleeping.store(false, ordering: .relaxed)
        pipe.drain()
    }
}

/// A pipe whose readability is the message. Neither end blocks.
final class SignalPipe: Sendable {
    let reader: Int32
    private let writer: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ZMQError("create a pipe") }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (reader, writer) = (ends[0], ends[1])
    }

    deinit {
        close(reader)
        close(writer)
    }

    /// A full pipe is readable already, so a failed write loses nothing.
    func ring() { withUnsafeBytes(of: UInt8(1)) { _ = write(writer, $0.baseAddress, 1) } }

    func drain() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
            while read(reader, bytes.baseAddress, bytes.count) > 0 {}
        }
    }
}
