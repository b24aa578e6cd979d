import Foundation
import GRDB
import Logging
import MarketData
import Secrets

/// What an OpenAlgo installation holds, for whoever checks it.
public struct OpenAlgoInventory: Sendable, Hashable {
    /// A user's login at a broker.
    public struct Login: Sendable, Hashable {
        public enum State: Sendable, Hashable {
            case good
            /// Logged out, or expired overnight.
            case revoked
            /// There is no token, or it is encrypted with another key.
            case unreadable
        }
        public let user: String
        public let broker: String
        public let state: State
        /// Of what can be used, without the values.
        public let names: Set<String>
    }

    public let keys: Int
    /// Keys of which only the slow hash can be used.
    public let hashedKeys: Int
    /// By user.
    public let logins: [Login]
}

/// The accounts of an OpenAlgo installation: its API keys, and the tokens of its users' logins. Its database is never written.
///
/// It polls `PRAGMA data_version`, which costs microseconds, and looks once more for every key that is shown: a key that was
/// made a moment ago is good, one that was replaced a moment ago is not.
///
/// ```swift
/// let accounts = try await OpenAlgoAccounts(installation, logger: logger)
/// Task { await accounts.run() }
/// for await change in accounts.changes { … }
/// ```
public actor OpenAlgoAccounts: Authenticator, CredentialSource {
    /// Every change since the start; ends when ``run(every:clock:)`` does. One reader.
    public nonisolated let changes: AsyncStream<AccountChange>
    /// What is wrong with the database at the moment, nil when all is well.
    public private(set) var trouble: String?

    private let database: OpenAlgoDatabase
    private let cipher: TokenCipher
    private let defaults: [String: Secret]
    private let hashes: HashedKeys
    private let logger: Logger
    private let continuation: AsyncStream<AccountChange>.Continuation
    private var state = OpenAlgoState()
    private var version: OpenAlgoDatabase.Version?
    /// The latest look: the next one begins when it is done.
    private var turn: Task<Void, Never>?
    /// The one that has not begun yet.
    private var nextTurn: Task<Void, Never>?
    private var busyLooks = 0
    /// How often the database was looked at, for tests.
    private(set) var looks = 0
    private var unreadable: [String] = []
    /// A lock shorter than this many looks is nobody's business.
    private static let patience = 4

    /// Reads the present state.
    /// - Parameter defaults: By credential name, for what the database does not hold: `BROKER_API_KEY` as `api_key` and so on.
    /// - Throws: ``OpenAlgoError``.
    public init(
        _ installation: OpenAlgoInstallation, defaults: [String: Secret] = [:], logger: Logger
    ) async throws {
        database = OpenAlgoDatabase(path: installation.database, label: "feedhost.openalgo.accounts")
        cipher = try TokenCipher(pepper: installation.pepper, salt: installation.salt)
        hashes = HashedKeys(pepper: installation.pepper)
        self.defaults = defaults.filter { !$0.value.isEmpty }
        self.logger = logger
        (changes, continuation) = AsyncStream.makeStream()
        try await read()
    }

    // MARK: Authenticator, CredentialSource

    public func authenticate(key: Secret) async throws -> Account {
        await look()
        guard let found = try await find(key) else { throw FeedError(.authentication, "Invalid API key") }
        guard let login = state.logins[found.user], login.values != nil else {
            throw FeedError(.broker, "No broker configuration found for user")
        }
        return Account(user: found.user, broker: login.broker, keyID: found.id)
    }

    public func owner(of key: Secret) async -> KeyOwner? {
        guard let found = try? await find(key) else { return nil }
        return KeyOwner(user: found.user, keyID: found.id)
    }

    /// Those of the user's login; empty while it is revoked, gone or at another broker.
    public func credentials(user: String, broker: String) async throws -> BrokerCredentials {
        guard let login = state.logins[user], login.broker == broker else { return BrokerCredentials() }
        guard let values = login.values else { return BrokerCredentials(version: login.version) }
        return BrokerCredentials(version: login.version, values: defaults.merging(values) { $1 })
    }

    /// By its encrypted copy, which is quick; by its hash only where a copy cannot be read.
    private func find(_ key: Secret) async throws -> OpenAlgoState.Key? {
        let digest = KeyDigest.of(key)
        if let found = state.key(digest: digest) { return found }
        let candidates = state.keys.filter { $0.digest == nil && !$0.row.hash.isEmpty }
        guard !candidates.isEmpty, let id = try await hashes.find(key, digest: digest, among: candidates) else {
            return nil
        }
        // Hashing takes long enough for the key to be replaced meanwhile.
        return state.keys.first { $0.id == id }
    }

    /// What there is, without anything secret.
    public func inventory() -> OpenAlgoInventory {
        OpenAlgoInventory(
            keys: state.keys.count, hashedKeys: state.keys.filter { $0.digest == nil }.count,
            logins: state.logins.values.map { login in
                .init(
                    user: login.row.user, broker: login.broker,
                    state: login.values != nil ? .good : login.row.isRevoked ? .revoked : .unreadable,
                    names: Set((login.values ?? [:]).keys))
            }.sorted { $0.user < $1.user })
    }

    // MARK: Looking

    /// Looks until the task is cancelled. Changes are seen within the interval.
    public func run(
        every interval: Duration = .milliseconds(500), clock: some Clock<Duration> = ContinuousClock()
    ) async {
        await PollLoop.run(every: interval, clock: clock) { await look() }
        stop()
    }

    /// Ends ``changes``.
    func stop() {
        continuation.finish()
        database.close()
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
        looks += 1
        do {
            try await read()
            busyLooks = 0
            if let trouble {
                logger.notice("OpenAlgo's database is back", metadata: ["was": "\(trouble)"])
                self.trouble = nil
            }
        } catch {
            if (error as? OpenAlgoError)?.code == .busy {
                busyLooks += 1
                guard busyLooks >= Self.patience else { return }
            }
            report("\(error) Going on with what was read before.")
        }
    }

    private func read() async throws {
        // The number first: what is written in between shows again at the next look.
        let current = try await database.version()
        guard current != version else { return }
        let snapshot = try await database.read { try OpenAlgoSnapshot($0) }
        for change in state.update(snapshot, cipher) { continuation.yield(change) }
        version = current
        complain()
    }

    /// Says once whose tokens cannot be read.
    private func complain() {
        let now = state.logins.filter { $0.value.values == nil && !$0.value.row.isRevoked }.map(\.key).sorted()
        defer { unreadable = now }
        for user in now where !unreadable.contains(user) {
            logger.warning(
                "OpenAlgo's login of \(user) holds no token that can be read: log in to the broker again. If that does not help, API_KEY_PEPPER or FERNET_SALT are not those that OpenAlgo runs with."
            )
        }
    }

    private func report(_ sentence: String) {
        guard trouble != sentence else { return }
        trouble = sentence
        logger.warning("\(sentence)")
    }
}
