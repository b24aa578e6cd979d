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
        let mirror = InstrumentMirror(
            OpenAlgoInstruments(installation), database: installation.database,
            path: MasterStore.path(beside: settings.store), logger: logger)
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
