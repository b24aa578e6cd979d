import Foundation
import Logging
import MarketData
import Secrets

/// Accounts that are written in signed tokens (JWT, RFC 7519): the client's API key is the token.
///
/// Keys and the list of revoked tokens are read again when their files change; a file that cannot be read any more is said,
/// and what was read before goes on counting. A token whose `jti` comes onto the list, or whose key goes, closes its clients.
/// Broker credentials are not in tokens: they are in a store.
///
/// ```swift
/// let accounts = try await JWTAccounts(configuration, logger: logger)
/// Task { await accounts.run() }
/// for await change in accounts.changes { … }
/// ```
public actor JWTAccounts: Authenticator {
    /// Every change since the start; ends when ``run(every:clock:)`` does. One reader.
    public nonisolated let changes: AsyncStream<AccountChange>
    /// What is wrong with the files at the moment, nil when all is well.
    public private(set) var trouble: String?

    private let configuration: JWTConfiguration
    private let isKnown: (@Sendable (_ user: String) async throws -> Bool)?
    private let logger: Logger
    private let now: @Sendable () -> Double
    private let continuation: AsyncStream<AccountChange>.Continuation
    private var keyring: Keyring
    private var versions: [String: WatchedFile.Version]
    /// The latest look: the next one begins when it is done.
    private var turn: Task<Void, Never>?
    /// The one that has not begun yet.
    private var nextTurn: Task<Void, Never>?
    private var admitted = AdmittedTokens()

    /// Reads the keys.
    /// - Parameter isKnown: Whether a user may come in at all, asked for every token; nil lets all in that a token names.
    /// - Throws: ``JWTConfigurationError``.
    public init(
        _ configuration: JWTConfiguration, logger: Logger,
        isKnown: (@Sendable (_ user: String) async throws -> Bool)? = nil
    ) async throws {
        try await self.init(
            configuration, logger: logger, isKnown: isKnown, now: { Date().timeIntervalSince1970 })
    }

    /// - Parameter now: Seconds since 1970, UTC.
    init(
        _ configuration: JWTConfiguration, logger: Logger,
        isKnown: (@Sendable (_ user: String) async throws -> Bool)?, now: @escaping @Sendable () -> Double
    ) async throws {
        self.configuration = configuration
        self.logger = logger
        self.isKnown = isKnown
        self.now = now
        (changes, continuation) = AsyncStream.makeStream()
        // Before the files are read: what is written in between shows at the next look.
        versions = Self.versions(configuration)
        keyring = try await Keyring(configuration)
        if let path = configuration.secretFile, isSecretOpenToAll {
            logger.warning(
                "The secret in \(path) can be read by every user of this machine; mend it with: chmod 600 '\(path)'")
        }
    }

    /// Whether every user of this machine can read the file with the secret.
    public nonisolated var isSecretOpenToAll: Bool {
        configuration.secretFile.map { WatchedFile(path: $0).isOpenToAll } ?? false
    }

    /// The algorithms that count, for whoever shows them.
    public var algorithms: Set<JWTConfiguration.Algorithm> { keyring.algorithms }

    // MARK: Authenticator

    /// Takes some 100 µs of processor time, never on an event loop: it runs on the pool of tasks, and outside this actor.
    public nonisolated func authenticate(key: Secret) async throws -> Account {
        let (claims, owner, signer) = try await verify(key)
        let account = try account(claims, of: owner)
        try await checkIsKnown(claims)
        await admit(owner, signer: signer)
        return account
    }

    public nonisolated func owner(of key: Secret) async -> KeyOwner? {
        guard let (claims, owner, signer) = try? await verify(key), (try? await checkIsKnown(claims)) != nil else {
            return nil
        }
        await admit(owner, signer: signer)
        return owner
    }

    /// - Throws: ``FeedError`` for a token that is not good.
    private nonisolated func verify(_ key: Secret) async throws -> (TokenClaims, KeyOwner, TokenKey) {
        let token = try CompactToken(key)
        await look()
        let keyring = await keyring
        let signer = try keyring.signer(of: token)
        let claims = try TokenClaims.read(token.payload)
        let id = Keyring.keyID(of: claims, token)
        guard !keyring.revoked.contains(id) else { throw FeedError(.authentication, "The token was revoked") }
        let expires = try check(claims)
        return (
            claims,
            KeyOwner(
                user: claims.user, keyID: id, permissions: claims.permissions,
                expires: expires.map { Int64($0 * 1000) }), signer
        )
    }

    private nonisolated func checkIsKnown(_ claims: TokenClaims) async throws {
        if let isKnown, try await !isKnown(claims.user) {
            throw FeedError(.authentication, "The token's user is not known here")
        }
    }

    /// - Returns: When the token ends, in seconds since 1970; nil: never.
    private nonisolated func check(_ claims: TokenClaims) throws -> Double? {
        let now = now(), leeway = configuration.leeway
        if let expiry = claims.expiry {
            guard now < expiry + leeway else { throw FeedError(.authentication, "The token has expired") }
        } else if configuration.requiresExpiry {
            throw FeedError(.authentication, "The token has no end (exp), and tokens must have one here")
        }
        if let start = claims.notBefore, now + leeway < start {
            throw FeedError(.authentication, "The token is not valid yet")
        }
        if let issuer = configuration.issuer, claims.issuer != issuer {
            throw FeedError(.authentication, "The token is not from the issuer that this host trusts (iss)")
        }
        switch (configuration.audience, claims.audiences) {
        case (nil, nil): break
        case (let wanted?, let audiences?) where audiences.contains(wanted): break
        default: throw FeedError(.authentication, "The token is not meant for this host (aud)")
        }
        return claims.expiry.map { $0 + leeway }
    }

    private nonisolated func account(_ claims: TokenClaims, of owner: KeyOwner) throws -> Account {
        guard let broker = claims.broker ?? (claims.brokers.count == 1 ? claims.brokers.first : nil) else {
            throw FeedError(.broker, "No broker configuration found for user")
        }
        return Account(
            user: owner.user, broker: broker, keyID: owner.keyID, brokers: claims.brokers,
            permissions: owner.permissions, expires: owner.expires)
    }

    private func admit(_ account: KeyOwner, signer: TokenKey) {
        admitted.add(account, signer: signer, now: now())
        // The keys may have changed while the token was looked at.
        if !keyring.fingerprints.contains(signer.fingerprint) {
            continuation.yield(AccountChange(.keyChanged(keyID: account.keyID)))
        }
        if keyring.revoked.contains(account.keyID) {
            continuation.yield(AccountChange(.keyRevoked(keyID: account.keyID)))
        }
    }

    // MARK: Looking

    /// Looks until the task is cancelled. Changes are seen within the interval.
    public func run(
        every interval: Duration = .milliseconds(500), clock: some Clock<Duration> = ContinuousClock()
    ) async {
        await PollLoop.run(every: interval, clock: clock) { await look() }
        continuation.finish()
    }

    /// Looks once: whatever was written before the call is known when it returns.
    public func look() async {
        // One look for everybody who waits for it: a thousand clients that come at once must not wait for each other.
        if let nextTurn { return await nextTurn.value }
        let previous = turn
        let mine = Task {
            await previous?.value
            self.nextTurn = nil
            await self.lookOnce()
        }
        (turn, nextTurn) = (mine, mine)
        await mine.value
    }

    private func lookOnce() async {
        let found = Self.versions(configuration)
        guard found != versions else { return }
        do {
            let next = try await Keyring(configuration)
            for id in next.revoked.subtracting(keyring.revoked) {
                continuation.yield(AccountChange(.keyRevoked(keyID: id)))
            }
            for id in admitted.lost(remaining: next.fingerprints) {
                continuation.yield(AccountChange(.keyChanged(keyID: id)))
            }
            keyring = next
            versions = found
            trouble = nil
            logger.notice("The keys of tokens were read anew")
        } catch {
            // Looked at again with the next change, and until then at every look: a file may come back as it was.
            let sentence = "\(error) Going on with what was read before."
            guard trouble != sentence else { return }
            trouble = sentence
            logger.warning("\(sentence)")
        }
    }

    private static func versions(_ configuration: JWTConfiguration) -> [String: WatchedFile.Version] {
        configuration.files.reduce(into: [:]) { $0[$1] = WatchedFile(path: $1).version }
    }
}

/// Which key each token that came in was signed with.
private struct AdmittedTokens {
    private var signers: [Int64: (fingerprint: [UInt8], expires: Int64?)] = [:]
    private var limit = 1024
    /// Tokens without end could make this grow for ever.
    private static let most = 100_000

    /// - Parameter now: Seconds since 1970.
    mutating func add(_ account: KeyOwner, signer: TokenKey, now: Double) {
        if signers.count >= limit {
            signers = signers.filter { $0.value.expires ?? .max > Int64(now * 1000) }
            if signers.count > Self.most { signers.removeAll() }
            limit = max(1024, 2 * signers.count)
        }
        signers[account.keyID] = (signer.fingerprint, account.expires)
    }

    /// Takes out the tokens whose key is gone.
    mutating func lost(remaining: Set<[UInt8]>) -> [Int64] {
        let lost = signers.filter { !remaining.contains($0.value.fingerprint) }.map(\.key)
        for id in lost { signers[id] = nil }
        return lost
    }
}
