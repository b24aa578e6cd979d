import MarketData

/// What subscribers on the public socket want: prefixes, counted.
///
/// An empty prefix wants everything, in the long form only. The legacy form goes to prefixes that begin with an
/// exchange. Because libzmq matches bytes and knows nothing of forms, each subscription is mapped to prefixes that
/// cannot match the other form (`ZMQ_XPUB_MANUAL`).
struct PublicInterest {
    /// As subscribers have sent them, counted.
    private var subscribed: [[UInt8]: Int] = [:]
    /// What they come to with the brokers of now.
    private var prefixes = PrefixSet()
    private var brokers: [[UInt8]]
    /// Exchanges with the `_` behind them.
    private let exchanges: [[UInt8]]
    /// Rises whenever the prefixes change.
    private(set) var epoch = 0

    /// - Parameter brokers: Brokers whose sessions may be public; see ``add(broker:)`` for later ones.
    init(brokers: [String], exchanges: Set<String> = Exchanges.known) {
        self.brokers = brokers.map { Self.segment($0) }
        self.exchanges = exchanges.map { Array($0.utf8) + [UInt8(ascii: "_")] }
    }

    private static func segment(_ broker: String) -> [UInt8] { Array(broker.uppercased().utf8) + [UInt8(ascii: "_")] }

    /// A broker that was dropped in later. Whoever has subscribed to everything before gets what was known then.
    mutating func add(broker: String) {
        let segment = Self.segment(broker)
        guard !brokers.contains(segment) else { return }
        brokers.append(segment)
        // What prefixes mean depends on the brokers.
        prefixes = PrefixSet()
        for prefix in subscribed.keys {
            for mapped in mapped(prefix) { prefixes.insert(mapped) }
        }
        epoch += 1
    }

    /// The prefixes to register with libzmq for one that a subscriber has sent.
    func mapped(_ prefix: [UInt8]) -> [[UInt8]] {
        var result = brokers.filter { $0.starts(with: prefix) }
        if brokers.contains(where: { prefix.starts(with: $0) && prefix.count > $0.count }) || beginsWithExchange(prefix)
        {
            result.append(prefix)
        }
        return result
    }

    private func beginsWithExchange(_ prefix: [UInt8]) -> Bool {
        exchanges.contains { prefix.starts(with: $0) || prefix.count + 1 == $0.count && $0.starts(with: prefix) }
    }

    /// Costs the same however many there are.
    mutating func add(_ prefix: [UInt8]) {
        let count = subscribed[prefix, default: 0]
        subscribed[prefix] = count + 1
        guard count == 0 else { return }
        for mapped in mapped(prefix) { prefixes.insert(mapped) }
        epoch += 1
    }

    mutating func remove(_ prefix: [UInt8]) {
        guard let count = subscribed[prefix] else { return }
        subscribed[prefix] = count > 1 ? count - 1 : nil
        guard count == 1 else { return }
        for mapped in mapped(prefix) { prefixes.remove(mapped) }
        epoch += 1
    }

    /// The wire texts of the forms of a topic that somebody wants.
    func forms(of topic: Topic) -> (long: [UInt8]?, legacy: [UInt8]?) {
        guard !prefixes.isEmpty else { return (nil, nil) }
        let long = Array(topic.text.utf8)
        let legacy = Array(topic.legacy.utf8)
        return (prefixes.containsPrefix(of: long) ? long : nil, prefixes.containsPrefix(of: legacy) ? legacy : nil)
    }
}
