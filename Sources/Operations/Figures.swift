import MarketData

/// What the host can say of itself at one moment, under the names of the stats file. Collected by whoever shows it; nothing
/// here is on the way of a tick.
public struct Figures: Sendable, Equatable {
    /// Sockets of clients, authenticated or not.
    public var clients = 0
    /// Broker sessions, one for each (user, broker).
    public var sessions = 0
    /// (Symbol, exchange, mode) streams that clients hold.
    public var streams = 0
    /// Loaded brokers.
    public var brokers: [String] = []
    /// Everything that is counted, by name: messages, drops, conflations.
    public var counters: [String: Int] = [:]

    public init() {}

    /// What the rooms say.
    package init(_ samples: [Sample]) {
        for sample in samples {
            switch sample.name {
            case "feedhost_proxy_clients": clients = sample.count
            case "feedhost_proxy_streams": streams = sample.count
            case "feedhost_sessions": sessions = sample.count
            default: break
            }
            if let figure = sample.figure { counters[figure] = sample.count }
        }
        brokers = Set(samples.compactMap { $0.labels[.broker] }).sorted()
    }

    /// The counters of things that went wrong or were thrown away and are not zero, for the log.
    public var losses: [(name: String, value: Int)] {
        let marks = ["drop", "bad", "stray", "conflated", "slow", "failure", "error", "limited", "refused"]
        return counters.filter { name, value in value > 0 && marks.contains { name.contains($0) } }
            .map { (name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
    }
}
