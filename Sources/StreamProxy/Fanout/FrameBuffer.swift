import Glibc

/// Bytes in memory that is used again and again: nothing is allocated once it has grown to what is needed, and appending is
/// one copy. Confined to its loop.
final class FrameBuffer {
    private var start: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 256) {
        self.capacity = capacity
        start = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { start.deallocate() }

    /// Valid until the next change.
    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    @inline(__always)
    func clear() { count = 0 }

    /// Takes bytes out at the beginning.
    func removeFirst(_ size: Int) {
        count -= size
        memmove(start, start + size, count)
    }

    @inline(__always)
    func append(_ more: UnsafeRawBufferPointer) {
        guard let source = more.baseAddress else { return }
        if count + more.count > capacity { grow(to: count + more.count) }
        memcpy(start + count, source, more.count)
        count += more.count
    }

    /// Room for so many bytes at the end, which `body` writes all.
    @inline(__always)
    func append(_ size: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
        if count + size > capacity { grow(to: count + size) }
        body(start + count)
        count += size
    }

    private func grow(to needed: Int) {
        capacity = max(needed, capacity * 2)
        let wider = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        memcpy(wider, start, count)
        start.deallocate()
        start = wider
    }
}
