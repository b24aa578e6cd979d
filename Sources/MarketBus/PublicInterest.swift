import MarketData

/// What subscribers on the public socket want: prefixes, counted.
///
/// An empty prefix wants everything, in the long form only. The legacy form goes to prefixes that begin with an
/// exchange. Because libzmq matches bytes and knows nothing of forms, each subscription is mapped to prefixes that
/// cannot match the other form (`ZMQ_XPUB_MANUAL`).
struct PublicInterest {
    private var prefixes: [[UInt8]: Int] = [:]
    private let brokers: [[UInt8]]
    private let exchanges: Set<[UInt8]>
    /// Rises whenever the prefixes change.
    private(set) var epoch = 0

    /// - Parameter brokers: Upper-case names of the brokers whose sessions may be public.
    init(brokers: [String], exchanges: Set<String> = Exchanges.known) {
        self.brokers = brokers.map { Array($0.uppercased().utf8) + [UInt8(ascii: "_")] }
        self.exchanges = Set(exchanges.map { Array($0.utf8) })
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
        exchanges.contains(prefix) || exchanges.contains { prefix.starts(with: $0 + [UInt8(ascii: "_")]) }
    }

    mutating func add(_ prefix: [UInt8]) {
        for mapped in mapped(prefix) { prefixes[mapped, default: 0] += 1 }
        epoch += 1
    }

    mutating func remove(_ prefix: [UInt8]) {
        for mapped in mapped(prefix) {
            guard let count = prefixes[mapped] else { continue }
            prefixes[mapped] = count > 1 ? count - 1 : nil
        }
        epoch += 1
    }

    var isEmpty: Bool { prefixes.isEmpty }

    /// The wire texts of the forms of a topic that somebody wants.
    func forms(of topic: Topic) -> (long: [UInt8]?, legacy: [UInt8]?) {
        guard !prefixes.isEmpty else { return (nil, nil) }
        let long = Array(topic.text.utf8)
        let legacy = Array(topic.legacy.utf8)
        var wanted: (long: [UInt8]?, legacy: [UInt8]?) = (nil, nil)
        for prefix in prefixes.keys {
            if long.starts(with: prefix) { wanted.long = long }
            if legacy.starts(with: prefix) { wanted.legacy = legacy }
        }
        return wanted
    }
}
