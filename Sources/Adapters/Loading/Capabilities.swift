import CFeedhostABI
import MarketData

/// What an adapter can do (`fh_capabilities`), copied, with the defaults filled in.
public struct Capabilities: Sendable, Hashable, Codable {
    /// `FH_ORDERS_*`.
    public enum OrderStream: UInt32, Sendable, Hashable, Codable {
        case none = 0
        case sameSocket = 1
        case ownSocket = 2
        case poll = 3
    }

    /// `FH_MODE_*`, added up.
    public let modeBits: UInt32
    public let flags: CapabilityFlags
    public let orderStream: OrderStream
    /// OpenAlgo exchanges, in the adapter's order.
    public let exchanges: [String]
    /// Levels by exchange, ascending; `*` stands for the exchanges that are not named.
    public let depthLevels: [String: [Int]]
    /// Kinds of connection, never empty for who serves a broker; the position is `fh_create_params.link`.
    public let links: [LinkKind]
    public let timings: Timings

    public var modes: Set<Mode> { Set(Mode.allCases.filter { modeBits & UInt32($0.abi) != 0 }) }

    /// The kind of connection that brings order updates; nil when there is none.
    public var orderKind: Int? { orderStream == .none ? nil : links.firstIndex(where: \.carriesOrders) }

    /// Levels that the exchange offers, ascending; 5 where the adapter says nothing.
    public func levels(exchange: String) -> [Int] { depthLevels[exchange] ?? depthLevels["*"] ?? [5] }

    /// The levels to grant: the largest offered that is not above the wish, else the smallest offered.
    public func depth(wish: Int, exchange: String) -> Int {
        let levels = levels(exchange: exchange)
        return levels.last { $0 <= wish } ?? levels.first ?? 5
    }

    /// Of a plugin that serves no broker.
    static let none = Capabilities(
        modeBits: 0, flags: [], orderStream: .none, exchanges: [], depthLevels: [:], links: [],
        timings: Timings(
            ackTimeout: 0, keepAlive: nil, webSocketPing: nil, webSocketPongTimeout: 0, appHeartbeat: nil,
            dataSilence: nil, offHoursSilence: nil, backoffBase: 0, backoffMax: 0))

    /// One line for `feedhost plugins list`, e.g. `LTP Quote Depth 5/20/30, 4 exchanges, orders`.
    public var summary: String {
        var modes = modes.sorted().map(\.label)
        if modeBits & UInt32(FH_MODE_DEPTH) != 0 {
            let offered = Set(exchanges.flatMap { levels(exchange: $0) }).sorted()
            modes.append(offered.map(String.init).joined(separator: "/"))
        }
        let places = exchanges.count <= 3 ? exchanges.joined(separator: " ") : "\(exchanges.count) exchanges"
        return [modes.joined(separator: " "), places, orderStream == .none ? "" : "orders"]
            .filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

/// `FH_CAP_*`. Bits that this host does not know are kept and mean nothing.
public struct CapabilityFlags: OptionSet, Sendable, Hashable, Codable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let snapshotOnSubscribe = CapabilityFlags(rawValue: UInt32(FH_CAP_SNAPSHOT_ON_SUB))
    public static let acknowledges = CapabilityFlags(rawValue: UInt32(FH_CAP_SUB_ACK))
    public static let sequence = CapabilityFlags(rawValue: UInt32(FH_CAP_SEQUENCE))
    public static let dailyToken = CapabilityFlags(rawValue: UInt32(FH_CAP_DAILY_TOKEN))
    public static let exclusiveSession = CapabilityFlags(rawValue: UInt32(FH_CAP_EXCLUSIVE_SESSION))
    public static let anySymbol = CapabilityFlags(rawValue: UInt32(FH_CAP_ANY_SYMBOL))
}

/// One kind of broker connection (`fh_link`). 0 means what the contract says it means: no limit.
public struct LinkKind: Sendable, Hashable, Codable {
    /// What ``quota`` counts: `FH_UNIT_*`.
    public enum Unit: UInt32, Sendable, Hashable, Codable {
        case none = 0
        case instrument = 1
        case instrumentAndMode = 2
    }

    public let name: String
    /// `FH_MODE_*` and `FH_CARRIES_ORDERS`, added up.
    public let carries: UInt32
    public let unit: Unit
    /// Units a connection; 0 = no limit.
    public let quota: Int
    /// Instruments with more than 5 levels a connection; 0 = no limit of its own.
    public let deepQuota: Int
    /// Connections of this kind a user, at least 1.
    public let maxLinks: Int
    /// Levels; 0 = as the exchange allows.
    public let maxDepth: Int
    /// Instruments a `subscribe()` call; 0 = no limit.
    public let batch: Int
    /// `subscribe()` calls a second; 0 = no limit.
    public let perSecond: Int

    public func carries(_ mode: Mode) -> Bool { carries & UInt32(mode.abi) != 0 }
    public var carriesMarketData: Bool { Mode.allCases.contains { carries($0) } }
    public var carriesOrders: Bool { carries & UInt32(FH_CARRIES_ORDERS) != 0 }
}

/// Times of an adapter in milliseconds, defaults filled in; nil is off.
public struct Timings: Sendable, Hashable, Codable {
    /// How long to wait for `report_subscriptions()`.
    public let ackTimeout: Int64
    /// After the last client has left; nil = stay connected.
    public let keepAlive: Int64?
    public let webSocketPing: Int64?
    public let webSocketPongTimeout: Int64
    /// The adapter's own heartbeat, for information.
    public let appHeartbeat: Int64?
    public let dataSilence: Int64?
    public let offHoursSilence: Int64?
    public let backoffBase: Int64
    public let backoffMax: Int64
}
