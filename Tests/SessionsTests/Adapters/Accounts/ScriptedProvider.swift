import CFeedhostABI
import Logging
import MarketData
import Synchronization
import TestSupport

@testable import Adapters
@testable import Secrets

/// A provider of accounts that says what a test wants. Which one is meant, a C function learns from the key or the user:
/// both begin with the provider's name and a dot.
final class ScriptedProvider: Sendable {
    typealias AccountSink = (UnsafePointer<fh_account>?) -> Void
    typealias CredentialSink = (UInt64, [(String, [UInt8])]) -> Void

    struct Script: Sendable {
        var start: @Sendable (ScriptedProvider) -> Int = { _ in Int(FH_OK) }
        var authenticate: @Sendable (String, AccountSink) -> Int = { _, _ in Int(FH_E_AUTH) }
        var credentials: @Sendable (String, String, CredentialSink) -> Int = { _, _, _ in Int(FH_E_AUTH) }
    }

    private static let all = Mutex<[String: ScriptedProvider]>([:])
    private static let count = Atomic<Int>(0)

    static func named(_ text: String) -> ScriptedProvider? {
        all.withLock { $0[String(text.prefix { $0 != "." })] }
    }

    let name: String
    let script = Mutex(Script())
    let lines = Journal<String>()
    let settings = Mutex<[String: String]>([:])
    /// What start() was given; valid for good.
    nonisolated(unsafe) fileprivate(set) var context: OpaquePointer?
    nonisolated(unsafe) fileprivate(set) var host: UnsafePointer<fh_auth_host>?

    init() {
        name = "provider\(Self.count.add(1, ordering: .relaxed).newValue)"
        Self.all.withLock { [name] in $0[name] = self }
    }

    func change(_ body: @Sendable (inout Script) -> Void) { script.withLock { body(&$0) } }

    func accounts(
        deadline: Duration = .seconds(30), table: UnsafePointer<fh_adapter> = ProviderTable.shared.adapter,
        settings given: [String: Secret] = [:], fallback: Vault = Vault(),
        now: UInt64 = 1_800_000_000_000_000_000
    ) async throws -> PluginAccounts {
        var declared = Declared()
        declared.settings = [
            AdapterKey(name: "name", kind: .string, defaultValue: "nobody", help: "", required: false),
            AdapterKey(name: "depth", kind: .int, defaultValue: "7", help: "", required: false),
            AdapterKey(name: "password", kind: .secret, defaultValue: nil, help: "", required: false),
        ]
        let like = declared.adapter(id: "in.example.auth", broker: "auth")
        let adapter = LoadedAdapter(
            description: like.description, table: table, abi: like.abi, path: "/auth.so",
            hasAccounts: table.pointee.extension != nil)
        let lines = lines
        return try await PluginAccounts(
            adapter, settings: ["name": Secret(name)].merging(given) { $1 }, fallback: fallback,
            logger: Logger(label: "test") { _ in journalLog(lines) }, deadline: deadline, now: { now })
    }

    /// Writes a line, as a thread of the plugin would.
    func say(_ line: String) {
        let line = StableText(line)
        withExtendedLifetime(line) { host?.pointee.log?(context, Int32(FH_LOG_INFO), line.str) }
    }

    /// Tells a change, as a thread of the plugin would.
    func tell(_ kind: Int, key: UInt64 = 0, user: String = "", broker: String = "", size: Int? = nil) -> Int {
        let (user, broker) = (StableText(user), StableText(broker))
        var change = fh_account_change()
        change.size = UInt32(size ?? MemoryLayout<fh_account_change>.size)
        change.kind = UInt32(kind)
        change.key_id = key
        change.user = user.str
        change.broker = broker.str
        return withExtendedLifetime((user, broker)) { Int(host?.pointee.changed?(context, &change) ?? -99) }
    }
}

/// The tables, in several states of health.
///
/// `@unchecked Sendable`: written once, then only read.
struct ProviderTable: @unchecked Sendable {
    static let shared = ProviderTable()
    /// Sound, without credentials, too short, without authenticate(), and without the extension.
    let adapter, keysAlone, short, mute, stranger: UnsafePointer<fh_adapter>

    private init() {
        var auth = fh_auth(
            size: UInt32(MemoryLayout<fh_auth>.size), concurrency: 2, start: providerStart,
            authenticate: providerAuthenticate, credentials: providerCredentials, stop: nil)
        Self.tables.whole = Self.allocate(auth)
        auth.credentials = nil
        Self.tables.keysAlone = Self.allocate(auth)
        auth.size = 16
        Self.tables.short = Self.allocate(auth)
        auth.size = UInt32(MemoryLayout<fh_auth>.size)
        auth.authenticate = nil
        Self.tables.mute = Self.allocate(auth)
        adapter = Self.adapter { _, id in Self.isAuth(id) ? UnsafeRawPointer(Self.tables.whole) : nil }
        keysAlone = Self.adapter { _, id in Self.isAuth(id) ? UnsafeRawPointer(Self.tables.keysAlone) : nil }
        short = Self.adapter { _, id in UnsafeRawPointer(Self.tables.short) }
        mute = Self.adapter { _, id in UnsafeRawPointer(Self.tables.mute) }
        stranger = Self.adapter { _, _ in nil }
    }

    private struct Tables {
        var whole, keysAlone, short, mute: UnsafePointer<fh_auth>?
    }
    // Written while the one value above is made, before any of its functions can be called.
    nonisolated(unsafe) private static var tables = Tables()

    private static func isAuth(_ id: UnsafePointer<CChar>?) -> Bool {
        id.map { String(cString: $0) } == "feedhost.auth/1"
    }

    private static func allocate<T>(_ value: T) -> UnsafePointer<T> {
        let memory = UnsafeMutablePointer<T>.allocate(capacity: 1)
        memory.initialize(to: value)
        return UnsafePointer(memory)
    }

    private static func adapter(
        _ find: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?) -> UnsafeRawPointer?
    ) -> UnsafePointer<fh_adapter> {
        var table = ScriptedTable.shared.pointer.pointee
        table.extension = find
        return allocate(table)
    }
}

private func providerStart(
    _ context: OpaquePointer?, _ host: UnsafePointer<fh_auth_host>?, _ settings: UnsafePointer<fh_field>?,
    _ count: UInt32
) -> fh_status {
    var values: [String: String] = [:]
    for index in 0..<Int(count) { values[settings?[index].name.text ?? ""] = settings?[index].value.text }
    guard let provider = ScriptedProvider.named(values["name"] ?? "") else { return fh_status(FH_E_INVALID) }
    provider.settings.withLock { $0 = values }
    (provider.context, provider.host) = (context, host)
    return fh_status(provider.script.withLock { $0.start }(provider))
}

private func providerAuthenticate(
    _ key: fh_str, _ sink: UnsafeMutableRawPointer?,
    _ account: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fh_account>?) -> Void)?
) -> fh_status {
    guard let provider = ScriptedProvider.named(key.text) else { return fh_status(FH_E_AUTH) }
    return fh_status(provider.script.withLock { $0.authenticate }(key.text) { account?(sink, $0) })
}

private func providerCredentials(
    _ user: fh_str, _ broker: fh_str, _ sink: UnsafeMutableRawPointer?,
    _ take: (@convention(c) (UnsafeMutableRawPointer?, UInt64, UnsafePointer<fh_field>?, UInt32) -> Void)?
) -> fh_status {
    guard let provider = ScriptedProvider.named(user.text) else { return fh_status(FH_E_AUTH) }
    let body = provider.script.withLock { $0.credentials }
    return fh_status(
        body(user.text, broker.text) { version, values in
            let texts = values.map { (StableText($0.0), RawText($0.1)) }
            let fields = texts.map { fh_field(name: $0.0.str, value: $0.1.str) }
            withExtendedLifetime(texts) { take?(sink, version, fields, UInt32(fields.count)) }
        })
}

/// Bytes that need not be text.
final class RawText {
    private let bytes: UnsafeMutableBufferPointer<CChar>
    init(_ bytes: [UInt8]) {
        self.bytes = .allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { self.bytes[index] = CChar(bitPattern: byte) }
    }
    deinit { bytes.deallocate() }
    var str: fh_str { fh_str(ptr: UnsafePointer(bytes.baseAddress), len: UInt64(bytes.count)) }
}

/// An account of C, and what it points to.
final class LentAccount {
    var table = fh_account()
    private var texts: [RawText] = []
    private var lists: [UnsafeMutablePointer<fh_str>] = []

    /// Sound: alice on zerodha, who may do all but see orders.
    init() {
        table.size = UInt32(MemoryLayout<fh_account>.size)
        table.allows = UInt32(FH_ALLOWS_ALL_EXCHANGES | FH_ALLOWS_ALL_SYMBOLS)
        table.modes = 7
        table.key_id = 7
        table.expires_at = fh_ts_none()
        table.user = lend("alice")
        table.broker = lend("zerodha")
    }

    deinit { for list in lists { list.deallocate() } }

    func lend(_ text: String) -> fh_str { lend(Array(text.utf8)) }

    func lend(_ bytes: [UInt8]) -> fh_str {
        texts.append(RawText(bytes))
        return texts[texts.count - 1].str
    }

    func list(_ items: [String]) -> (UnsafePointer<fh_str>, UInt32) {
        let list = UnsafeMutablePointer<fh_str>.allocate(capacity: max(1, items.count))
        for (index, item) in items.enumerated() { (list + index).initialize(to: lend(item)) }
        lists.append(list)
        return (UnsafePointer(list), UInt32(items.count))
    }

    func read() throws(AuthFault) -> Account {
        let table = table
        let result: Result<Account, AuthFault> = withUnsafePointer(to: table) { pointer in
            Result { () throws(AuthFault) in try Account(pointer) }
        }
        return try result.get()
    }
}
