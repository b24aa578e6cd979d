import Adapters

/// What the configuration allows a session beyond what its broker does. Nil leaves it to the broker.
public struct PoolLimits: Sendable {
    /// `MAX_SYMBOLS_PER_WEBSOCKET`.
    public var maxSymbols: Int?
    /// `MAX_WEBSOCKET_CONNECTIONS`.
    public var maxConnections: Int?
    /// `ENABLE_CONNECTION_POOLING`: false is one connection a user.
    public var isPooling = true
    /// `WS_STALE_TICK_WARN_SECONDS`.
    public var staleTickWarning: Duration?

    public init() {}

    /// Instruments that a connection of that kind takes.
    func quota(of kind: LinkKind) -> Int {
        min(kind.quota == 0 ? .max : kind.quota, maxSymbols ?? .max)
    }

    /// True when a user has one connection, whatever kinds there are.
    func isSingle(_ capabilities: Capabilities) -> Bool {
        !isPooling || capabilities.flags.contains(.exclusiveSession)
    }

    /// Connections of that kind that a user may have.
    func connections(of capabilities: Capabilities, kind: Int) -> Int {
        guard !isSingle(capabilities) else { return 1 }
        return min(capabilities.links[kind].maxLinks, maxConnections ?? .max)
    }
}
