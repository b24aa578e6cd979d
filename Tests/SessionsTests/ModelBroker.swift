import MarketData

@testable import Adapters
@testable import Sessions

/// The broker's end of one connection, which takes calls in the order in which they come.
struct ModelBroker {
    let kind: LinkKind
    /// By the name that the broker knows.
    var served: [String: References.Demand] = [:]
    /// What it was asked for since it was connected to, and was not told to end.
    private var asked: Set<String> = []
    /// What the host takes the broker's tokens for.
    var tokens: [String: UInt32] = [:]

    static func name(_ line: Line) -> String { line.listing?.brokerToken ?? line.instrument.symbol }

    init(kind: LinkKind) { self.kind = kind }

    mutating func end(_ lines: [Line]) throws {
        for line in lines {
            let name = ModelBroker.name(line)
            served[name] = nil
            guard asked.remove(name) != nil else {
                throw PoolHistory.Problem("\(line.instrument) is ended and was not asked for")
            }
        }
    }

    mutating func disconnect() {
        served = [:]
        asked = []
    }

    /// - Returns: What it will say, when it says something.
    mutating func ask(_ line: Line, _ fate: ModelRequest.Fate) -> ModelRequest.Answer {
        let name = ModelBroker.name(line)
        asked.insert(name)
        switch fate {
        case .silent: return .nothing
        case .refused: return .refused
        case .served:
            served[name] = line.wanted
            return .nothing
        case .shallow:
            let less = References.Demand(mode: line.wanted.mode, depth: min(line.wanted.depth, 5))
            served[name] = less
            return .granted(less)
        case .lower:
            let less = References.Demand(mode: .ltp, depth: 0)
            served[name] = less
            return .granted(less)
        case .granted:
            served[name] = line.wanted
            return .granted(line.wanted)
        }
    }

    /// What it has more of than a connection may have.
    var excess: String? {
        let deep = served.values.count(where: \.isDeep)
        let units = served.count + (kind.unit == .instrumentAndMode ? deep : 0)
        if kind.quota > 0, units > kind.quota { return "\(units) units of \(kind.quota)" }
        if kind.deepQuota > 0, deep > kind.deepQuota { return "\(deep) deep books of \(kind.deepQuota)" }
        return nil
    }
}

/// What one call has asked a broker for, and what it will say to it.
struct ModelRequest {
    enum Fate: CaseIterable {
        case silent, refused, served, shallow, lower, granted
    }

    enum Answer {
        case granted(References.Demand)
        case refused
        case nothing

        var isRefused: Bool { if case .refused = self { true } else { false } }
    }

    let id: UInt64
    let link: Int
    let generation: UInt64
    var fates: [UInt32: Answer] = [:]
}
