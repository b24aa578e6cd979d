/// Decides which file serves a broker when several could.
struct ConflictRules {
    /// A sound file that carries the broker.
    struct Claim: Hashable {
        let broker: String
        let folder: String
        let file: String
        /// Position of the folder in the search order.
        let rank: Int
        /// False for a plugin that provides accounts alone: ``broker`` is the name of its settings, which no other may have.
        var servesBroker = true

        var path: String { "\(folder)/\(file)" }
    }

    enum Verdict: Hashable {
        case serves
        case not(PluginState, String)
    }

    /// Taken by publishers from outside, which have no adapter.
    static let reserved: Set<String> = ["external"]

    /// The valid brokers; nil for all.
    let allowed: Set<String>?
    /// Broker → file name.
    let pins: [String: String]

    /// - Parameter serving: Broker → path of what is loaded already, and stays so.
    func resolve(_ claims: [Claim], serving: [String: String] = [:]) -> [Claim: Verdict] {
        var verdicts: [Claim: Verdict] = [:]
        for (broker, rivals) in Dictionary(grouping: claims, by: \.broker) {
            for claim in rivals {
                verdicts[claim] = verdict(claim, of: broker, among: rivals, serving: serving[broker])
            }
        }
        return verdicts
    }

    private func verdict(_ claim: Claim, of broker: String, among rivals: [Claim], serving: String?) -> Verdict {
        if Self.reserved.contains(broker) {
            return .not(.refused, "claims the broker \(broker), a name that feedhost uses itself")
        }
        if let allowed, claim.servesBroker, !allowed.contains(broker) {
            return .not(.disabled, "the list of valid brokers (VALID_BROKERS) leaves \(broker) out")
        }
        if let serving {
            return serving == claim.path
                ? .serves : .not(.shadowed, "the broker \(broker) is already served by \(serving)")
        }
        var rivals = rivals
        if let pin = pins[broker], rivals.contains(where: { $0.file == pin }) {
            guard claim.file == pin else { return .not(.shadowed, "the broker \(broker) is pinned to the file \(pin)") }
            rivals = rivals.filter { $0.file == pin }
        }
        let first = rivals.map(\.rank).min() ?? claim.rank
        let leaders = rivals.filter { $0.rank == first }.sorted { $0.file < $1.file }
        if claim.rank == first {
            let others = leaders.filter { $0 != claim }
            guard !others.isEmpty else { return .serves }
            let names = others.map(\.file).joined(separator: " and ")
            return .not(
                .refused,
                "claims the broker \(broker), and so does \(names) in the same folder; remove one, or pin the broker"
            )
        }
        if leaders.count == 1, let leader = leaders.first {
            return .not(.shadowed, "the broker \(broker) is served by \(leader.path), in an earlier folder")
        }
        // An earlier folder was meant to win, so the later one does not win by that folder's trouble.
        let names = leaders.map(\.path).joined(separator: " and ")
        return .not(.shadowed, "the earlier \(names) both claim the broker \(broker)")
    }
}
