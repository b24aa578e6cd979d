import AdapterKit

extension Binance {
    /// What goes into the entry point of the plugin.
    public static let registration = AdapterRegistration(descriptor) { context throws(AdapterError) in
        try Binance(context)
    }

    /// Public market data of Binance's spot market; no account needed.
    public static let descriptor: AdapterDescriptor = {
        var market = Link("market", carries: .marketData)
        market.unit = .instrument
        market.quota = 200
        market.maximumLinks = 5

        var capabilities = Capabilities(exchanges: [exchange])
        capabilities.traits = [.anySymbol, .confirmsSubscriptions]
        capabilities.depth = [DepthLevels("*", [5, 10, 20])]
        capabilities.links = [market]
        capabilities.keepAlive = .seconds(30)
        // Binance pings every 20 s; a half-open connection that no longer does is found by pings of our own.
        capabilities.pingInterval = .seconds(30)
        // Until the list of pairs has come.
        capabilities.acknowledgementTimeout = .seconds(5)
        // The market never closes, but a pair may rest for hours. So the adapter itself asks for a stream that never rests
        // when nothing has come for a while (``StreamSockets/quiet``), and a connection that is well is never silent for long.
        capabilities.silenceLimit = .seconds(60)
        capabilities.offHoursSilenceLimit = .seconds(60)

        return AdapterDescriptor(
            id: "com.binance.spot", broker: "binance", name: "Binance Spot", vendor: "Feedhost", version: "1.0.0",
            url: "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams",
            capabilities: capabilities,
            configKeys: [
                ConfigKey(
                    "endpoint", .url, default: publicEndpoint,
                    help: "Address of the streams, ws or wss, without /stream."),
                ConfigKey(
                    "rest_endpoint", .url,
                    help:
                        "Address of the REST API, http or https, where the pairs are looked up: the streams accept any name. "
                        + "Without it Binance's public one, or none if endpoint is another."),
                ConfigKey(
                    "pulse", .string, default: "btcusdt@ticker",
                    help:
                        "A stream that never rests; asked for when nothing comes, to tell a mute connection from quiet pairs."
                ),
                ConfigKey(
                    "trades", .string, default: "both",
                    help: "Which trades to ask for: trade, aggTrade or both (each trade is passed on once)."),
            ])
    }()
}
