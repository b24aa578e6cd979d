import AdapterKit

extension Angel {
    /// Index of the order socket among the links.
    static let ordersLink = 1
    /// Pairs of token and mode that one connection takes.
    static let pairQuota = 1_000
    /// Tokens with twenty levels among them.
    static let deepQuota = 50
    /// Angel One drops a connection that says nothing for 30 s, and recommends 10 s for the order socket.
    static let heartbeat = Duration.seconds(10)
    /// How long to wait when there are too many connections: a lingering one has to die first.
    static let limitPause = Duration.seconds(30)

    /// Angel One's exchanges, limits and habits (SmartAPI documentation, "WebSocket Streaming 2.0", "WebSocket Order
    /// Status").
    public static let descriptor: AdapterDescriptor = {
        var market = Link("market", carries: .marketData)
        market.unit = .instrumentMode
        market.quota = pairQuota
        market.deepQuota = deepQuota
        market.maximumLinks = 3
        // Neither the size nor the number of requests has a documented limit; one of 500 tokens has 5 KB.
        market.batch = 500
        market.callsPerSecond = 5

        var orders = Link("orders", carries: .orders)
        orders.maximumLinks = 1

        var capabilities = Capabilities(exchanges: Segment.exchanges)
        capabilities.traits = [.snapshotOnSubscribe, .confirmsSubscriptions, .sequenceNumbers, .dailyToken]
        capabilities.orderStream = .ownSocket
        capabilities.depth = [DepthLevels("NSE", [5, 20]), DepthLevels("*", [5])]
        capabilities.links = [market, orders]
        capabilities.heartbeat = heartbeat
        capabilities.pingInterval = .seconds(10)
        capabilities.pongTimeout = .seconds(20)
        // Both heartbeats are answered around the clock, so silence means the same at night.
        capabilities.silenceLimit = .seconds(45)
        capabilities.offHoursSilenceLimit = .seconds(60)
        capabilities.backoffBase = .seconds(1)
        capabilities.backoffMaximum = .seconds(60)

        return AdapterDescriptor(
            id: "io.feedhost.angel", broker: "angel", name: "Angel One SmartAPI", vendor: "Feedhost", version: "1.0.0",
            url: "https://smartapi.angelbroking.com/docs/WebSocket2",
            capabilities: capabilities, configKeys: settings, credentialKeys: credentials)
    }()

    private static let settings = [
        ConfigKey(
            "endpoint", .url, default: "wss://smartapisocket.angelone.in/smart-stream",
            help: "Address of the market data socket, ws or wss."),
        ConfigKey(
            "orders_endpoint", .url, default: "wss://tns.angelone.in/smart-order-update",
            help: "Address of the order status socket, ws or wss."),
        ConfigKey(
            "master_endpoint", .url,
            default: "https://margincalculator.angelbroking.com/OpenAPI_File/files/OpenAPIScripMaster.json",
            help: "Address of the instrument master, http or https."),
    ]

    private static let credentials = [
        ConfigKey("api_key", .secret, required: true, help: "Of the app in the SmartAPI portal."),
        ConfigKey("user_id", .string, required: true, help: "Client code of the account."),
        ConfigKey("access_token", .secret, required: true, help: "jwtToken of today's login."),
        ConfigKey("feed_token", .secret, required: true, help: "feedToken of today's login."),
    ]
}
