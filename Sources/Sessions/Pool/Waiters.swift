/// Who waits for the broker's answer, by instrument. Whoever is taken out is gone from here: nobody is answered twice.
struct Waiters<Token> {
    private struct Waiter {
        let demand: References.Demand
        let token: Token
    }

    private var waiting: [UInt32: [Waiter]] = [:]

    var count: Int { waiting.values.reduce(0) { $0 + $1.count } }

    mutating func add(_ token: Token, for instrument: UInt32, wanting demand: References.Demand) {
        waiting[instrument, default: []].append(Waiter(demand: demand, token: token))
    }

    /// All who wait for that instrument, in the order in which they came.
    mutating func take(_ instrument: UInt32) -> [Token] {
        (waiting.removeValue(forKey: instrument) ?? []).map(\.token)
    }

    /// Those who wait for that instrument and meet the condition.
    mutating func take(_ instrument: UInt32, where isTaken: (Token) -> Bool) -> [Token] {
        take(instrument) { (waiter: Waiter) in isTaken(waiter.token) }
    }

    /// Those whom the refusal of a demand answers. Who wants less than it goes on waiting if somebody else gives up now: less
    /// is asked for then, and may be granted.
    mutating func take(_ instrument: UInt32, refused demand: References.Demand) -> [Token] {
        let giving = take(instrument) { (waiter: Waiter) in waiter.demand == demand }
        return giving.isEmpty ? take(instrument) : giving
    }

    private mutating func take(_ instrument: UInt32, _ isTaken: (Waiter) -> Bool) -> [Token] {
        guard let all = waiting[instrument] else { return [] }
        let staying = all.filter { !isTaken($0) }
        waiting[instrument] = staying.isEmpty ? nil : staying
        return all.filter(isTaken).map(\.token)
    }
}
