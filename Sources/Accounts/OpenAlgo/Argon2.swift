import CArgon2
import MarketData

/// Argon2id hashes in PHC form, `$argon2id$v=19$m=65536,t=3,p=4$…`, as argon2-cffi writes them.
enum Argon2 {
    /// Whether `text` is what was hashed. Takes 150 ms and 64 MiB with OpenAlgo's figures: never on an event loop, one at a
    /// time. A hash that cannot be read fits nothing.
    static func verify(_ text: Secret, hash: String) -> Bool {
        guard hash.hasPrefix("$argon2id$"), isBearable(hash) else { return false }
        var text = text.revealed
        return text.withUTF8 { argon2id_verify(hash, $0.baseAddress, $0.count) } == ARGON2_OK.rawValue
    }

    /// A damaged row must not cost gigabytes or minutes.
    private static func isBearable(_ hash: String) -> Bool {
        let parts = hash.split(separator: "$")
        guard parts.count == 5 else { return false }
        for figure in parts[2].split(separator: ",") {
            let pair = figure.split(separator: "=")
            guard pair.count == 2, let number = Int(pair[1]), let most = limits[String(pair[0])], number <= most else {
                return false
            }
        }
        return true
    }

    /// Kibibytes, passes and lanes.
    private static let limits = ["m": 1 << 20, "t": 64, "p": 64]
}
