import Logging
import MarketData
import Secrets

/// The configuration, checked and typed.
struct Settings: Sendable {
    struct Proxy: Sendable {
        let host: String
        let port: Port
        let authGrace: Duration
        /// Nil: no pings.
        let pingInterval: Duration?
        let pingTimeout: Duration
        let maxQueue: Int
        /// Nil: never warn.
        let staleTickWarning: Duration?
    }

    /// A port, and whether somebody asked for it: only one left at its default may give way to the next free one.
    struct Port: Sendable, Hashable {
        /// 0 picks a free one.
        let number: Int
        let isExplicit: Bool
        /// `environment variable ZMQ_PORT`, or `default`.
        let source: String
    }

    struct Bus: Sendable {
        let host: String
        let port: Port
        /// Nil picks a free port.
        let publisher: String?
        /// Whose session the public socket carries, by broker.
        let publicUsers: [String: String]
        /// The broker whose users are fed from outside while it has no adapter.
        let externalAs: String?
        /// File with the secret key; nil: no keys.
        let certificate: String?
        /// Folder with the public keys of those who may connect.
        let clients: String?
    }

    struct Plugins: Sendable {
        /// `--plugins`, then `FEEDHOST_PLUGIN_PATH`; the standard folders come after them.
        let folders: [String]
        /// The file that is meant, by broker.
        let pins: [String: String]
    }

    struct Stats: Sendable {
        let path: String
        /// Asked for: then a missing folder is an error, otherwise the file is left out.
        let isExplicit: Bool
    }

    struct Pool: Sendable {
        let isEnabled: Bool
        let maxSymbols: Int
        let maxConnections: Int
    }

    struct Instruments: Sendable {
        /// Whether the host fetches new masters itself.
        let isRefreshed: Bool
        /// India's time.
        let refreshAt: TimeOfDay
    }

    struct Log: Sendable {
        let level: Logger.Level
        let format: LogFormat
        let toFile: Bool
        let folder: String
        let retentionDays: Int
    }

    /// For the provider that reads OpenAlgo's database.
    struct OpenAlgo: Sendable {
        /// OpenAlgo's folder: where the `.env` is.
        let root: String
        let database: Secret?
        let logsDatabase: Secret?
        let pepper: Secret?
        let fernetSalt: Secret?
        let redirectURL: String?
        /// India's time.
        let sessionExpiry: TimeOfDay
    }

    let proxy: Proxy
    let clients: Clients
    let transport: Transport
    let bus: Bus
    let plugins: Plugins
    /// Path of the account store.
    let store: String
    /// The file of its master key; nil: beside the store.
    /// Whether other hosts may run on it at the same time.
    let sharesStore: Bool
    let keyFile: String?
    /// The key itself; then there is no file.
    let masterKey: Secret?
    /// `auto`, `sqlite`, `openalgo`, `jwt` or `plugin:NAME`.
    let accountProvider: String
    let tokens: Tokens
    let stats: Stats
    let pool: Pool
    let instruments: Instruments
    /// Empty: every broker that is loaded.
    let validBrokers: [String]
    /// `BROKER_API_KEY` and its kin by credential name, for users without their own.
    let credentialDefaults: [String: Secret]
    let log: Log
    /// Whether the system may write core dumps, for debugging.
    let allowsCoreDumps: Bool
    let openAlgo: OpenAlgo
    let adapters: AdapterSettings
    /// Sentences for the log: lines that were skipped.
    let notices: [String]
    /// Where each setting that is not at its default comes from, by key; for `doctor`.
    let origins: [String: String]

    /// What each setting means, as a number that says nothing of it: only whether it is still the same.
    let fingerprints: [String: Int]

    /// Settings of one adapter, unchecked; see ``AdapterSettings``.
    func adapterSettings(broker: String) -> [String: AdapterSettings.Value] { adapters.settings(broker: broker) }

    /// Keys that are set although nothing reads them yet, each with the reason.
    var withoutEffect: [String] {
        SettingTable.all.compactMap { definition in
            guard case .later(let reason) = definition.reader, let origin = origins[definition.key] else { return nil }
            return "\(origin): \(definition.key) is \(reason)"
        }
    }
}
