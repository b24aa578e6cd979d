import Crypto

/// What of a credential may be shown: enough to tell two apart, too little to use one.
enum CredentialHash {
    /// The first 12 hex digits of the SHA-256; empty for nothing.
    static func of(_ text: String) -> String { text.isEmpty ? "" : String(SHA256Text.of(text).prefix(12)) }
}

/// SHA-256 as brokers' checksums use it.
enum SHA256Text {
    /// 64 hex digits, small letters.
    static func of(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0\(text)" : text
        }.joined()
    }
}
