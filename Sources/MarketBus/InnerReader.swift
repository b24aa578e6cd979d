import MarketData

/// A reader's end of the inner bus. Used by the reader's thread alone.
final class InnerReader: BusReader {
    private let queue: ReaderQueue
    private let setInterest: @Sendable ([RouteKey], _ isWanted: Bool) -> Void
    private let onClose: @Sendable () -> Void
    private var batches: ContiguousArray<MessageBatch> = []
    /// The one of them that is being read.
    private var current = 0
    /// Routes that the publisher does not know to be left yet.
    private var left: [RouteKey] = []

    /// - Parameter onClose: Tells the publisher that nobody reads any more.
    init(
        _ queue: ReaderQueue, setInterest: @escaping @Sendable ([RouteKey], _ isWanted: Bool) -> Void,
        onClose: @escaping @Sendable () -> Void
    ) {
        self.queue = queue
        self.setInterest = setInterest
        self.onClose = onClose
    }

    func subscribe(_ key: RouteKey) {
        flush()
        setInterest([key], true)
    }

    func unsubscribe(_ key: RouteKey) { left.append(key) }

    func flush() {
        guard !left.isEmpty else { return }
        setInterest(left, false)
        left = []
    }

    func drain(limit: Int, _ body: (BusEvent) -> Void) -> Int {
        var count = 0
        while count < limit {
            if current == batches.count {
                queue.exchange(&batches)
                current = 0
                if batches.isEmpty { break }
            }
            if batches[current].next(body) { count += 1 } else { current += 1 }
        }
        return count
    }

    func wake(_ signal: @escaping @Sendable () -> Void) { queue.listen(signal) }

    func rearm() { queue.arm() }

    func close() {
        queue.listen(nil)
        onClose()
    }
}
