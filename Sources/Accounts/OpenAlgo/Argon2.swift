import CArgon2
import Foundation
import MarketData
import Secrets

/// Argon2id hashes in PHC form, `$argon2id$v=19$m=65536,t=3,p=4$SALT$HASH`, as argon2-cffi writes them.
struct Argon2 {
    private let memory: UInt32
    private let passes: UInt32
    private let lanes: UInt32
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// Kibibytes, passes and lanes: a damaged row must not cost gigabytes or minutes.
    private static let limits: [String: UInt32] = ["m": 1 << 20, "t": 64, "p": 64]
    /// Bytes of salt and of hash.
    private static let longest = 1024

    /// Whether `text` is what was hashed. Takes 150 ms and 64 MiB with OpenAlgo's figures: never on an event loop, one at a
    /// time. A hash that cannot be read fits nothing.
    static func verify(_ text: Secret, hash: String) -> Bool { Argon2(hash)?.fits(text) ?? false }

    private init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19",
            let figures = Self.figures(parts[3]), let memory = figures["m"], let passes = figures["t"],
            let lanes = figures["p"], let salt = Self.bytes(parts[4]), let hash = Self.bytes(parts[5])
        else { return nil }
        (self.memory, self.passes, self.lanes, self.salt, self.hash) = (memory, passes, lanes, salt, hash)
    }

    /// The lanes are computed one after another: the library would start a thread for each, and four of them take four times
    /// as much from those that serve clients.
    private func fits(_ text: Secret) -> Bool {
        var (found, salt) = ([UInt8](repeating: 0, count: hash.count), salt)
        var password = text.withBytes { Array($0) }
        defer { Wipe.zero(&password) }
        var context = argon2_context()
        (context.t_cost, context.m_cost, context.lanes, context.threads) = (passes, memory, lanes, 1)
        context.version = ARGON2_VERSION_13.rawValue
        return found.withUnsafeMutableBufferPointer { out in
            salt.withUnsafeMutableBufferPointer { salt in
                password.withUnsafeMutableBufferPointer { password in
                    (context.out, context.outlen) = (out.baseAddress, UInt32(out.count))
                    (context.salt, context.saltlen) = (salt.baseAddress, UInt32(salt.count))
                    (context.pwd, context.pwdlen) = (password.baseAddress, UInt32(password.count))
                    return hash.withUnsafeBytes { hash in
                        // Compares in constant time.
                        argon2id_verify_ctx(&context, hash.bindMemory(to: CChar.self).baseAddress) == ARGON2_OK.rawValue
                    }
                }
            }
        }
    }

    private static func figures(_ text: Substring) -> [String: UInt32]? {
        var figures: [String: UInt32] = [:]
        for figure in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = figure.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, let number = UInt32(pair[1]), let most = limits[String(pair[0])], number <= most,
                figures.updateValue(number, forKey: String(pair[0])) == nil
            else { return nil }
        }
        return figures
    }

    /// Base64 without padding. Never empty: a text without a hash would fit every key.
    private static func bytes(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard text.utf8.count <= longest, !text.isEmpty, let data = Data(base64Encoded: text + padding) else {
            return nil
        }
        return data.isEmpty ? nil : Array(data)
    }
}
