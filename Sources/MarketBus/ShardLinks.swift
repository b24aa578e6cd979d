import MarketData

/// The publisher's ends of the inner bus. Only its thread touches them.
struct ShardLinks {
    private struct Link {
        let queue: ShardQueue
        /// Filled in this turn, without a lock.
        var batch: MessageBatch?
    }

    /// By number; interest is kept in a mask of 64 bits.
    private var links = [Link?](repeating: nil, count: 64)
    /// Those with a batch, a bit each.
    private var pending: UInt64 = 0

    mutating func open(_ queue: ShardQueue) { links[Int(queue.shard)] = Link(queue: queue) }

    mutating func close(_ shard: UInt8) {
        links[Int(shard)] = nil
        pending &= ~(1 << UInt64(shard))
    }

    /// - Returns: False when the shard is too far behind, and the message is lost.
    mutating func send(
        _ payload: UnsafeRawBufferPointer, _ key: RouteKey, shard: UInt8, isSnapshot: Bool
    ) -> Bool {
        if links[Int(shard)]?.batch?.append(key, isSnapshot: isSnapshot, payload) == true { return true }
        guard let batch = next(shard, MessageBatch.size(payload: payload.count)) else { return false }
        return batch.append(key, isSnapshot: isSnapshot, payload)
    }

    /// Hands an order update to every shard.
    /// - Returns: How many shards it was lost for.
    mutating func send(user: String, _ payload: UnsafeRawBufferPointer) -> Int {
        var lost = 0
        for shard in links.indices where links[shard] != nil {
            if links[shard]?.batch?.append(user: user, payload) == true { continue }
            let size = MessageBatch.size(payload: payload.count, user: user.utf8.count)
            if next(UInt8(shard), size)?.append(user: user, payload) != true { lost += 1 }
        }
        return lost
    }

    /// Passes the full batch on and takes another; nil when there is no room or no such shard.
    private mutating func next(_ shard: UInt8, _ size: Int) -> MessageBatch? {
        let index = Int(shard)
        if let full = links[index]?.batch {
            links[index]?.queue.push(full)
            links[index]?.batch = nil
            pending &= ~(1 << UInt64(shard))
        }
        guard let batch = links[index]?.queue.batch(for: size) else { return nil }
        links[index]?.batch = batch
        pending |= 1 << UInt64(shard)
        return batch
    }

    /// Passes on what this turn has brought.
    mutating func flush() {
        while pending != 0 {
            let index = pending.trailingZeroBitCount
            pending &= pending &- 1
            if let batch = links[index]?.batch { links[index]?.queue.push(batch) }
            links[index]?.batch = nil
        }
    }
}
