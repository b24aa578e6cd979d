import MarketData

/// Messages one behind the other in one piece of memory. Owned by one thread at a time: ``ReaderQueue`` passes it on.
final class MessageBatch: @unchecked Sendable {
    // Unchecked: whoever holds it has got it under the queue's lock and gives it back under that lock, and nobody keeps it
    // afterwards.

    /// Bytes of a batch, unless one message is larger. About a turn of the publisher's.
    static let standard = 64 << 10
    /// A header: the message's size, the length of what comes first, and the route with its mark (``RouteKey/wireSize``).
    private static let header = 8 + RouteKey.wireSize

    let capacity: Int
    private(set) var used = 0
    private var read = 0
    private let memory: UnsafeMutableRawPointer

    init(capacity: Int) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    func clear() { (used, read) = (0, 0) }

    private static func rounded(_ size: Int) -> Int { (size + 7) & ~7 }

    /// What a message takes.
    static func size(payload: Int, facts: Int = 0) -> Int { header + rounded(payload + facts) }

    /// Adds one message; false when it does not fit any more.
    @inline(__always)
    func append(_ key: RouteKey, isSnapshot: Bool, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard let place = reserve(payload.count, facts: 0) else { return false }
        key.write(to: place + 8, mark: isSnapshot ? 1 : 0)
        if let source = payload.baseAddress { (place + Self.header).copyMemory(from: source, byteCount: payload.count) }
        return true
    }

    /// Adds an order update; the mode of its route is 0, which no mode is.
    func append(_ order: EncodedOrderHeader, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard let place = reserve(payload.count, facts: order.bytes.count) else { return false }
        (place + 8).initializeMemory(as: UInt8.self, repeating: 0, count: RouteKey.wireSize)
        order.bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: place + Self.header, count: $0.count).copyMemory(from: $0)
        }
        if let source = payload.baseAddress {
            (place + Self.header + order.bytes.count).copyMemory(from: source, byteCount: payload.count)
        }
        return true
    }

    private func reserve(_ payload: Int, facts: Int) -> UnsafeMutableRawPointer? {
        let size = Self.size(payload: payload, facts: facts)
        guard used + size <= capacity else { return nil }
        let place = memory + used
        place.storeBytes(of: UInt32(payload + facts), as: UInt32.self)
        place.storeBytes(of: UInt32(facts), toByteOffset: 4, as: UInt32.self)
        used += size
        return place
    }

    /// Hands over the next message; false at the end.
    @inline(__always)
    func next(_ body: (BusEvent) -> Void) -> Bool {
        guard read < used else { return false }
        let place = UnsafeRawPointer(memory + read)
        let length = Int(place.load(as: UInt32.self))
        let facts = Int(place.load(fromByteOffset: 4, as: UInt32.self))
        read += Self.header + Self.rounded(length)
        let bytes = UnsafeRawBufferPointer(start: place + Self.header, count: length)
        let route = UnsafeRawBufferPointer(start: place + 8, count: RouteKey.wireSize)
        if let (mark, key) = RouteKey.read(route) {
            body(.data(key, snapshot: mark == 1, payload: bytes))
        } else {
            body(
                .order(
                    EncodedOrderHeader.read(UnsafeRawBufferPointer(rebasing: bytes.prefix(facts))),
                    payload: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(facts))))
        }
        return true
    }
}
