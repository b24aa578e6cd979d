import Adapters
import Logging
import MarketData
import Secrets
import Transport

/// What a session needs of the house. Sendable; shared by all sessions of one broker.
struct SessionEnvironment: Sendable {
    let bus: any SessionPublisher
    let instruments: InstrumentHandles
    let credentials: any CredentialSource
    /// Settings given to adapters, by broker and name; the adapter's defaults are filled in.
    let adapterSettings: [String: [String: Secret]]
    let counters: AdapterCounters
    let limits: PoolLimits
    let logger: Logger
    /// Where adapters run.
    var instances: any InstanceMaker = InProcessMaker()
    /// How connections leave this machine.
    var routes = OutboundRoutes()
    /// Instrument masters of all brokers.
    var masters: any InstrumentDirectory = NoInstruments()
    /// What messages tell users whose credentials are refused.
    var advice = CredentialAdvice.command
    /// Takes what clients are to be told; any thread, and must not block.
    var events: @Sendable (SessionEvent) -> Void = { _ in }
    /// Time given to the broker before a client's login is answered without it. The SDKs give up after 5 s.
    var patience = Duration.milliseconds(2_800)
    /// A connection that is being made for so long is told as an outage.
    var slowConnect = Duration.milliseconds(1_500)

    func settings(_ adapter: LoadedAdapter) -> [String: Secret] {
        adapter.description.settings(given: adapterSettings[adapter.broker] ?? [:])
    }
}
