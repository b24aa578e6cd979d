import CFeedhostABI
import NIOSSL

extension WebSocketConnection.Options {
    /// Trusts the authorities in a file, and nobody else.
    /// - Parameter path: PEM, with one certificate or several.
    /// - Throws: `FH_E_INVALID` for a file that holds none.
    public mutating func trust(onlyFile path: String) throws(TransportFailure) {
        do {
            let authorities = try NIOSSLCertificate.fromPEMFile(path)
            guard !authorities.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(authorities)
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TransportFailure(FH_E_INVALID, "\(path) holds no certificate in PEM form (BEGIN CERTIFICATE)")
        }
    }
}
