import CFeedhostABI
import Logging
import MarketData
import Secrets

/// Accounts of a plugin: `feedhost.auth/1`.
///
/// Its calls run on threads of their own, each with a deadline, and whatever it says is checked before it is believed.
///
/// `@unchecked Sendable`: ``table`` points to a static of the plugin, which by contract never changes, is never unmapped and
/// whose functions may be called from any thread, as many at once as it says; everything else is immutable.
public final class PluginAccounts: Authenticator, CredentialSource, @unchecked Sendable {
    /// Size of the table in ABI 1.0.
    private static let firstSize = 40
    /// Bytes of a key that a provider is asked about.
    static let longestKey = 8192
    /// How long a call may take.
    static let deadline = Duration.seconds(5)

    /// Every change that the plugin tells; ends with ``stop()``. One reader.
    public var changes: AsyncStream<AccountChange> { context.changes }
    /// Of the plugin's file, as it was found.
    public let path: String
    /// What messages tell users whose credentials are missing or refused.
    public var advice: CredentialAdvice { table.pointee.credentials == nil ? .commandForGuests : .plugin(name) }

    private let name: String
    private let table: UnsafePointer<fh_auth>
    private let context: AuthContext
    private let slots: CallSlots
    private let fallback: any CredentialSource
    private let now: @Sendable () -> UInt64

    /// Finds the table and starts the provider.
    /// - Parameters:
    ///   - settings: The adapter's, by bare name, defaults included.
    ///   - fallback: Where credentials come from when the provider has none of its own.
    /// - Throws: ``FeedError`` with a sentence about what is wrong with the plugin.
    public convenience init(
        _ adapter: LoadedAdapter, settings: [String: Secret], fallback: any CredentialSource, logger: Logger
    ) async throws {
        try await self.init(
            adapter, settings: settings, fallback: fallback, logger: logger, deadline: Self.deadline,
            now: { WallClock.now() })
    }

    /// - Parameter now: ns since 1970, UTC.
    init(
        _ adapter: LoadedAdapter, settings: [String: Secret], fallback: any CredentialSource, logger: Logger,
        deadline: Duration, now: @escaping @Sendable () -> UInt64
    ) async throws {
        name = adapter.description.id
        path = adapter.path
        func broken(_ sentence: String) -> FeedError { FeedError(.server, "The plugin \(adapter.path) \(sentence).") }
        guard let table = Self.table(of: adapter) else {
            throw broken("provides no accounts: it does not know \(ExtensionID.accounts), or fails when it is asked")
        }
        self.table = table
        guard table.pointee.size >= Self.firstSize, table.pointee.start != nil, table.pointee.authenticate != nil else {
            throw broken(
                "has a table for \(ExtensionID.accounts) that is too short, or lacks start() or authenticate()")
        }
        context = AuthContext(Concealment(shared: adapter.concealment), logger: logger)
        slots = CallSlots(
            max(1, min(Int(table.pointee.concurrency), 16)), limit: deadline, label: "feedhost.auth")
        self.fallback = fallback
        self.now = now
        let settings = adapter.description.settings(given: settings)
        context.concealment.add(settings: settings, of: adapter.description)
        let outcome = await slots.run { [self] in begin(settings) }
        guard case .done(let status) = outcome else {
            throw broken("did not come back from start() within \(deadline.components.seconds) s")
        }
        guard status == fh_status(FH_OK) else {
            let said = context.said.isEmpty ? "it does not say why" : context.said
            context.stop()
            throw broken("does not start as the provider of accounts (status \(status)): \(said)")
        }
    }

    /// Asked only where the probe has seen that asking is safe.
    private static func table(of adapter: LoadedAdapter) -> UnsafePointer<fh_auth>? {
        guard adapter.hasAccounts else { return nil }
        return adapter.table.pointee.extension.flatMap { find in ExtensionID.accounts.withCString { find(nil, $0) } }?
            .assumingMemoryBound(to: fh_auth.self)
    }

    /// Ends the provider; waits no longer than a call may take.
    public func stop() async {
        context.stop()
        _ = await slots.run { [self] in table.pointee.stop?() }
    }

    private func begin(_ settings: [String: Secret]) -> fh_status {
        let texts = settings.map { (StableText($0.key), StableText($0.value)) }
        let fields = texts.map { fh_field(name: $0.str, value: $1.str) }
        return withExtendedLifetime(texts) {
            fields.withUnsafeBufferPointer {
                table.pointee.start?(context.lend(), AuthContext.host, $0.baseAddress, UInt32($0.count))
                    ?? fh_status(FH_E_INTERNAL)
            }
        }
    }

    // MARK: Authenticator, CredentialSource

    public func authenticate(key: Secret) async throws -> Account {
        guard !key.isEmpty, key.withBytes(\.count) <= Self.longestKey else {
            throw FeedError(.authentication, "Invalid API key")
        }
        let account = try await ask("authenticate()") { [self] in owner(of: key) }
        guard let account else { throw FeedError(.authentication, "Invalid API key") }
        if let expires = account.expires, UInt64(clamping: expires) <= now() / 1_000_000 {
            throw FeedError(.authentication, "The API key has expired")
        }
        return account
    }

    /// The provider's, or those of the fallback if it has none at all.
    public func credentials(user: String, broker: String) async throws -> BrokerCredentials {
        guard table.pointee.credentials != nil else {
            return try await fallback.credentials(user: user, broker: broker)
        }
        return try await ask("credentials()") { [self] in secrets(user: user, broker: broker) } ?? BrokerCredentials()
    }

    /// - Returns: Nil when the provider says that there is none.
    private func ask<Value: Sendable>(
        _ call: String, _ body: @escaping @Sendable () -> Result<Value?, AuthFailure>
    ) async throws -> Value? {
        switch await slots.run(body) {
        case .done(.success(let value)): return value
        case .done(.failure(.noBroker)): throw FeedError(.broker, "No broker configuration found for user")
        case .done(.failure(.status(let status))):
            context.log(level: Int32(FH_LOG_WARNING), "\(name): \(call) failed with status \(status)")
        case .done(.failure(.fault(let fault))):
            context.log(level: Int32(FH_LOG_ERROR), "\(name): the answer of \(call) is not used: \(fault)")
        case .late:
            context.log(level: Int32(FH_LOG_ERROR), "\(name): \(call) has not come back in time")
        case .crowded:
            context.log(level: Int32(FH_LOG_WARNING), "\(name): too many calls are waiting, and one was turned away")
        }
        throw FeedError(.server, "Accounts cannot be looked up at the moment, try again")
    }

    private func owner(of key: Secret) -> Result<Account?, AuthFailure> {
        let text = StableText(key)
        let sink = AnswerSink<Account>()
        let status = context.concealment.holding(key: key) {
            withExtendedLifetime(text) {
                table.pointee.authenticate?(text.str, sink.pointer) { sink, account in
                    AnswerSink<Account>.of(sink)?.take { () throws(AuthFault) in try Account(account) }
                }
            }
        }
        let answer = sink.answer(status)
        if case .success(let account?) = answer {
            // It opens something, so it is hidden for longer than what strangers try.
            context.concealment.add([key])
            // Names of users are logged.
            guard !account.user.contains(key.revealed) else {
                return .failure(.fault(AuthFault("its account has a user whose name is the key")))
            }
        }
        return answer
    }

    private func secrets(user: String, broker: String) -> Result<BrokerCredentials?, AuthFailure> {
        let (user, broker) = (StableText(user), StableText(broker))
        let sink = AnswerSink<BrokerCredentials>()
        let status = withExtendedLifetime((user, broker)) {
            table.pointee.credentials?(user.str, broker.str, sink.pointer) { sink, version, fields, count in
                AnswerSink<BrokerCredentials>.of(sink)?.take { () throws(AuthFault) in
                    try BrokerCredentials(version: version, fields, count)
                }
            }
        }
        let answer = sink.answer(status)
        if case .success(let credentials?) = answer { context.concealment.add(credentials: credentials.values) }
        return answer
    }
}

/// Why a call brought nothing.
private enum AuthFailure: Error {
    case noBroker
    case status(fh_status)
    case fault(AuthFault)
}

/// Takes the answer of one call, on its thread.
private final class AnswerSink<Value> {
    private var result: Result<Value, AuthFault>?

    var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func of(_ pointer: UnsafeMutableRawPointer?) -> AnswerSink? {
        pointer.map { Unmanaged<AnswerSink>.fromOpaque($0).takeUnretainedValue() }
    }

    func take(_ read: () throws(AuthFault) -> Value) {
        // Which of two would be meant?
        guard result == nil else { return result = .failure(AuthFault("it was given twice")) }
        result = Result(catching: read)
    }

    func answer(_ status: fh_status?) -> Result<Value?, AuthFailure> {
        switch status.map({ Int($0) }) {
        case FH_OK?:
            switch result {
            case .success(let value)?: .success(value)
            case .failure(let fault)?: .failure(.fault(fault))
            case nil: .failure(.fault(AuthFault("there is none")))
            }
        case FH_E_AUTH?: .success(nil)
        case FH_E_STATE?: .failure(.noBroker)
        default: .failure(.status(status ?? fh_status(FH_E_INTERNAL)))
        }
    }
}

extension AdapterRegistry {
    /// The loaded plugin with that id, file name (with or without `.so`), broker key or name of its settings.
    public func adapter(named name: String) -> LoadedAdapter? {
        loaded.first { $0.description.id == name }
            ?? loaded.first { adapter in
                let file = adapter.path.split(separator: "/").last ?? ""
                return file == name || file == "\(name).so"
            } ?? loaded.first { $0.broker == name }
    }
}
