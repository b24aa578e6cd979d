import Logging
import MarketData
import Secrets
import Testing

@testable import feedhost

struct SettingsTests {
    let folder: SettingsFolder
    init() throws { folder = try SettingsFolder() }

    @Test func defaults() throws {
        let settings = try folder.load()
        #expect(settings.proxy.host == "127.0.0.1")
        #expect(settings.proxy.port == Settings.Port(number: 8765, isExplicit: false, source: "default"))
        #expect(settings.bus.port == Settings.Port(number: 5555, isExplicit: false, source: "default"))
        #expect(settings.bus.publisher == nil)
        #expect(settings.proxy.authGrace == .seconds(15))
        #expect(settings.proxy.staleTickWarning == .seconds(120))
        #expect(settings.pool.maxSymbols == 1000 && settings.pool.maxConnections == 3 && settings.pool.isEnabled)
        #expect(settings.store == "/home/somebody/.local/share/feedhost/feedhost.db")
        #expect(!settings.stats.isExplicit)
        #expect(settings.origins.isEmpty)
    }

    @Test func everyDefaultOfTheTableIsAllowed() {
        for definition in SettingTable.all {
            guard let standard = definition.standard else { continue }
            #expect(definition.kind.parse([standard]) != nil, "\(definition.key)")
        }
        #expect(
            SettingTable.variables.count == SettingTable.all.compactMap(\.environment).count,
            "a variable is there twice")
    }

    /// Strongest first; each row takes the strongest away.
    @Test func precedence() throws {
        try folder.write("feedhost.yaml", "proxy:\n  port: 1004\n")
        try folder.write(".env", "WEBSOCKET_PORT = '1003'\n")
        let flag = SettingSource.Flag(flag: "--port", key: "proxy.port", value: "1001")
        let all = try folder.load(["WEBSOCKET_PORT": "1002"]) { $0.flags = [flag] }
        #expect(all.proxy.port == Settings.Port(number: 1001, isExplicit: true, source: "--port"))
        #expect(try folder.load(["WEBSOCKET_PORT": "1002"]).proxy.port.source == "environment variable WEBSOCKET_PORT")
        #expect(
            try folder.load().proxy.port == .init(number: 1003, isExplicit: true, source: ".env line 1: WEBSOCKET_PORT")
        )
        try folder.write(".env", "")
        #expect(
            try folder.load().proxy.port
                == .init(number: 1004, isExplicit: true, source: "feedhost.yaml line 2: proxy.port"))
    }

    @Test func namedFilesInsteadOfTheUsualOnes() throws {
        try folder.write(".env", "ZMQ_PORT=1\n")
        try folder.write("other.env", "ZMQ_HOST=::1\n")
        try folder.write("my.yaml", "log: {level: DEBUG, format: json}\n")
        let settings = try folder.load {
            $0.envFile = "other.env"
            $0.configFile = "my.yaml"
        }
        #expect(settings.bus.port.number == 5555)
        #expect(settings.bus.host == "::1")
        #expect(settings.log.level == .debug && settings.log.format == .json)
    }

    @Test func mapsAndLists() throws {
        try folder.write(
            "feedhost.yaml",
            """
            bus:
              public: {binance: alice, simulator: bob}
              external_as: zerodha
            plugins:
              path: [/a, /b]
              pin:
                - binance=/opt/x=y.so
            brokers.valid: zerodha, Angel
            proxy: {stale_tick_warn: 0, ping_interval: 0}
            """)
        let settings = try folder.load { $0.pluginFolders = ["first"] }
        #expect(settings.bus.publicUsers == ["binance": "alice", "simulator": "bob"])
        #expect(settings.bus.externalAs == "zerodha")
        #expect(settings.plugins.folders == ["first", "/a", "/b"])
        #expect(settings.plugins.pins == ["binance": "/opt/x=y.so"])
        #expect(settings.validBrokers == ["zerodha", "angel"])
        #expect(settings.proxy.staleTickWarning == nil && settings.proxy.pingInterval == nil)
        #expect(try folder.load(["FEEDHOST_PLUGIN_PATH": "/x::/y"]).plugins.folders == ["/x", "/y"])
    }

    @Test func storesPlace() throws {
        #expect(try folder.load(["XDG_DATA_HOME": "/data"]).store == "/data/feedhost/feedhost.db")
        #expect(try folder.load(["XDG_DATA_HOME": "relative"]).store.hasPrefix("/home/somebody/"))
        #expect(try folder.load(["FEEDHOST_STORE": "~/x.db"]).store == "/home/somebody/x.db")
        #expect(folder.problems(["HOME": ""]).first?.contains("FEEDHOST_STORE") == true)
        #expect(try folder.load(["HOME": "", "FEEDHOST_STORE": "x.db"]).store == "x.db")
    }

    @Test func masterKeyOrItsFile() throws {
        #expect(try folder.load().keyFile == nil)
        #expect(try folder.load().masterKey == nil)
        #expect(try folder.load(["FEEDHOST_KEY_FILE": "~/k"]).keyFile == "/home/somebody/k")
        let key = String(repeating: "5c", count: 32)
        let settings = try folder.load(["FEEDHOST_MASTER_KEY": key, "FEEDHOST_KEY_FILE": ""])
        #expect(settings.masterKey == Secret(key))
        #expect(!"\(settings)".contains(key))
        let problems = folder.problems(["FEEDHOST_MASTER_KEY": key, "FEEDHOST_KEY_FILE": "k"])
        #expect(problems.count == 1)
        #expect(
            problems.first?.contains("FEEDHOST_MASTER_KEY") == true
                && problems.first?.contains("FEEDHOST_KEY_FILE") == true && problems.first?.contains(key) == false)
    }

    @Test(arguments: [
        ("DEBUG", Logger.Level.debug), ("WARNING", .warning), ("warn", .warning), ("CRITICAL", .critical),
        ("FATAL", .critical),
        ("NOTSET", .trace), ("Notice", .notice), ("trace", .trace), ("Info", .info), ("error", .error),
    ])
    func levels(_ name: String, _ level: Logger.Level) throws {
        #expect(try folder.load(["LOG_LEVEL": name]).log.level == level)
    }

    @Test func openAlgosOwnFile() throws {
        let pepper = String(repeating: "0123456789abcdef", count: 4)
        try folder.write(
            ".env",
            """
            BROKER_API_KEY = 'kitekey'
            BROKER_API_SECRET = ''
            BROKER_API_KEY_MARKET = 'market'
            REDIRECT_URL = 'http://127.0.0.1:5000/zerodha/callback'
            API_KEY_PEPPER = '\(pepper)'
            DATABASE_URL = 'sqlite:///db/openalgo.db'  # relative
            WEBSOCKET_HOST='0.0.0.0'
            LOG_FORMAT = '[%(asctime)s] %(levelname)s in %(module)s: %(message)s'
            LOG_TO_FILE = 'False'
            SESSION_EXPIRY_TIME = '03:30'
            NAPI_TOKEN = 'x'
            """)
        let settings = try folder.load()
        #expect(settings.credentialDefaults == ["api_key": Secret("kitekey"), "api_key_market": Secret("market")])
        #expect(settings.openAlgo.database == Secret("sqlite:///db/openalgo.db"))
        #expect(settings.openAlgo.pepper == Secret(pepper))
        #expect(settings.openAlgo.sessionExpiry == TimeOfDay(hour: 3, minute: 30))
        #expect(settings.log.format == .python("[%(asctime)s] %(levelname)s in %(module)s: %(message)s"))
        #expect(!"\(settings)".contains("kitekey") && !"\(settings)".contains(pepper))
        let expiry = settings.withoutEffect.first { $0.contains("SESSION_EXPIRY_TIME") }
        #expect(expiry?.contains("is left to OpenAlgo; what it writes into its database counts") == true)
        #expect(!settings.withoutEffect.contains { $0.contains("WEBSOCKET_HOST") })
    }

    @Test func linesThatAreNotUnderstoodAreSaid() throws {
        try folder.write(".env", "ZMQ_PORT=7000\n'broken\n")
        let settings = try folder.load()
        #expect(settings.bus.port.number == 7000)
        #expect(settings.notices == [".env line 2 is not understood and was skipped."])
    }

    @Test func referenceNamesEverySettingAndWhatHasNoEffectYet() {
        for definition in SettingTable.all {
            #expect(SettingsReference.text.contains("  \(definition.key)"))
            if let variable = definition.environment { #expect(SettingsReference.text.contains(variable)) }
        }
        #expect(SettingsReference.text.contains("left to OpenAlgo; what it writes into its database counts"))
    }
}
