import Accounts
import Logging
import MarketData

extension AccountProvider {
    /// With accounts from signed tokens; what goes to brokers stays in the store of this one.
    /// - Throws: ``JWTConfigurationError``.
    func withTokens(_ settings: Settings, _ logger: Logger) async throws -> AccountProvider {
        let store = settings.tokens.areUsersStored ? store : nil
        let isKnown = store.map { store -> @Sendable (String) async throws -> Bool in
            { user in try await store.hasUser(user) }
        }
        let accounts = try await JWTAccounts(settings.tokens.configuration, logger: logger, isKnown: isKnown)
        let algorithms = await accounts.algorithms.map(\.rawValue).sorted().joined(separator: ", ")
        logger.info("users and permissions are those of signed tokens (\(algorithms))")
        var provider = with(
            accounts, credentials: credentials, changes: accounts.changes, look: { await accounts.look() },
            task: { await accounts.run() })
        provider.advice = store == nil ? .commandForGuests : .command
        return provider
    }

    /// The same store behind another authenticator. Both tell of changes: keys of the store let nobody in any more.
    func with(
        _ authenticator: any Authenticator, credentials: any CredentialSource, changes more: AsyncStream<AccountChange>,
        look lookMore: @escaping @Sendable () async -> Void = {}, task: (@Sendable () async -> Void)? = nil,
        stop: @escaping @Sendable () async -> Void = {}
    ) -> AccountProvider {
        let joined = JoinedChanges(store: changes, authenticator: more)
        let look = look
        return AccountProvider(
            authenticator: authenticator, credentials: credentials, changes: joined.changes, store: store,
            look: {
                await look()
                await lookMore()
            }, tasks: tasks + [{ await joined.run() }] + [task].compactMap(\.self), stop: stop)
    }
}
