import Crypto
import Foundation
import Secrets

/// API keys: how they are made and what is kept of them.
///
/// A key is 32 random bytes, so a plain SHA-256 is the right thing to keep. Slow, salted hashes (Argon2, bcrypt) exist to
/// make *guessing* dear, because people choose passwords from a small set; nobody can search 2^256 keys at any speed, and a
/// salt only matters where two owners may hold the same secret. What a slow hash would bring is 150 ms and 64 MiB for
/// every client that connects, wrong keys included.
enum KeyDigest {
    /// Shorter texts are not random enough for a fast hash.
    static let shortestKey = 32

    /// 64 lowercase hexadecimal digits from the system's random source.
    static func makeKey() -> Secret {
        var source = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef")
        var key = ""
        for _ in 0..<4 {
            let word = source.next() as UInt64
            for shift in stride(from: 60, through: 0, by: -4) { key.append(digits[Int(word >> UInt64(shift) & 15)]) }
        }
        return Secret(key)
    }

    static func of(_ key: Secret) -> Data {
        key.withBytes { Data(SHA256.hash(data: $0)) }
    }
}
