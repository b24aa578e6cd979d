import Accounts
import Adapters
import Foundation
import Instruments
import Logging
import MarketBus
import MarketData
import NIOCore
import Operations
import Secrets
import StreamProxy

/// Where users, keys and credentials of this start come from, behind what the other rooms see of it.
struct AccountProvider: Sendable {
    let authenticator: any Authenticator
    let credentials: any CredentialSource
    let changes: AsyncStream<AccountChange>
    /// The own store, when it is the provider.
    let store: AccountStore?
    /// Looks once, now.
    let look: @Sendable () async -> Void
    /// What has to run as long as the host does.
    let tasks: [@Sendable () async -> Void]
    /// Called when the host ends.
    var stop: @Sendable () async -> Void = {}
    /// What messages tell users whose credentials are missing or refused.
    var advice = CredentialAdvice.command

    /// - Parameter adapters: Those that are loaded, one of which may be the provider, with their settings by broker.
    /// - Throws: ``StartError``.
    static func open(
        _ settings: Settings, adapters: AdapterRegistry, _ adapterSettings: [String: [String: Secret]], _ logger: Logger
    ) async throws -> AccountProvider {
        do {
            if settings.isOnOpenAlgo { return try await openAlgo(settings, logger) }
            let own = try sqlite(settings, logger)
            if settings.accountProvider == "jwt" { return try await own.withTokens(settings, logger) }
            guard let name = settings.accountPlugin else { return own }
            return try await own.withPlugin(name, adapters, adapterSettings, logger)
        } catch {
            throw StartError("\(error)")
        }
    }

    private static func sqlite(_ settings: Settings, _ logger: Logger) throws -> AccountProvider {
        let store = try settings.accountStore()
        let watcher = try StoreWatcher(store: store, logger: logger)
        for notice in store.notices { logger.notice("\(notice)") }
        let accounts = SQLiteAccounts(store: store, defaults: settings.credentialDefaults)
        return AccountProvider(
            authenticator: accounts, credentials: accounts, changes: watcher.changes, store: store,
            look: { await watcher.look() }, tasks: [{ await watcher.run() }])
    }

    private static func openAlgo(_ settings: Settings, _ logger: Logger) async throws -> AccountProvider {
        let installation = try settings.openAlgo.installation()
        let accounts = try await OpenAlgoAccounts(
            installation, defaults: settings.credentialDefaults, logger: logger)
        logger.info("users, keys and tokens are those of OpenAlgo (\(installation.database))")
        let mirror = OpenAlgoMirror(
            installation, path: MasterStore.path(beside: settings.store), logger: logger)
        await mirror.start()
        return AccountProvider(
            authenticator: accounts, credentials: accounts, changes: accounts.changes, store: nil,
            look: { await accounts.look() }, tasks: [{ await accounts.run() }, { await mirror.run() }],
            advice: .openAlgo)
    }
}

extension Settings {
    /// Whether accounts come from OpenAlgo's database. Unless it was said: when OpenAlgo's `.env` and database are there and
    /// no own store was asked for.
    var isOnOpenAlgo: Bool {
        switch accountProvider {
        case "openalgo": return true
        case "auto":
            guard origins["store"] == nil, let installation = try? openAlgo.installation() else { return false }
            return FileManager.default.fileExists(atPath: installation.database)
        default: return false
        }
    }

    /// Said at start, because the other store would be a surprise.
    var providerNotice: String? {
        guard accountProvider == "auto", !isOnOpenAlgo, openAlgo.pepper != nil, openAlgo.database != nil else {
            return nil
        }
        if origins["store"] != nil {
            return
                "accounts are those of \(store), not OpenAlgo's: a store was asked for (accounts.provider: openalgo takes OpenAlgo's)"
        }
        do {
            return
                "OpenAlgo's database \(try openAlgo.installation().database) is not there, so accounts are those of \(store); start OpenAlgo first, or set accounts.provider"
        } catch {
            return "accounts are those of \(store): \(error)"
        }
    }
}

extension Settings.OpenAlgo {
    /// - Throws: ``OpenAlgoError``.
    func installation() throws -> OpenAlgoInstallation {
        try OpenAlgoInstallation(
            databaseURL: database, pepper: pepper, salt: fernetSalt, redirectURL: redirectURL, root: root)
    }
}

/// Takes OpenAlgo's instruments over into the store where all masters are, whenever OpenAlgo has loaded new ones.
actor OpenAlgoMirror {
    private let source: OpenAlgoInstruments
    private let database: String
    private let path: String
    private let logger: Logger
    private var lastTrouble: String?

    /// - Parameter path: Of the instrument store.
    init(_ installation: OpenAlgoInstallation, path: String, logger: Logger) {
        source = OpenAlgoInstruments(installation)
        database = installation.database
        self.path = path
        self.logger = logger
    }

    /// Before the first client can ask for a symbol. Two looks: what still changes is not complete.
    func start() async {
        await look()
        await look()
    }

    /// Looks until the task is cancelled.
    func run(every interval: Duration = .seconds(1)) async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { break }
            await look()
        }
        await source.close()
    }

    private func look() async {
        do {
            if let master = try await source.look() { try await take(master) }
            say(await source.obstacle.map { "OpenAlgo's instruments are not taken over: \($0)" })
        } catch {
            guard !Task.isCancelled else { return }
            await source.forget()
            say("OpenAlgo's instruments cannot be taken over: \(error)")
        }
    }

    private func take(_ master: OpenAlgoInstruments.Master) async throws {
        let source = "\(database), symtoken \(master.fingerprint)"
        let store = try MasterStore(path: path)
        defer { store.close() }
        guard try await store.records().first(where: { $0.broker == master.broker })?.source != source else { return }
        let (rows, left) = try await self.source.listings()
        var counted = LeftOutRows()
        if left > 0 { counted.add("no instrument", .fault, count: left) }
        let leftOut = counted
        // Off the pool of Swift's tasks: writing 200,000 rows takes seconds.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(
                    with: Result {
                        // Whatever OpenAlgo has is what its clients know: nobody is there to insist.
                        _ = try store.replace(broker: master.broker, source: source, insist: true) { add in
                            for row in rows { try add(row) }
                            return leftOut
                        }
                    })
            }
        }
        logger.info("\(rows.count) instruments of \(master.broker) are taken over from OpenAlgo")
    }

    /// Each trouble once.
    private func say(_ trouble: String?) {
        if let trouble, trouble != lastTrouble { logger.warning("\(trouble)") }
        lastTrouble = trouble
    }
}
