import MarketData

/// The publisher's ends of the inner bus. Only its thread touches them.
struct Readers {
    private struct Reader {
        let queue: ReaderQueue
        /// Filled in this turn, without a lock.
        var batch: MessageBatch?
    }

    /// By number; interest is kept in a mask of 64 bits.
    private var places = [Reader?](repeating: nil, count: 64)
    /// Those with a batch, a bit each.
    private var pending: UInt64 = 0

    mutating func open(_ queue: ReaderQueue) { places[Int(queue.number)] = Reader(queue: queue) }

    mutating func close(_ reader: UInt8) {
        places[Int(reader)] = nil
        pending &= ~(1 << UInt64(reader))
    }

    /// - Returns: False when the reader is too far behind, and the message is lost.
    mutating func send(
        _ payload: UnsafeRawBufferPointer, _ key: RouteKey, reader: UInt8, isSnapshot: Bool
    ) -> Bool {
        if places[Int(reader)]?.batch?.append(key, isSnapshot: isSnapshot, payload) == true { return true }
        guard let batch = next(reader, MessageBatch.size(payload: payload.count)) else { return false }
        return batch.append(key, isSnapshot: isSnapshot, payload)
    }

    /// Hands an order update to every reader.
    /// - Returns: How many readers it was lost for.
    mutating func send(_ order: OrderHeader, _ payload: UnsafeRawBufferPointer) -> Int {
        let order = EncodedOrderHeader(order)
        var lost = 0
        for reader in places.indices where places[reader] != nil {
            if places[reader]?.batch?.append(order, payload) == true { continue }
            let size = MessageBatch.size(payload: payload.count, facts: order.bytes.count)
            if next(UInt8(reader), size)?.append(order, payload) != true { lost += 1 }
        }
        return lost
    }

    /// Passes the full batch on and takes another; nil when there is no room or no such reader.
    private mutating func next(_ reader: UInt8, _ size: Int) -> MessageBatch? {
        let index = Int(reader)
        if let full = places[index]?.batch {
            places[index]?.queue.push(full)
            places[index]?.batch = nil
            pending &= ~(1 << UInt64(reader))
        }
        guard let batch = places[index]?.queue.batch(for: size) else { return nil }
        places[index]?.batch = batch
        pending |= 1 << UInt64(reader)
        return batch
    }

    /// Passes on what this turn has brought.
    mutating func flush() {
        while pending != 0 {
            let index = pending.trailingZeroBitCount
            pending &= pending &- 1
            if let batch = places[index]?.batch { places[index]?.queue.push(batch) }
            places[index]?.batch = nil
        }
    }
}
