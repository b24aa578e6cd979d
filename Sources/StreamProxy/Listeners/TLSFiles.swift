import Glibc
import NIOSSL

/// The certificate of the listeners with TLS.
public struct TLSFiles: Sendable, Hashable {
    /// PEM: the server's own certificate first, then those between it and the authority.
    public let certificate: String
    /// PEM, without a passphrase.
    public let key: String

    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    /// Why a pair cannot be used, as a sentence; never with what is in the files.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads the pair and checks that both belong together. Blocks for as long as the disk does.
    /// - Throws: ``Unusable``.
    func load() throws(Unusable) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate)
        } catch {
            throw Unusable(description: "\(certificate) \(Self.reason(certificate, "a certificate"))")
        }
        guard let first = chain.first else {
            throw Unusable(description: "\(certificate) \(Self.reason(certificate, "a certificate"))")
        }
        let privateKey: NIOSSLPrivateKey
        do {
            // The callback keeps BoringSSL from asking at the terminal.
            privateKey = try NIOSSLPrivateKey(file: key, format: .pem) { $0([UInt8]()) }
        } catch {
            throw Unusable(description: "\(key) \(Self.reason(key, "a private key (one without a passphrase)"))")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.maximumTLSVersion = .tlsv13
        // For 1.2; those of 1.3 are all good. Forward secrecy and authenticated encryption only.
        configuration.cipherSuiteValues = [
            .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ]
        configuration.applicationProtocols = ["http/1.1"]
        do {
            let context = try NIOSSLContext(configuration: configuration)
            guard time(nil) < first.notValidAfter else {
                throw Unusable(description: "\(certificate) has expired")
            }
            return context
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(description: "\(certificate) and \(key) do not belong together")
        }
    }

    private static func reason(_ path: String, _ what: String) -> String {
        access(path, R_OK) == 0
            ? "does not hold \(what) in PEM" : "cannot be read: \(String(cString: strerror(errno)))"
    }

    /// What changes when somebody writes or replaces one of the files.
    struct Version: Equatable, Sendable {
        private var numbers: [Int64] = []

        init(_ files: TLSFiles) {
            for path in [files.certificate, files.key] {
                var status = stat()
                guard stat(path, &status) == 0 else {
                    numbers.append(-1)
                    continue
                }
                let time = status.st_mtim
                numbers += [
                    Int64(bitPattern: UInt64(status.st_ino)), Int64(time.tv_sec), Int64(time.tv_nsec),
                    Int64(status.st_size),
                ]
            }
        }
    }
}
