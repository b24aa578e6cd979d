import CZeroMQ
import MarketData
import Secrets

/// A key pair of the bus, or the public half of one, in the file format of CZMQ and pyzmq (`zmq.auth`).
public struct CurveCertificate: Sendable {
    /// What its holder may do.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// Send ticks and order updates.
        case publish
        /// Read the public socket.
        case subscribe
    }

    /// 32 bytes in Z85: 40 characters.
    public let publicKey: String
    /// In Z85; nil in the half that is given away.
    public let secretKey: Secret?
    /// Nil: both.
    public let role: Role?

    /// - Throws: ``BusCurveError`` when this libzmq has no CURVE.
    public static func generate(role: Role? = nil) throws -> CurveCertificate {
        try BusCurve.checkSupport()
        return try withUnsafeTemporaryAllocation(byteCount: 82, alignment: 1) { bytes in
            defer { bytes.wipe() }
            let keys = bytes.bindMemory(to: CChar.self)
            guard let both = keys.baseAddress, zmq_curve_keypair(both, both + 41) == 0 else {
                throw ZMQError("make a key pair")
            }
            return CurveCertificate(
                publicKey: String(cString: both),
                secretKey: Secret(bytes: UnsafeRawBufferPointer(rebasing: bytes[41..<81])),
                role: role)
        }
    }

    private init(publicKey: String, secretKey: Secret?, role: Role?) {
        self.publicKey = publicKey
        self.secretKey = secretKey
        self.role = role
    }

    /// Reads a file's text.
    /// - Throws: ``BusCurveError`` with what is wrong; it repeats no key.
    public init(text: String) throws {
        var values: [Substring: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "="), line.first(where: { !$0.isWhitespace }) != "#" else {
                continue
            }
            let value = line[line.index(after: equals)...].trimmed
            guard value.count >= 2, value.first == "\"", value.last == "\"" else {
                throw BusCurveError("the value of \(line[..<equals].trimmed) is not in quotation marks")
            }
            values[line[..<equals].trimmed] = String(value.dropFirst().dropLast())
        }
        guard let publicKey = values["public-key"], Z85.decode(publicKey) != nil else {
            throw BusCurveError("it has no public-key of 40 characters")
        }
        self.publicKey = publicKey
        secretKey = values["secret-key"].map { Secret($0) }
        guard let secretKey else {
            role = try values["role"].map(Self.role)
            return
        }
        role = try values["role"].map(Self.role)
        guard secretKey.withBytes({ Self.publicKey(of: $0) }) == publicKey else {
            throw BusCurveError("its secret-key does not belong to its public-key")
        }
    }

    private static func role(_ text: String) throws -> Role {
        guard let role = Role(rawValue: text) else {
            throw BusCurveError("its role is \(text.debugDescription); it can be publish or subscribe")
        }
        return role
    }

    private static func publicKey(of secret: UnsafeRawBufferPointer) -> String? {
        guard secret.count == 40 else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 82, alignment: 1) { bytes in
            defer { bytes.wipe() }
            bytes.copyMemory(from: secret)
            bytes[40] = 0
            let keys = bytes.bindMemory(to: CChar.self)
            guard let both = keys.baseAddress, zmq_curve_public(both + 41, both) == 0 else { return nil }
            return String(cString: both + 41)
        }
    }

    /// The file that is given away.
    public var publicText: String { text(secret: nil) }

    /// The file that is kept. It holds the secret key: write it for its owner alone.
    public var secretText: String { text(secret: secretKey) }

    private func text(secret: Secret?) -> String {
        let head =
            secret == nil ? "#   Public key for the bus of Feedhost." : "#   Secret key for a bus of Feedhost. Keep it."
        return head + "\nmetadata\n" + (role.map { "    role = \"\($0.rawValue)\"\n" } ?? "")
            + "curve\n    public-key = \"\(publicKey)\"\n"
            + (secret.map { "    secret-key = \"\($0.revealed)\"\n" } ?? "")
    }
}

/// ZeroMQ's way of writing 32 bytes in 40 characters (ZeroMQ RFC 32).
enum Z85 {
    static func decode(_ text: String) -> [UInt8]? {
        guard text.utf8.count == 40 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        return zmq_z85_decode(&bytes, text) == nil ? nil : bytes
    }

    static func encode(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count == 32 else { return nil }
        var text = [CChar](repeating: 0, count: 41)
        guard zmq_z85_encode(&text, bytes.baseAddress, bytes.count) != nil else { return nil }
        return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let front = drop(while: \.isWhitespace)
        let end = front.lastIndex { !$0.isWhitespace }
        return end.map { front[...$0] } ?? ""
    }
}
