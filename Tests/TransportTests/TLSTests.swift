import CFeedhostABI
import Foundation
import NIOSSL
import Testing

@testable import Transport

@Suite(.enabled(if: Certificate.shared != nil, "needs the openssl command"), .timeLimit(.minutes(1)))
struct TLSTests {
    @Test func aTrustedServerIsReached() async throws {
        let certificate = try #require(Certificate.shared)
        let server = try await TestServer(.webSocket({ $0.close(1_000) }, { _, _ in }), tls: certificate.server())
        var options = WebSocketConnection.Options()
        options.tls = try certificate.client()
        let client = try await TestClient.connect("wss://localhost:\(server.port)/", options: options)
        let close = try #require(await client.finish().close)
        #expect(close.code == 1_000)
        #expect(close.failure == nil)
        try await server.stop()
    }

    @Test func strangersAndWrongNamesAreRefused() async throws {
        let certificate = try #require(Certificate.shared)
        let server = try await TestServer(.webSocket({ $0.close(1_000) }, { _, _ in }), tls: certificate.server())
        var trusting = WebSocketConnection.Options()
        trusting.tls = try certificate.client()
        // Not signed by anybody whom the system trusts; then trusted, but made out to another name.
        for (url, options) in [
            ("wss://localhost:\(server.port)/?SECRET", WebSocketConnection.Options()),
            ("wss://127.0.0.1:\(server.port)/?SECRET", trusting),
        ] {
            let client = try await TestClient.connect(url, options: options)
            let failure = try #require(await client.finish().close?.failure)
            #expect(failure.status == fh_status(FH_E_NETWORK))
            #expect(failure.message.contains("TLS failed"), "\(failure.message)")
            #expect(!failure.message.contains("SECRET"))
        }
        try await server.stop()
    }
}

/// A certificate for `localhost`, made for this run.
struct Certificate: Sendable {
    let certificate: String
    let key: String

    static let shared: Certificate? = {
        let base = FileManager.default.temporaryDirectory.path + "/feedhost-tls-\(UUID().uuidString)"
        defer {
            for part in ["key", "pem"] { try? FileManager.default.removeItem(atPath: "\(base).\(part)") }
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "\(base).key", "-out",
            "\(base).pem",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let certificate = try? String(contentsOfFile: "\(base).pem", encoding: .utf8),
            let key = try? String(contentsOfFile: "\(base).key", encoding: .utf8)
        else {
            print("SKIPPED: TLS tests: openssl made no certificate")
            return nil
        }
        return Certificate(certificate: certificate, key: key)
    }()

    func server() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let secret = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(secret)))
    }

    func client() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)))
        return try NIOSSLContext(configuration: configuration)
    }
}
