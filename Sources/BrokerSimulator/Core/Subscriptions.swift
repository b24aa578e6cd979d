/// One thing that a connection gets: an instrument in one of the broker's modes.
struct Subscription: Hashable, Sendable {
    /// Its place in ``Market/instruments``.
    var instrument: Int
    /// The venue's own number.
    var mode: UInt8
}

/// What a connection is subscribed to, in an order that turns can be taken in.
///
/// A broker with one mode per instrument replaces (``replace(_:)``); one where modes add up inserts (``insert(_:)``).
struct Subscriptions {
    private(set) var entries: [Subscription] = []
    private var places: [Subscription: Int] = [:]
    private var cursor = 0

    var count: Int { entries.count }

    func contains(_ entry: Subscription) -> Bool { places[entry] != nil }

    /// - Returns: Whether it was new.
    @discardableResult
    mutating func insert(_ entry: Subscription) -> Bool {
        guard places[entry] == nil else { return false }
        places[entry] = entries.count
        entries.append(entry)
        return true
    }

    /// - Returns: Whether it was there.
    @discardableResult
    mutating func remove(_ entry: Subscription) -> Bool {
        guard let place = places.removeValue(forKey: entry) else { return false }
        let last = entries.removeLast()
        if place < entries.count {
            entries[place] = last
            places[last] = place
        }
        return true
    }

    /// The entry takes the place of another one, and with it its turn.
    mutating func replace(_ old: Subscription, with new: Subscription) {
        guard old != new, let place = places.removeValue(forKey: old) else { return }
        places[new] = place
        entries[place] = new
    }

    mutating func removeAll() { self = Subscriptions() }

    /// The next ones in turn, none of them twice.
    mutating func next(_ wanted: Int) -> [Subscription] {
        guard wanted < entries.count else { return entries }
        if cursor >= entries.count { cursor = 0 }
        let end = cursor + wanted
        defer { cursor = end % entries.count }
        if end <= entries.count { return Array(entries[cursor..<end]) }
        return Array(entries[cursor...]) + entries[..<(end - entries.count)]
    }
}
