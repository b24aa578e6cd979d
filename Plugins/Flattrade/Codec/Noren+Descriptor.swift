import AdapterKit

/// A broker of the family: what it differs in from the others.
struct NorenBroker: Sendable {
    var key: String
    var name: String
    var url: String
    var endpoint: String
    /// The address of the folder that holds the instrument master.
    var masterEndpoint: String
    var masters: [MasterFile]

    static let flattrade = NorenBroker(
        key: "flattrade", name: "Flattrade", url: "https://pi.flattrade.in/docs",
        endpoint: "wss://piconnect.flattrade.in/PiConnectWSAPI/",
        masterEndpoint: "https://flattrade.s3.ap-south-1.amazonaws.com/scripmaster", masters: ScripMaster.flattradeFiles
    )
    static let shoonya = NorenBroker(
        key: "shoonya", name: "Shoonya", url: "https://shoonya.com/api-documentation",
        endpoint: "wss://api.shoonya.com/NorenWSAPI/", masterEndpoint: "https://api.shoonya.com",
        masters: ScripMaster.familyFiles)
    static let zebu = NorenBroker(
        key: "zebu", name: "Zebu", url: "https://zebumyntapi.web.app", endpoint: "wss://go.mynt.in/NorenWSAPI/",
        masterEndpoint: "https://go.mynt.in", masters: ScripMaster.familyFiles)
    static let tradesmart = NorenBroker(
        key: "tradesmart", name: "TradeSmart", url: "https://v2api.tradesmartonline.in",
        endpoint: "wss://v2api.tradesmartonline.in/NorenWSAPI/", masterEndpoint: "https://v2api.tradesmartonline.in",
        masters: ScripMaster.familyFiles)
}

extension Noren {
    /// What goes into the entry point of the plugin: Flattrade first, then Shoonya, Zebu and TradeSmart.
    public static let registrations = [
        NorenBroker.flattrade, NorenBroker.shoonya, NorenBroker.zebu, NorenBroker.tradesmart,
    ].map { broker in
        AdapterRegistration(broker.descriptor, masters: broker.masters) { context throws(AdapterError) in
            try Noren(context)
        }
    }
}

extension NorenBroker {
    var descriptor: AdapterDescriptor {
        AdapterDescriptor(
            id: "io.feedhost.\(key)", broker: key, name: name, vendor: "Feedhost", version: "1.0.0", url: url,
            capabilities: Self.capabilities,
            configKeys: [
                ConfigKey("endpoint", .url, default: endpoint, help: "Address of market data and orders, ws or wss."),
                ConfigKey(
                    "master_endpoint", .url, default: masterEndpoint,
                    help: "Address of the folder with the instrument master's files, http or https."),
                ConfigKey(
                    "protocol", .string, default: "new",
                    help: "The form of the login: new (accesstoken), or old (susertoken) for servers not yet moved."),
                ConfigKey(
                    "cooldown", .integer, default: "30",
                    help: "Seconds before a refused login is tried once more, 0 to 3600."),
                ConfigKey(
                    "silence", .integer, default: "75",
                    help: "Seconds without any message after which the session is renewed, 5 to 100. Heartbeats go out "
                        + "every two fifths of it, and are answered."),
            ],
            credentialKeys: [
                ConfigKey(
                    "user_id", .string,
                    help: "The client id, e.g. FZ00000; not needed if api_key is of the form clientid:::apikey."),
                ConfigKey("access_token", .secret, required: true, help: "Of today's login."),
                ConfigKey("api_key", .secret, help: "Of the developer portal, as OpenAlgo stores it."),
            ])
    }

    private static let capabilities: Capabilities = {
        var market = Link("market", carries: [.marketData, .orders])
        // No limit is documented; OpenAlgo declares this one.
        market.unit = .instrument
        market.quota = 5_000
        market.maximumLinks = 1
        market.batch = Noren.batch
        market.callsPerSecond = 10

        // The wire knows NCX (NCDEX) too; no broker's instrument master has it, nor has OpenAlgo's map of the exchanges.
        var capabilities = Capabilities(exchanges: [
            "NSE", "BSE", "NFO", "BFO", "CDS", "MCX", "NSE_INDEX", "BSE_INDEX",
        ])
        capabilities.traits = [.snapshotOnSubscribe, .confirmsSubscriptions, .dailyToken, .exclusiveSession]
        capabilities.orderStream = .sameSocket
        capabilities.depth = [DepthLevels("*", [5])]
        capabilities.links = [market]
        capabilities.acknowledgementTimeout = .seconds(10)
        // A token is refused for a while after its session was closed, so the session stays when the last client
        // leaves. The largest value means for ever.
        capabilities.keepAlive = .milliseconds(Int64(UInt32.max))
        capabilities.pingInterval = .seconds(30)
        capabilities.pongTimeout = .seconds(10)
        capabilities.heartbeat = .seconds(30)
        // The heartbeats are answered at any hour. The adapter itself looks for less silence than this, and without
        // subscriptions too.
        capabilities.silenceLimit = .seconds(120)
        capabilities.offHoursSilenceLimit = .seconds(120)
        capabilities.backoffBase = .seconds(2)
        capabilities.backoffMaximum = .seconds(60)
        return capabilities
    }()
}
