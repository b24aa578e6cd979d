import Foundation
import MarketData
import Secrets

/// What an OpenAlgo installation's `.env` says that matters here, checked.
public struct OpenAlgoInstallation: Sendable, Hashable {
    /// OpenAlgo itself refuses shorter ones.
    static let shortestPepper = 32

    /// Absolute path of its SQLite database.
    public let database: String
    /// `API_KEY_PEPPER`: part of every hash and of the tokens' key.
    let pepper: Secret
    /// `FERNET_SALT`; without a usable one OpenAlgo has used a fixed salt.
    let salt: Secret?
    /// The broker that logins go to, by `REDIRECT_URL`; nil when that names none.
    public let loginBroker: String?

    /// - Parameters:
    ///   - databaseURL: `DATABASE_URL`, e.g. `sqlite:///db/openalgo.db`: three slashes are relative to `root`, four absolute.
    ///   - pepper: `API_KEY_PEPPER`.
    ///   - salt: `FERNET_SALT`.
    ///   - redirectURL: `REDIRECT_URL`, e.g. `http://127.0.0.1:5000/zerodha/callback`.
    ///   - root: OpenAlgo's folder, where its `.env` is.
    /// - Throws: ``OpenAlgoError`` with `configuration` or `unsupported`.
    public init(databaseURL: Secret?, pepper: Secret?, salt: Secret?, redirectURL: String? = nil, root: String) throws {
        guard let databaseURL, !databaseURL.isEmpty else {
            throw OpenAlgoError(
                .configuration,
                "DATABASE_URL is not set. Start in OpenAlgo's folder, or name its .env with --env-file.")
        }
        guard let pepper, pepper.revealed.count >= Self.shortestPepper else {
            throw OpenAlgoError(
                .configuration,
                "API_KEY_PEPPER is not set or shorter than \(Self.shortestPepper) characters. "
                    + "Without OpenAlgo's own one no key and no token can be read: take over the line of its .env.")
        }
        database = try Self.path(of: databaseURL.revealed, root: root)
        self.pepper = pepper
        self.salt = salt
        loginBroker = redirectURL.flatMap(Self.broker)
    }

    /// The URL may hold a password: no error shows more of it than its scheme.
    private static func path(of url: String, root: String) throws -> String {
        let parts = url.split(separator: ":", maxSplits: 1)
        let scheme = parts.first.map { $0.split(separator: "+").first.map(String.init) ?? "" } ?? ""
        guard scheme.lowercased() == "sqlite" else {
            throw OpenAlgoError(
                .unsupported,
                "DATABASE_URL is of the kind \(AccountNames.shown(scheme)), and only SQLite can be read. "
                    + "Set accounts.provider to sqlite and keep users, keys and credentials in Feedhost's own store.")
        }
        let rest = parts.dropFirst().first ?? ""
        let path = rest.dropFirst(3).prefix { $0 != "?" }
        guard rest.hasPrefix("///"), !path.isEmpty, path != ":memory:" else {
            throw OpenAlgoError(
                .configuration,
                "DATABASE_URL names no file. OpenAlgo writes sqlite:///db/openalgo.db, or four slashes before an absolute path."
            )
        }
        let base = URL(fileURLWithPath: root, isDirectory: true)
        return URL(fileURLWithPath: String(path), relativeTo: base).standardizedFileURL.path
    }

    /// `…/BROKER/callback`.
    private static func broker(redirect url: String) -> String? {
        let parts = url.prefix { $0 != "?" && $0 != "#" }.split(separator: "/")
        guard parts.count >= 4, parts.last == "callback" else { return nil }
        let broker = String(parts[parts.count - 2])
        return (try? AccountNames.check(broker: broker)) == nil ? nil : broker
    }
}
