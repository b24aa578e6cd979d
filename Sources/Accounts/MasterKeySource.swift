import Foundation
import MarketData
import Secrets

/// Where the key comes from that credentials are encrypted with. It is read when it is needed and not kept: a new key counts at
/// once, and memory does not hold it between two logins at a broker.
public struct MasterKeySource: Sendable {
    enum Kind: Sendable {
        case file(MasterKeyFile)
        /// With where it was found, for messages.
        case text(Secret, origin: String)
    }
    let kind: Kind

    /// A file with 64 hexadecimal digits, or Base64 of 32 bytes. A store that holds nothing encrypted yet makes it.
    public static func file(_ path: String) -> MasterKeySource {
        MasterKeySource(kind: .file(MasterKeyFile(path: URL(fileURLWithPath: path).standardizedFileURL.path)))
    }

    /// The key itself, as an environment variable holds it.
    /// - Parameter origin: Names the place in messages, as in "FEEDHOST_MASTER_KEY".
    public static func text(_ key: Secret, origin: String) -> MasterKeySource {
        MasterKeySource(kind: .text(key, origin: origin))
    }

    /// What counts when nothing is set: the store's path with `.key` behind it. It protects a copy of the database, not a copy
    /// of the folder.
    public static func beside(store path: String) -> MasterKeySource { file(path + ".key") }

    /// For messages: the variable or the file, never the key.
    public var name: String {
        switch kind {
        case .file(let file): file.path
        case .text(_, let origin): origin
        }
    }

    /// The key with this number.
    /// - Throws: ``AccountStoreError`` with `wrongKey`, or `unreadableKey` when there is none or it is no key.
    func key(id: String, store: String) throws -> MasterKey {
        switch kind {
        case .file(let file):
            if let key = try file.key(id: id) { return key }
        case .text:
            let key = try currentKey()
            if key.id == id { return key }
        }
        throw AccountStoreError(
            .wrongKey,
            "The credentials in \(store) were encrypted with another key than that of \(name). "
                + "Put the right key back; if it is lost, remove the credentials (`feedhost credentials remove`) and set them anew."
        )
    }

    /// The key to begin with, in a store that holds nothing encrypted; a missing file is made.
    func firstKey() throws -> MasterKey {
        switch kind {
        case .file(let file): try file.keyOrNew()
        case .text: try currentKey()
        }
    }

    private func currentKey() throws -> MasterKey {
        switch kind {
        case .file(let file): return try file.current()
        case .text(let text, _):
            var bytes = text.withBytes { Array($0) }
            defer { Wipe.zero(&bytes) }
            guard let key = MasterKey(text: bytes) else { throw MasterKeyFile.noKey(name) }
            return key
        }
    }

    /// Changes when the file is replaced or written; nil while there is none, and for a key that cannot change.
    var stamp: MasterKeyFile.Stamp? {
        if case .file(let file) = kind { file.stamp } else { nil }
    }
}
