import CFeedhostABI
import Secrets

/// One broker's adapter, mapped into this process for good.
///
/// `@unchecked Sendable`: ``table`` points to a static of the plugin, which by contract never changes and which is never
/// unmapped.
public struct LoadedAdapter: @unchecked Sendable {
    public let description: BrokerDescription
    /// The adapter's functions; use `FH_HAS` logic (``fh_adapter/size``) for those after ABI 1.0.
    public let table: UnsafePointer<fh_adapter>
    public let abi: ABIVersion
    /// As it was found.
    public let path: String
    /// True when it answers to `feedhost.instruments/1`, as the probe has found out. Only then may it be asked for that
    /// table without an instance: an adapter that follows the null pointer has crashed there and not here.
    public let hasMaster: Bool
    /// The same for `feedhost.auth/1`.
    public let hasAccounts: Bool
    /// All that it was ever lent and must not show.
    package let concealment = Concealment.ofAdapter()

    public init(
        description: BrokerDescription, table: UnsafePointer<fh_adapter>, abi: ABIVersion, path: String,
        hasMaster: Bool = false, hasAccounts: Bool = false
    ) {
        self.description = description
        self.table = table
        self.abi = abi
        self.path = path
        self.hasMaster = hasMaster
        self.hasAccounts = hasAccounts
    }

    public var broker: String { description.broker }
    public var capabilities: Capabilities { description.capabilities }
}
