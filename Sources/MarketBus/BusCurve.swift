import CZeroMQ
import MarketData
import Secrets

/// Keys for the bus (CURVE, ZeroMQ RFC 26): who has none is refused, and what is sent is encrypted.
public struct BusCurve: Sendable {
    /// The host's own pair, with its secret half.
    public var certificate: CurveCertificate
    /// Folder with the certificates (`*.key`) of those who may come in. It is looked at every second.
    public var clients: String

    public init(certificate: CurveCertificate, clients: String) {
        self.certificate = certificate
        self.clients = clients
    }

    /// Milliseconds; who was refused hears nothing, and tries again after them.
    private static let handshakeTime: Int32 = 3000

    /// - Throws: ``BusCurveError`` when this libzmq was built without it.
    static func checkSupport() throws {
        guard zmq_has("curve") == 1 else {
            throw BusCurveError(
                "this machine's libzmq was built without CURVE; install one that has libsodium, such as Debian's libzmq5"
            )
        }
    }

    /// Makes a socket ask for a key. To be called before it is bound.
    /// - Parameter domain: What the guard is asked for: a role.
    func apply(to socket: ZMQSocket, role: CurveCertificate.Role) throws {
        try socket.set(ZMQ_CURVE_SERVER, 1)
        try socket.set(ZMQ_HANDSHAKE_IVL, BusCurve.handshakeTime)
        try certificate.secretKey?.withBytes { secret in
            try withUnsafeTemporaryAllocation(byteCount: secret.count + 1, alignment: 1) { text in
                defer { text.wipe() }
                text.copyMemory(from: secret)
                text[secret.count] = 0
                // Z85 with its end, as zmq_setsockopt(3) wants it.
                guard zmq_setsockopt(socket.pointer, ZMQ_CURVE_SECRETKEY, text.baseAddress, text.count) == 0 else {
                    throw ZMQError("set the secret key")
                }
            }
        }
        var domain = Array(role.rawValue.utf8)
        guard zmq_setsockopt(socket.pointer, ZMQ_ZAP_DOMAIN, &domain, domain.count) == 0 else {
            throw ZMQError("set the domain of keys")
        }
    }
}

/// What is wrong with the keys of the bus.
public struct BusCurveError: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
