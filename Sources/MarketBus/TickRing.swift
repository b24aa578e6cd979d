import CFeedhostABI
import MarketData
import Synchronization

/// The single-producer, single-consumer ring between an adapter's feed thread and the publisher's thread. Both sides are
/// wait-free; a full ring drops and counts.
///
/// Records are `header, body` and never wrap: one that does not fit before the end is preceded by padding.
final class TickRing: @unchecked Sendable {
    // Unchecked: the memory is shared by design. `written` and `read` order all access to it: the producer writes only
    // behind `written` and before `read + capacity`, the consumer reads only between the two.

    enum Kind: UInt32 { case padding, tick, raw }

    struct Header {
        var size: UInt32  // Bytes with header, a multiple of 8.
        var kind: UInt32
        var bids: UInt16
        var asks: UInt16
        var instrument: UInt32
        var length: UInt32  // Bytes of a raw body.
        var mode: UInt32
    }

    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    private let written = Atomic<Int>(0)
    private let consumed = Atomic<Int>(0)

    /// - Parameter capacity: Bytes; a power of two.
    init(capacity: Int = 1 << 20) {
        precondition(capacity.nonzeroBitCount == 1, "a ring's capacity is a power of two")
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { memory.deallocate() }

    /// Producer. True when more than half of the ring waits to be read.
    var isCrowded: Bool {
        written.load(ordering: .relaxed) - consumed.load(ordering: .relaxed) > capacity / 2
    }

    /// Producer. Makes room for a record of `bytes` and lets `fill` write it; false when the ring is full.
    @inline(__always)
    func push(_ header: Header, bytes: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> Bool {
        let size = (MemoryLayout<Header>.size + bytes + 7) & ~7
        var start = written.load(ordering: .relaxed)
        let room = capacity - (start - consumed.load(ordering: .acquiring))
        let offset = start & (capacity - 1)
        let untilEnd = capacity - offset
        let padding = untilEnd < size ? untilEnd : 0
        guard size + padding <= room else { return false }
        if padding > 0 {
            // A remainder too small for a header is skipped by both sides alike.
            if padding >= MemoryLayout<Header>.size {
                (memory + offset).storeBytes(
                    of: Header(
                        size: UInt32(padding), kind: Kind.padding.rawValue, bids: 0, asks: 0, instrument: 0, length: 0,
                        mode: 0), as: Header.self)
            }
            start += padding
        }
        let place = memory + (start & (capacity - 1))
        var header = header
        header.size = UInt32(size)
        place.storeBytes(of: header, as: Header.self)
        fill(place + MemoryLayout<Header>.size)
        written.store(start + size, ordering: .releasing)
        return true
    }

    /// Consumer. Hands over up to `limit` records in order; the bytes are borrowed for the call.
    func drain(limit: Int, _ body: (Header, UnsafeRawPointer) -> Void) -> Int {
        let end = written.load(ordering: .acquiring)
        var at = consumed.load(ordering: .relaxed)
        var count = 0
        while at < end, count < limit {
            let offset = at & (capacity - 1)
            if capacity - offset < MemoryLayout<Header>.size {
                at += capacity - offset
                continue
            }
            let header = (memory + offset).load(as: Header.self)
            if header.kind != Kind.padding.rawValue {
                body(header, UnsafeRawPointer(memory + offset + MemoryLayout<Header>.size))
                count += 1
            }
            at += Int(header.size)
        }
        consumed.store(at, ordering: .releasing)
        return count
    }

    var isEmpty: Bool { written.load(ordering: .acquiring) == consumed.load(ordering: .relaxed) }
}
