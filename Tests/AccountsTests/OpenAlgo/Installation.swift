import CArgon2
import Crypto
import CryptoExtras
import Foundation
import GRDB
import Logging
import MarketData
import Secrets
import TestSupport

@testable import Accounts

/// An OpenAlgo installation made for a test: its database in WAL mode, written as OpenAlgo writes it. Stands for OpenAlgo's
/// process; its connection stays open.
final class Installation {
    static let pepper = String(repeating: "5a", count: 32)
    static let salt = String(repeating: "c3", count: 32)

    let folder: TemporaryFolder
    let writer: DatabaseQueue
    let url = Secret("sqlite:///db/openalgo.db")
    var root: String { folder.path }
    var path: String { folder.file("db/openalgo.db") }

    init(withTables: Bool = true) throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("db"), withIntermediateDirectories: true)
        var configuration = Configuration()
        configuration.journalMode = .wal
        writer = try DatabaseQueue(path: folder.file("db/openalgo.db"), configuration: configuration)
        if withTables { try writer.write { try $0.execute(sql: Self.tables) } }
    }

    func settings(salt: String? = Installation.salt, redirect: String? = nil) throws -> OpenAlgoInstallation {
        try OpenAlgoInstallation(
            databaseURL: url, pepper: Secret(Self.pepper), salt: salt.map { Secret($0) }, redirectURL: redirect,
            root: root)
    }

    func accounts(
        salt: String? = Installation.salt, defaults: [String: Secret] = [:],
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) async throws -> OpenAlgoAccounts {
        try await OpenAlgoAccounts(try settings(salt: salt), defaults: defaults, logger: logger)
    }

    // MARK: What OpenAlgo does

    /// Its `upsert_api_key`: one row a user, whose key is replaced.
    func setKey(_ user: String, _ key: String, encrypted: String? = nil, hash: String? = nil) throws {
        let encrypted = encrypted ?? Self.encrypt(key)
        let hash = hash ?? "$argon2id$v=19$m=65536,t=3,p=4$\(UUID().uuidString)$nobody"
        try writer.write { db in
            try db.execute(
                sql: """
                    INSERT INTO api_keys (user_id, api_key_hash, api_key_encrypted) VALUES (?, ?, ?)
                    ON CONFLICT (user_id) DO UPDATE
                    SET api_key_hash = excluded.api_key_hash, api_key_encrypted = excluded.api_key_encrypted
                    """, arguments: [user, hash, encrypted])
        }
    }

    /// Its `upsert_auth`.
    func login(_ user: String, _ broker: String, token: String, feed: String? = nil) throws {
        try writer.write { db in
            try db.execute(
                sql: """
                    INSERT INTO auth (name, auth, feed_token, broker, user_id, is_revoked) VALUES (?, ?, ?, ?, ?, 0)
                    ON CONFLICT (name) DO UPDATE SET auth = excluded.auth, feed_token = excluded.feed_token,
                    broker = excluded.broker, is_revoked = 0
                    """,
                arguments: [
                    user, Self.encrypt(token), feed.map { Self.encrypt($0) }, broker, "\(user)-at-broker",
                ])
        }
    }

    func logout(_ user: String) throws {
        try execute("UPDATE auth SET auth = '', feed_token = NULL, is_revoked = 1 WHERE name = '\(user)'")
    }

    /// Everything into the file, nothing left in the log.
    func checkpoint() throws { try writer.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } }

    /// The only row of a table.
    func row(_ table: String) throws -> Row? { try writer.read { try Row.fetchOne($0, sql: "SELECT * FROM \(table)") } }

    func execute(_ sql: String) throws { try writer.write { try $0.execute(sql: sql) } }

    // MARK: Its crypto

    private static let key = derive(TokenCipher.bytes(hex: salt) ?? Data())
    static let legacyKey = derive(Data("openalgo_static_salt".utf8))

    static func derive(_ salt: Data) -> Data {
        let key = try? KDF.Insecure.PBKDF2.deriveKey(
            from: Data(pepper.utf8), salt: salt, using: .sha256, outputByteCount: 32, unsafeUncheckedRounds: 100_000)
        return key?.withUnsafeBytes { Data($0) } ?? Data()
    }

    static func encrypt(_ text: String, key: Data = Installation.key) -> String {
        ((try? seal(Data(text.utf8), key)) ?? Data()).base64EncodedString()
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
    }

    static func seal(_ text: Data, _ key: Data) throws -> Data {
        let iv = Data((0..<16).map { _ in UInt8.random(in: 0...255) })
        let body =
            Data([0x80, 0, 0, 0, 0, 0x6B, 0x04, 0x3C, 0x72]) + iv
            + (try AES._CBC.encrypt(text, using: SymmetricKey(data: key.suffix(16)), iv: try .init(ivBytes: iv)))
        return body + HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: key.prefix(16)))
    }

    /// With figures that take a millisecond.
    static func hash(_ key: String) -> String {
        let text = key + pepper
        var encoded = [CChar](repeating: 0, count: 256)
        let salt = Array("0123456789abcdef".utf8)
        argon2id_hash_encoded(1, 64, 2, text, text.utf8.count, salt, salt.count, 32, &encoded, encoded.count)
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let tables = """
        CREATE TABLE api_keys (id INTEGER NOT NULL PRIMARY KEY, user_id VARCHAR NOT NULL UNIQUE,
            api_key_hash TEXT NOT NULL, api_key_encrypted TEXT NOT NULL, created_at DATETIME);
        CREATE TABLE auth (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL UNIQUE, auth TEXT NOT NULL,
            feed_token TEXT, broker VARCHAR(20) NOT NULL, user_id VARCHAR(255), is_revoked BOOLEAN,
            secret_api_key TEXT, aux_param1 TEXT);
        CREATE TABLE symtoken (id INTEGER NOT NULL PRIMARY KEY, symbol VARCHAR NOT NULL, brsymbol VARCHAR NOT NULL,
            name VARCHAR, exchange VARCHAR, brexchange VARCHAR, token VARCHAR, expiry VARCHAR, strike FLOAT,
            lotsize INTEGER, instrumenttype VARCHAR, tick_size FLOAT);
        CREATE TABLE login_attempts (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR);
        """
}
