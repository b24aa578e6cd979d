import AdapterKit

/// All scrips of a connection, in memory that stays where it is between changes.
final class ScripTable {
    private struct Memory {
        var scrips: UnsafeMutablePointer<Scrip>
        /// Two of each scrip, the touchline's and the depth's.
        var states: UnsafeMutablePointer<FeedState>
        /// Two books of each scrip, in the same order.
        var numbers: UnsafeMutablePointer<Int64>
    }

    // Behind a pointer, because a stored variable of a class is guarded against overlapping access each time it is
    // touched.
    private let memory: UnsafeMutablePointer<Memory>
    private(set) var details: [ScripDetails] = []
    private var capacity = 64
    private var free: [Int] = []
    /// From a ``ScripKey`` to the place of its scrip.
    let map = IntegerMap<Int>()
    private var placeOfHandle: [UInt32: Int] = [:]

    init() {
        memory = .allocate(capacity: 1)
        memory.initialize(
            to: Memory(
                scrips: .allocate(capacity: 64), states: .allocate(capacity: 64 * 2),
                numbers: .allocate(capacity: 64 * 2 * FeedField.bookCount)))
    }

    deinit {
        memory.pointee.scrips.deallocate()
        memory.pointee.states.deallocate()
        memory.pointee.numbers.deallocate()
        memory.deallocate()
    }

    /// The scrips by their places.
    @inline(__always)
    var scrips: UnsafeMutablePointer<Scrip> { memory.pointee.scrips }

    /// The touchline of a scrip, or its depth.
    @inline(__always)
    func book(_ place: Int, isDepth: Bool) -> FeedBook {
        let index = place &* 2 &+ (isDepth ? 1 : 0)
        return FeedBook(
            state: memory.pointee.states + index, numbers: memory.pointee.numbers + index &* FeedField.bookCount)
    }

    /// The place of an instrument's scrip.
    func place(of handle: UInt32) -> Int? { placeOfHandle[handle] }

    /// Adds an instrument, or changes what it wants, and returns the place of its scrip. Remove it first if it has
    /// another scrip.
    func add(_ subscriber: Subscriber, key: UInt64, name: String, isIndex: Bool, decimals: UInt8) -> Int {
        let place = map[key] ?? insert(Scrip(key: key, isIndex: isIndex), name, decimals)
        if let index = details[place].subscribers.firstIndex(where: { $0.handle == subscriber.handle }) {
            details[place].subscribers[index] = subscriber
        } else {
            details[place].subscribers.append(subscriber)
        }
        placeOfHandle[subscriber.handle] = place
        noteSubscribers(place)
        return place
    }

    /// Removes an instrument and returns the place of its scrip.
    @discardableResult
    func remove(_ handle: UInt32) -> Int? {
        guard let place = placeOfHandle.removeValue(forKey: handle) else { return nil }
        details[place].subscribers.removeAll { $0.handle == handle }
        noteSubscribers(place)
        return place
    }

    /// Forgets a scrip that nobody wants and that the broker does not send.
    func forget(_ place: Int) {
        map[scrips[place].key] = nil
        details[place] = ScripDetails(name: "")
        free.append(place)
    }

    func removeAll() {
        map.removeAll()
        details.removeAll()
        free.removeAll()
        placeOfHandle.removeAll()
    }

    private func noteSubscribers(_ place: Int) {
        scrips[place].handle = details[place].subscribers.first?.handle ?? 0
        scrips[place].isShared = details[place].subscribers.count > 1
        scrips[place].wantsDepth = details[place].subscribers.contains { $0.mode == .depth }
    }

    private func insert(_ scrip: Scrip, _ name: String, _ decimals: UInt8) -> Int {
        let place = free.popLast() ?? details.count
        if place == details.count {
            if place == capacity { grow() }
            details.append(ScripDetails(name: name))
        } else {
            details[place] = ScripDetails(name: name)
        }
        (scrips + place).initialize(to: scrip)
        for isDepth in [false, true] {
            let book = book(place, isDepth: isDepth)
            book.state.initialize(to: FeedState(decimals: decimals))
            book.numbers.initialize(repeating: 0, count: FeedField.bookCount)
        }
        map[scrip.key] = place
        return place
    }

    private func grow() {
        memory.pointee.scrips = Self.moved(memory.pointee.scrips, count: capacity)
        memory.pointee.states = Self.moved(memory.pointee.states, count: capacity * 2)
        memory.pointee.numbers = Self.moved(memory.pointee.numbers, count: capacity * 2 * FeedField.bookCount)
        capacity *= 2
    }

    /// The same values in memory of twice the size.
    private static func moved<T>(_ old: UnsafeMutablePointer<T>, count: Int) -> UnsafeMutablePointer<T> {
        let larger = UnsafeMutablePointer<T>.allocate(capacity: count * 2)
        larger.moveInitialize(from: old, count: count)
        old.deallocate()
        return larger
    }
}
