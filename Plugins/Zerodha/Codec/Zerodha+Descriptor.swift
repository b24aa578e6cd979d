import AdapterKit

extension Zerodha {
    /// What goes into the entry point of the plugin.
    public static let registration = AdapterRegistration(descriptor, masters: [InstrumentFile.master]) {
        context throws(AdapterError) in
        try Zerodha(context)
    }

    /// Market data and order updates of Zerodha, by the Kite Connect 3 ticker.
    public static let descriptor: AdapterDescriptor = {
        var market = Link("market", carries: [.marketData, .orders])
        market.unit = .instrument
        market.quota = 3_000
        market.maximumLinks = 3
        market.batch = TickerRequest.limit
        // Kite names no rate. Its own client sends 3,000 tokens in one frame; connections that were asked for many
        // symbols in large frames without a pause have been dropped.
        market.callsPerSecond = 5

        var capabilities = Capabilities(exchanges: [
            "NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "NCO", "NSE_INDEX", "BSE_INDEX", "MCX_INDEX",
            "GLOBAL_INDEX",
        ])
        capabilities.traits = [.snapshotOnSubscribe, .dailyToken]
        capabilities.orderStream = .sameSocket
        capabilities.depth = [DepthLevels("*", [5])]
        capabilities.links = [market]
        // A heartbeat comes every second or two, on a closed market too, so silence is a dead connection.
        capabilities.silenceLimit = .seconds(10)
        capabilities.offHoursSilenceLimit = .seconds(30)
        capabilities.backoffBase = .seconds(2)
        capabilities.backoffMaximum = .seconds(60)

        return AdapterDescriptor(
            id: "io.feedhost.zerodha", broker: "zerodha", name: "Zerodha Kite", vendor: "Feedhost", version: "1.0.0",
            url: "https://kite.trade/docs/connect/v3/websocket/", capabilities: capabilities,
            configKeys: [
                ConfigKey(
                    "endpoint", .url, default: "wss://ws.kite.trade",
                    help: "Address of the ticker, ws or wss: market data and order updates."),
                ConfigKey(
                    "master_endpoint", .url, default: "https://api.kite.trade/instruments",
                    help: "Address of the instrument master, http or https."),
            ],
            credentialKeys: [
                ConfigKey(
                    "api_key", .secret, required: true, help: "Of the Kite Connect app, from developers.kite.trade."),
                ConfigKey(
                    "access_token", .secret, required: true,
                    help: "Of today's login; dies every morning. API_KEY:ACCESS_TOKEN is taken too."),
            ])
    }()
}
