/// All settings. Whatever reads, checks, documents or lists settings goes through this table.
enum SettingTable {
    private static let openalgo = SettingDefinition.Reader.later(
        "left to OpenAlgo; what it writes into its database counts")

    static let all: [SettingDefinition] =
        proxy + clients + transport + bus + plugins + accounts + tokens + instruments + limits + logs + hardening
        + fromOpenAlgo
    static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })
    static let variables = Set(all.compactMap(\.environment))
    /// What stands before the dot: `proxy`, `log`.
    static let sections = Set(
        all.compactMap { $0.key.contains(".") ? $0.key.prefix { $0 != "." } : nil }.map(String.init))

    private static let proxy: [SettingDefinition] = [
        .init("proxy.host", "WEBSOCKET_HOST", .host, default: "127.0.0.1", "address that clients connect to"),
        .init(
            "proxy.port", "WEBSOCKET_PORT", .port, default: "8765", "port that clients connect to; 0 picks a free one"),
        .init(
            "proxy.auth_grace", "WS_AUTH_GRACE_SECONDS", .seconds(0.1...3600), default: "15",
            "seconds that a client has to authenticate"),
        .init(
            "proxy.ping_interval", "WS_PING_INTERVAL", .seconds(0...3600), default: "20",
            "seconds between pings; 0 = none"),
        .init(
            "proxy.ping_timeout", "WS_PING_TIMEOUT", .seconds(0.1...3600), default: "20", "seconds to wait for a pong"),
        .init(
            "proxy.max_queue", "WS_MAX_QUEUE", .int(1...1_000_000), default: "1024",
            "requests of one client that may wait; more stay in its socket"),
        .init(
            "proxy.stale_tick_warn", "WS_STALE_TICK_WARN_SECONDS", .seconds(0...86_400), default: "120",
            "seconds without a tick after which the log says so; 0 = never"),
        .init(
            "stats.file", "WS_PROXY_STATS_FILE", .text, default: "log/ws_proxy_stats.json",
            "counters for OpenAlgo's health page; left out when its folder is missing and the file was not asked for"),
    ]

    private static let bus: [SettingDefinition] = [
        .init("bus.host", "ZMQ_HOST", .host, default: "127.0.0.1", "address that publishers from outside connect to"),
        .init("bus.port", "ZMQ_PORT", .port, default: "5555", "port that publishers connect to; 0 picks a free one"),
        .init(
            "bus.publisher", "FEEDHOST_PUBLISHER", .endpoint, default: "", "where to publish; empty picks a free port"),
        .init("bus.public", nil, .brokerMap, default: "", "BROKER=USER: whose session the public socket carries"),
        .init(
            "bus.external_as", "FEEDHOST_EXTERNAL_AS", .broker, default: "",
            "broker whose users are fed by publishers from outside while no adapter for it is loaded"),
        .init(
            "bus.curve.certificate", "FEEDHOST_BUS_CERTIFICATE", .text, default: "",
            "file with the bus's secret key (feedhost bus keygen); when set, only those with a key can connect to the bus"
        ),
        .init(
            "bus.curve.clients", "FEEDHOST_BUS_CLIENTS", .text, default: "",
            "folder with the public keys (*.key) of those who may connect to the bus; looked at every second"),
    ]

    private static let plugins: [SettingDefinition] = [
        .init("plugins.path", "FEEDHOST_PLUGIN_PATH", .paths, default: "", "folders with adapters, separated by :"),
        .init(
            "plugins.pin", nil, .brokerMap, default: "",
            "BROKER=FILE: which of two files that claim one broker is meant"),
    ]

    private static let accounts: [SettingDefinition] = [
        .init(
            "accounts.provider", "FEEDHOST_ACCOUNTS", .provider(["auto", "sqlite", "openalgo", "jwt"]), default: "auto",
            "whose users and keys count: those of the own store, OpenAlgo's, those of signed tokens, or those of an adapter (by id or file name); auto takes OpenAlgo's where its .env and database are, unless a store is named"
        ),
        .init("store", "FEEDHOST_STORE", .text, "file with users, keys and credentials"),
        .init(
            "accounts.shared_store", "FEEDHOST_SHARED_STORE", .bool, default: "false",
            "lets several hosts run on one store; each logs in at the brokers"),
        .init(
            "accounts.key_file", "FEEDHOST_KEY_FILE", .text,
            "file with the key that credentials are encrypted with; unless set, the store's path with .key behind it"),
        .init(
            "accounts.master_key", "FEEDHOST_MASTER_KEY", .text, secret: true,
            "that key itself, instead of a file: 64 hexadecimal digits, or Base64 of 32 bytes"),
        .init(
            "brokers.valid", "VALID_BROKERS", .brokers, default: "",
            "brokers that users can be on; empty = every one loaded"),
        .init("broker.api_key", "BROKER_API_KEY", .text, secret: true, "api_key of users without one of their own"),
        .init(
            "broker.api_secret", "BROKER_API_SECRET", .text, secret: true,
            "api_secret of users without one of their own"),
        .init(
            "broker.api_key_market", "BROKER_API_KEY_MARKET", .text, secret: true,
            "api_key_market of users without one of their own"),
        .init(
            "broker.api_secret_market", "BROKER_API_SECRET_MARKET", .text, secret: true,
            "api_secret_market of users without one of their own"),
    ]

    private static let tokens: [SettingDefinition] = [
        .init(
            "jwt.algorithms", "FEEDHOST_JWT_ALGORITHMS", .choices(["HS256", "RS256", "ES256"]), default: "",
            "signatures that count; empty = those that there are keys for"),
        .init("jwt.secret", "FEEDHOST_JWT_SECRET", .text, secret: true, "HS256: the secret, 32 bytes or more"),
        .init("jwt.secret_file", "FEEDHOST_JWT_SECRET_FILE", .text, "HS256: file with the secret"),
        .init(
            "jwt.public_keys", "FEEDHOST_JWT_PUBLIC_KEYS", .paths, default: "",
            "RS256 and ES256: PEM files with a public key each, separated by :"),
        .init("jwt.key_set", "FEEDHOST_JWT_KEY_SET", .text, "RS256 and ES256: file with a JWK set"),
        .init(
            "jwt.revoked", "FEEDHOST_JWT_REVOKED", .text, "file with the jti of tokens that were revoked, one a line"),
        .init("jwt.issuer", "FEEDHOST_JWT_ISSUER", .text, "what iss must be; unless set, it is not looked at"),
        .init("jwt.audience", "FEEDHOST_JWT_AUDIENCE", .text, "what aud must hold; unless set, there must be no aud"),
        .init(
            "jwt.leeway", "FEEDHOST_JWT_LEEWAY", .seconds(0...600), default: "30",
            "seconds by which the clocks of issuer and host may differ"),
        .init(
            "jwt.require_expiry", "FEEDHOST_JWT_REQUIRE_EXPIRY", .bool, default: "true", "refuses tokens without exp"),
        .init(
            "jwt.users", "FEEDHOST_JWT_USERS", .choice(["any", "stored"]), default: "any",
            "users that tokens may name: any, or those that the own store has"),
    ]

    private static let instruments: [SettingDefinition] = [
        .init(
            "instruments.refresh", "FEEDHOST_INSTRUMENTS_REFRESH", .choice(["daily", "never"]), default: "daily",
            "whether the host fetches new instrument masters of the brokers that users have credentials for"),
        .init(
            "instruments.refresh_at", "FEEDHOST_INSTRUMENTS_REFRESH_AT", .time, default: "08:35",
            "when they are fetched, HH:MM in India; missing ones are fetched at once"),
    ]

    private static let limits: [SettingDefinition] = [
        .init(
            "pool.max_symbols", "MAX_SYMBOLS_PER_WEBSOCKET", .int(1...1_000_000), default: "1000",
            "instruments on one broker connection; unless set, what the broker allows"),
        .init(
            "pool.max_connections", "MAX_WEBSOCKET_CONNECTIONS", .int(1...1000), default: "3",
            "connections of one user to a broker; unless set, what the broker allows"),
        .init(
            "pool.enabled", "ENABLE_CONNECTION_POOLING", .bool, default: "true", "more than one connection for one user"
        ),
    ]

    private static let logs: [SettingDefinition] = [
        .init("log.level", "LOG_LEVEL", .level, default: "info", "least severity that is logged"),
        .init("log.format", "LOG_FORMAT", .logFormat, default: "text", "text or json; a Python pattern means text"),
        .init("log.to_file", "LOG_TO_FILE", .bool, default: "false", "logs to files as well, one a day"),
        .init("log.dir", "LOG_DIR", .text, default: "log", "folder of the log files; made if it is missing"),
        .init("log.retention", "LOG_RETENTION", .int(1...3650), default: "14", "days to keep log files"),
    ]

    private static let hardening: [SettingDefinition] = [
        .init(
            "hardening.core_dumps", "FEEDHOST_CORE_DUMPS", .bool, default: "false",
            "lets the system write core dumps and debuggers attach; both show credentials")
    ]

    private static let fromOpenAlgo: [SettingDefinition] = [
        .init(
            "openalgo.database", "DATABASE_URL", .databaseURL, secret: true, "OpenAlgo's database; only SQLite is read"),
        .init(
            "openalgo.logs_database", "LOGS_DATABASE_URL", .databaseURL, secret: true, reader: openalgo,
            "its log database"),
        .init(
            "openalgo.pepper", "API_KEY_PEPPER", .longText(32), secret: true, "what its keys are hashed with"),
        .init("openalgo.fernet_salt", "FERNET_SALT", .text, secret: true, "what its tokens are encrypted with"),
        .init(
            "openalgo.redirect_url", "REDIRECT_URL", .text,
            "where its broker logins return to; names the broker that its instruments are of"),
        .init(
            "openalgo.session_expiry", "SESSION_EXPIRY_TIME", .time, default: "03:00", reader: openalgo,
            "when its broker sessions end, HH:MM in India"),
    ]
}
