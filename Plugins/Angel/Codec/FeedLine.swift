import AdapterKit

/// One subscribed instrument of a market connection.
struct FeedLine {
    /// What ticks carry back.
    let handle: UInt32
    let key: InstrumentKey
    let segment: Segment
    /// As requests name it.
    let token: String
    /// Indices share a segment with shares and have neither trades nor a book; their zeros mean nothing.
    let isIndex: Bool
    let priceExponent: Int8

    /// Asked of the broker and not refused.
    var modes: FeedModes = []
    /// What ``modes`` was before the request that waits for its first packets; it comes back if that is refused.
    var previous: FeedModes = []
    /// Modes of that request that have brought no packet yet.
    var awaited: FeedModes = []
    /// The number of that request.
    var request: UInt64 = 0
    /// When the last twenty levels came: nanoseconds since the Unix epoch, UTC; 0 = never.
    var deepBookAt: UInt64 = 0
}

/// All lines of a connection, found by their key on every packet and by their handle on every wish.
struct FeedLines {
    private var lines: ContiguousArray<FeedLine?> = []
    private var free: [Int] = []
    private let byKey = IntegerMap<Int>()
    private var byHandle: [UInt32: Int] = [:]
    /// Pairs of token and mode in use, of which a connection has ``Angel/pairQuota``.
    private(set) var pairs = 0

    @inline(__always)
    func place(of key: InstrumentKey) -> Int? { byKey[key.rawValue] }

    func place(of handle: UInt32) -> Int? { byHandle[handle] }

    /// The line at a place that ``place(of:)`` has named.
    subscript(place: Int) -> FeedLine? { lines[place] }

    /// Changes a line where it lies.
    mutating func update(_ place: Int, _ change: (inout FeedLine) -> Void) {
        guard var line = lines[place] else { return }
        pairs -= line.modes.count
        change(&line)
        pairs += line.modes.count
        lines[place] = line
    }

    /// Notes when twenty levels came. Apart from ``update(_:_:)`` because it happens with every such packet.
    mutating func noteDeepBook(_ place: Int, at time: UInt64) {
        lines[place]?.deepBookAt = time
    }

    /// Adds a line without modes.
    mutating func add(_ line: FeedLine) -> Int {
        let place: Int
        if let hole = free.popLast() {
            lines[hole] = line
            place = hole
        } else {
            place = lines.count
            lines.append(line)
        }
        byKey[line.key.rawValue] = place
        byHandle[line.handle] = place
        return place
    }

    /// Takes a line out and returns it.
    @discardableResult
    mutating func remove(_ handle: UInt32) -> FeedLine? {
        guard let place = byHandle.removeValue(forKey: handle), let line = lines[place] else { return nil }
        byKey[line.key.rawValue] = nil
        pairs -= line.modes.count
        lines[place] = nil
        free.append(place)
        return line
    }

    mutating func removeAll() {
        self = FeedLines()
    }
}
