import AdapterKit

extension Simulator {
    /// What goes into the entry point of the plugin.
    public static let registration = AdapterRegistration(descriptor) { context throws(AdapterError) in
        try Simulator(context)
    }

    static let depthLevels = [5, 20, 30]
    static let rates = 1...1_000_000

    /// A market of its own: no account, no network.
    public static let descriptor: AdapterDescriptor = {
        var capabilities = Capabilities(exchanges: Market.exchanges)
        capabilities.traits = [.anySymbol, .snapshotOnSubscribe, .confirmsSubscriptions, .sequenceNumbers]
        capabilities.depth = [DepthLevels("*", depthLevels)]
        capabilities.links = [Link("market", carries: .marketData)]
        // With one instrument or more there is a tick every second at least, at any hour.
        capabilities.silenceLimit = .seconds(15)
        capabilities.offHoursSilenceLimit = .seconds(15)
        return AdapterDescriptor(
            id: "io.feedhost.simulator", broker: "simulator", name: "Simulator", vendor: "Feedhost", version: "1.0.0",
            capabilities: capabilities,
            configKeys: [
                ConfigKey(
                    "rate", .integer, default: "20",
                    help: "Ticks a second over all subscribed instruments together, 1 to 1000000."),
                ConfigKey(
                    "seed", .integer, default: "0",
                    help: "Start of the random numbers: the same seed gives the same prices; 0 takes it from the clock."
                ),
                ConfigKey("levels", .integer, default: "30", help: "Most levels of the order book: 5, 20 or 30."),
                ConfigKey(
                    "symbols", .string,
                    help: "Further symbols, separated by commas, each as EXCHANGE:SYMBOL, e.g. NSE:MYSHARE."),
            ])
    }()
}
