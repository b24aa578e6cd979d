/// Names an adapter that does not come back from a call, once: its broker's sessions stand still until it does.
struct AdapterWatch {
    private var named: Set<String> = []

    /// - Parameter stuck: Milliseconds by broker.
    mutating func look(_ stuck: [String: Int]) -> [String] {
        defer { named.formIntersection(stuck.keys) }
        var lines: [String] = []
        for (broker, time) in stuck where named.insert(broker).inserted {
            lines.append(
                "the adapter for \(broker) has not come back from a call for \(time) ms; its sessions stand still, others do not"
            )
        }
        return lines
    }
}
