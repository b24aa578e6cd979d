import Glibc
import Synchronization

/// The single-producer, single-consumer ring between an adapter's feed thread and the publisher's thread. Both sides are
/// wait-free; a full ring drops and counts.
///
/// Records are `header, body` and never wrap: one that does not fit before the end is preceded by padding.
///
/// A ring is as large as it has to be. It consists of parts, each a ring of its own and four times as large as the one
/// before. The producer writes to the first, 16 KiB, for as long as the consumer keeps up. When a part is full, a record of
/// the kind `jump` in it sends the consumer to a larger one, and when the consumer has caught up there, another sends it back to
/// the first. All parts lie in one mapping, so nothing is ever allocated; pages of larger parts exist only once a burst has
/// needed them, and are given back when no burst has come for a while.
///
/// The cursors lie in the mapping too, each in a cache line of its own, and there are offsets only, no pointers.
public final class TickRing: @unchecked Sendable {
    // Unchecked: the memory is shared by design. `written` and `consumed` of a part order all access to it: the producer writes
    // only behind `written` and before `consumed + capacity`, the consumer reads only between the two. The other fields are
    // constant, or said to be one side's.

    public enum Kind: UInt32, Sendable { case padding, tick, raw, jump }

    public struct Header {
        public var size: UInt32  // Bytes with header, a multiple of 8.
        public var kind: UInt32
        public var bids: UInt16
        public var asks: UInt16
        public var instrument: UInt32  // Of a jump: the part where it goes on.
        public var length: UInt32  // Bytes of a raw body.
        public var mode: UInt32

        /// - Parameter size: Bytes with header; the ring fills it in.
        @inlinable
        public init(
            size: UInt32 = 0, kind: UInt32, bids: UInt16 = 0, asks: UInt16 = 0, instrument: UInt32, length: UInt32 = 0,
            mode: UInt32 = 0
        ) {
            self.size = size
            self.kind = kind
            self.bids = bids
            self.asks = asks
            self.instrument = instrument
            self.length = length
            self.mode = mode
        }

        @usableFromInline
        static func own(_ kind: Kind, size: Int, part: Int = 0) -> Header {
            Header(size: UInt32(size), kind: kind.rawValue, instrument: UInt32(part))
        }
    }

    /// Bytes of the first part; about 70 ticks without books.
    public static let firstPart = 16 << 10
    /// Bytes before the first part: the cursors.
    @usableFromInline
    static let cursors = 4096
    @usableFromInline
    static let line = 64
    /// What a jump may take: its header, and a remainder before the end that is too small for one.
    @usableFromInline
    static let jumpRoom = 2 * MemoryLayout<Header>.size
    /// Rounds through the first part without a burst, after which the largest part that was used is given back.
    private static let calmRounds = 16

    /// Bytes that fit at the least when everything is needed.
    public let capacity: Int
    @usableFromInline
    let first: Int
    @usableFromInline
    let parts: Int
    @usableFromInline
    let memory: UnsafeMutableRawPointer
    private let mapped: Int

    /// Producer's: the largest part whose pages may exist.
    private var largest = 0
    /// Producer's: rounds through the first part since the last burst.
    private var rounds = 0

    /// - Parameter capacity: Bytes; a power of two.
    public init(capacity: Int = 1 << 20) {
        precondition(capacity.nonzeroBitCount == 1 && capacity >= 64, "a ring's capacity is a power of two")
        self.capacity = capacity
        first = min(capacity, TickRing.firstPart)
        var parts = 1
        var sum = first
        while TickRing.size(parts - 1, first, capacity) < capacity {
            sum += TickRing.size(parts, first, capacity)
            parts += 1
        }
        self.parts = parts
        mapped = TickRing.cursors + sum
        // Nothing is reserved: most rings never need more than the first part.
        let memory = mmap(
            nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let memory, memory != MAP_FAILED else { preconditionFailure("no memory for a ring of \(mapped) bytes") }
        // A huge page would be 2 MiB for the first tick.
        madvise(memory, mapped, MADV_NOHUGEPAGE)
        self.memory = memory
        for line in 0..<(2 + 2 * parts) {
            (memory + line * TickRing.line).initializeMemory(as: Atomic<Int>.self, to: Atomic(0))
        }
    }

    deinit { munmap(memory, mapped) }

    // MARK: The mapping

    @inlinable
    @inline(__always)
    func cursor(_ line: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        (memory + line &* TickRing.line).assumingMemoryBound(to: Atomic<Int>.self)
    }

    /// The part that the producer writes to.
    @inlinable
    var tail: UnsafeMutablePointer<Atomic<Int>> { cursor(0) }
    /// The part that the consumer reads from.
    @inlinable
    var head: UnsafeMutablePointer<Atomic<Int>> { cursor(1) }
    /// Bytes written to a part since it was begun.
    @inlinable
    func written(_ part: Int) -> UnsafeMutablePointer<Atomic<Int>> { cursor(2 &+ 2 &* part) }
    /// Bytes read of a part since then.
    @inlinable
    func consumed(_ part: Int) -> UnsafeMutablePointer<Atomic<Int>> { cursor(3 &+ 2 &* part) }

    @inlinable
    @inline(__always)
    static func size(_ part: Int, _ first: Int, _ capacity: Int) -> Int { min(first &<< (2 &* part), capacity) }

    @inlinable
    @inline(__always)
    func size(_ part: Int) -> Int { TickRing.size(part, first, capacity) }

    /// Where a part begins: behind 1 + 4 + 16 + … times the first.
    @inlinable
    @inline(__always)
    func bytes(_ part: Int) -> UnsafeMutableRawPointer {
        memory + (TickRing.cursors &+ first &* (((1 &<< (2 &* part)) &- 1) / 3))
    }

    // MARK: Producer

    /// Any thread. True when more than half of the capacity waits to be read.
    public var isCrowded: Bool {
        var waiting = 0
        for part in 0...tail.pointee.load(ordering: .relaxed) {
            waiting +=
                written(part).pointee.load(ordering: .relaxed) - consumed(part).pointee.load(ordering: .relaxed)
        }
        return waiting > capacity / 2
    }

    /// Producer. Makes room for a record of `bytes` and lets `fill` write it; false when the ring is full.
    @inlinable
    @inline(__always)
    public func push(_ header: Header, bytes: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> Bool {
        let size = (MemoryLayout<Header>.size + bytes + 7) & ~7
        var part = tail.pointee.load(ordering: .relaxed)
        if part > 0 { part = goBack(from: part) }
        if !hasRoom(for: size, in: part) {
            guard let larger = goOn(from: part, for: size) else { return false }
            part = larger
        }
        let start = begin(size, in: part)
        let place = self.bytes(part) + (start & (self.size(part) - 1))
        var header = header
        header.size = UInt32(size)
        place.storeBytes(of: header, as: Header.self)
        fill(place + MemoryLayout<Header>.size)
        written(part).pointee.store(start + size, ordering: .releasing)
        return true
    }

    /// Whether a record fits, and a jump behind it, which a part that is full must still take.
    @inlinable
    @inline(__always)
    func hasRoom(for size: Int, in part: Int) -> Bool {
        let start = written(part).pointee.load(ordering: .relaxed)
        let capacity = self.size(part)
        let room = capacity - (start - consumed(part).pointee.load(ordering: .acquiring))
        let untilEnd = capacity - start & (capacity - 1)
        let needed = (untilEnd < size ? untilEnd : 0) + size
        return needed + (part + 1 < parts ? TickRing.jumpRoom : 0) <= room
    }

    /// Pads to the end of the part if the record does not fit before it.
    /// - Returns: Where the record begins.
    @inlinable
    @inline(__always)
    func begin(_ size: Int, in part: Int) -> Int {
        let start = written(part).pointee.load(ordering: .relaxed)
        let capacity = self.size(part)
        let untilEnd = capacity - start & (capacity - 1)
        guard untilEnd < size else {
            if part == 0, untilEnd == capacity { endRound() }
            return start
        }
        // A remainder too small for a header is skipped by both sides alike.
        if untilEnd >= MemoryLayout<Header>.size {
            (bytes(part) + (capacity - untilEnd)).storeBytes(of: .own(.padding, size: untilEnd), as: Header.self)
        }
        if part == 0 { endRound() }
        return start + untilEnd
    }

    /// Sends the consumer to the smallest larger part that has room.
    /// - Returns: Nil when there is none: the ring is full.
    @usableFromInline
    @inline(never)
    func goOn(from part: Int, for size: Int) -> Int? {
        for larger in (part + 1)..<max(parts, part + 1) {
            beginAnew(larger)
            guard hasRoom(for: size, in: larger) else { continue }
            jump(from: part, to: larger)
            largest = max(largest, larger)
            rounds = 0
            return larger
        }
        return nil
    }

    /// Back to the first part, when the consumer has read everything.
    @usableFromInline
    func goBack(from part: Int) -> Int {
        guard isRead(part) else { return part }
        beginAnew(0)
        jump(from: part, to: 0)
        return 0
    }

    /// From the beginning of a part that the consumer has left, so that a burst touches the pages that it needs and no more.
    private func beginAnew(_ part: Int) {
        // Both cursors are the producer's as long as nothing in the part is unread: the consumer touches them again only
        // after the jump that leads there.
        guard isRead(part) else { return }
        written(part).pointee.store(0, ordering: .relaxed)
        consumed(part).pointee.store(0, ordering: .relaxed)
    }

    /// The consumer comes to a part by a jump only, so whoever has read the last part has read all of them.
    private func isRead(_ part: Int) -> Bool {
        written(part).pointee.load(ordering: .relaxed) == consumed(part).pointee.load(ordering: .acquiring)
    }

    private func jump(from part: Int, to target: Int) {
        let size = MemoryLayout<Header>.size
        let start = begin(size, in: part)
        (bytes(part) + (start & (self.size(part) - 1))).storeBytes(
            of: .own(.jump, size: size, part: target), as: Header.self)
        written(part).pointee.store(start + size, ordering: .releasing)
        tail.pointee.store(target, ordering: .relaxed)
    }

    /// Gives the pages of the largest part back after a while without bursts; then the next one's.
    @usableFromInline
    @inline(never)
    func endRound() {
        guard largest > 0 else { return }
        rounds += 1
        // A part may still hold the jump that leads out of it.
        guard rounds >= TickRing.calmRounds, isRead(largest) else { return }
        rounds = 0
        madvise(bytes(largest), size(largest), MADV_DONTNEED)
        largest -= 1
    }

    // MARK: Consumer

    /// Consumer. Hands over up to `limit` records in order; the bytes are borrowed for the call.
    public func drain(limit: Int, _ body: (Header, UnsafeRawPointer) -> Void) -> Int {
        var count = 0
        var part = head.pointee.load(ordering: .relaxed)
        while let next = drain(part, limit: limit, &count, body) {
            part = next
            head.pointee.store(part, ordering: .relaxed)
        }
        return count
    }

    /// - Returns: The part where it goes on.
    @inlinable
    @inline(__always)
    func drain(
        _ part: Int, limit: Int, _ count: inout Int, _ body: (Header, UnsafeRawPointer) -> Void
    ) -> Int? {
        let (memory, capacity) = (bytes(part), size(part))
        let end = written(part).pointee.load(ordering: .acquiring)
        var at = consumed(part).pointee.load(ordering: .relaxed)
        var next: Int?
        while at < end, count < limit, next == nil {
            let offset = at & (capacity - 1)
            if capacity - offset < MemoryLayout<Header>.size {
                at += capacity - offset
                continue
            }
            let header = (memory + offset).load(as: Header.self)
            at += Int(header.size)
            switch header.kind {
            case Kind.padding.rawValue: break
            case Kind.jump.rawValue: next = Int(header.instrument)
            default:
                body(header, UnsafeRawPointer(memory + offset + MemoryLayout<Header>.size))
                count += 1
            }
        }
        consumed(part).pointee.store(at, ordering: .releasing)
        return next
    }

    /// Consumer.
    public var isEmpty: Bool {
        let part = head.pointee.load(ordering: .relaxed)
        return written(part).pointee.load(ordering: .acquiring) == consumed(part).pointee.load(ordering: .relaxed)
    }

    /// Bytes of memory that exist for it now.
    public var resident: Int {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        var pages = [UInt8](repeating: 0, count: (mapped + page - 1) / page)
        guard mincore(memory, mapped, &pages) == 0 else { return mapped }
        return pages.count { $0 & 1 != 0 } * page
    }
}
