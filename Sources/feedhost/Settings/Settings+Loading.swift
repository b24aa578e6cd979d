import Foundation
import MarketData

/// Where the configuration comes from.
struct SettingsInput: Sendable {
    var flags: [SettingSource.Flag] = []
    /// The values of `--set`.
    var assignments: [String] = []
    /// The values of `--plugins`: they come before those of `FEEDHOST_PLUGIN_PATH`, they do not replace them.
    var pluginFolders: [String] = []
    /// `--config`; nil reads `feedhost.yaml` if it is there.
    var configFile: String?
    /// `--env-file`; nil reads `.env` if it is there.
    var envFile: String?
    var environment: [String: String] = [:]
    /// The current folder.
    var folder = "."
}

extension Settings {
    /// Reads every source: flags, then environment, `.env`, the YAML file and defaults.
    /// - Throws: ``SettingsError`` with everything that is wrong.
    static func load(_ input: SettingsInput) throws -> Settings {
        var sources = [
            SettingSource.flags(input.flags, assignments: input.assignments), .environment(input.environment),
        ]
        var problems: [String] = []
        func read(_ given: String?, orElse name: String, _ parse: (String, String) -> SettingSource) {
            do {
                guard let text = try SettingsFile(folder: input.folder).text(given ?? name, required: given != nil)
                else { return }
                sources.append(parse(text, given ?? name))
            } catch {
                problems += error.problems
            }
        }
        read(input.envFile, orElse: ".env") { .dotEnv($0, name: $1, environment: input.environment) }
        read(input.configFile, orElse: "feedhost.yaml") { .yaml($0, name: $1) }

        let resolver = SettingResolver(sources.map(\.layer))
        problems += sources.flatMap(\.problems) + resolver.problems
        if problems.isEmpty { problems += Clients.problems(resolver) + Transport.problems(resolver) }
        let store = resolver.text("store") ?? Self.standardStore(input.environment)
        if store == nil {
            problems.append(
                "There is no place for the account store: HOME is not set. Name a file with --store or FEEDHOST_STORE.")
        }
        if let key = resolver.origins["accounts.master_key"], let file = resolver.origins["accounts.key_file"],
            resolver.secret("accounts.master_key") != nil, resolver.text("accounts.key_file") != nil
        {
            problems.append("The master key is given twice, by \(key) and by \(file): keep one of them.")
        }
        guard problems.isEmpty, let store else { throw SettingsError(problems) }
        return Settings(
            resolver, store: Self.expanded(store, input.environment),
            keyFile: resolver.text("accounts.key_file").map { Self.expanded($0, input.environment) },
            openAlgoRoot: Self.root(input), pluginFolders: input.pluginFolders,
            adapters: AdapterSettings(entries: sources.reversed().flatMap(\.adapters)),
            notices: sources.flatMap(\.notices))
    }

    private init(
        _ values: SettingResolver, store: String, keyFile: String?, openAlgoRoot: String, pluginFolders: [String],
        adapters: AdapterSettings, notices: [String]
    ) {
        func positive(_ duration: Duration) -> Duration? { duration > .zero ? duration : nil }
        proxy = Proxy(
            host: values.text("proxy.host") ?? "127.0.0.1", port: values.port("proxy.port"),
            authGrace: values.seconds("proxy.auth_grace"),
            pingInterval: positive(values.seconds("proxy.ping_interval")),
            pingTimeout: values.seconds("proxy.ping_timeout"), maxQueue: values.int("proxy.max_queue"),
            staleTickWarning: positive(values.seconds("proxy.stale_tick_warn")))
        clients = Clients(values)
        transport = Transport(values)
        bus = Bus(
            host: values.text("bus.host") ?? "127.0.0.1", port: values.port("bus.port"),
            publisher: values.text("bus.publisher"), publicUsers: values.map("bus.public"),
            externalAs: values.text("bus.external_as"), certificate: values.text("bus.curve.certificate"),
            clients: values.text("bus.curve.clients"))
        plugins = Plugins(folders: pluginFolders + values.list("plugins.path"), pins: values.map("plugins.pin"))
        self.store = store
        sharesStore = values.bool("accounts.shared_store")
        self.keyFile = keyFile
        masterKey = values.secret("accounts.master_key")
        accountProvider = values.text("accounts.provider") ?? "auto"
        tokens = Tokens(values)
        stats = Stats(
            path: values.text("stats.file") ?? "log/ws_proxy_stats.json",
            isExplicit: values.origins["stats.file"] != nil)
        pool = Pool(
            isEnabled: values.bool("pool.enabled"), maxSymbols: values.int("pool.max_symbols"),
            maxConnections: values.int("pool.max_connections"))
        instruments = Instruments(
            isRefreshed: values.text("instruments.refresh") == "daily",
            refreshAt: values.time("instruments.refresh_at"))
        validBrokers = values.list("brokers.valid")
        credentialDefaults = ["api_key", "api_secret", "api_key_market", "api_secret_market"].reduce(into: [:]) {
            $0[$1] = values.secret("broker.\($1)")
        }
        allowsCoreDumps = values.bool("hardening.core_dumps")
        log = Log(
            level: values.level("log.level"), format: values.logFormat("log.format"),
            toFile: values.bool("log.to_file"),
            folder: values.text("log.dir") ?? "log", retentionDays: values.int("log.retention"))
        openAlgo = OpenAlgo(
            root: openAlgoRoot, database: values.secret("openalgo.database"),
            logsDatabase: values.secret("openalgo.logs_database"),
            pepper: values.secret("openalgo.pepper"), fernetSalt: values.secret("openalgo.fernet_salt"),
            redirectURL: values.text("openalgo.redirect_url"), sessionExpiry: values.time("openalgo.session_expiry"))
        self.adapters = adapters
        self.notices = notices
        origins = values.origins
        fingerprints = values.fingerprints.merging(adapters.fingerprints) { first, _ in first }
    }

    /// The folder of the `.env` that is read.
    private static func root(_ input: SettingsInput) -> String {
        let folder = URL(fileURLWithPath: input.folder, isDirectory: true)
        return URL(fileURLWithPath: input.envFile ?? ".env", relativeTo: folder).standardizedFileURL
            .deletingLastPathComponent().path
    }

    /// As the XDG rules say: a relative XDG_DATA_HOME counts as none.
    private static func standardStore(_ environment: [String: String]) -> String? {
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data + "/feedhost/feedhost.db" }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return home + "/.local/share/feedhost/feedhost.db"
    }

    /// Shells expand `~`; files and variables do not.
    private static func expanded(_ path: String, _ environment: [String: String]) -> String {
        guard path.hasPrefix("~/"), let home = environment["HOME"], !home.isEmpty else { return path }
        return home + path.dropFirst()
    }
}
