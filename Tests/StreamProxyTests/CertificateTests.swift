import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import StreamProxy

@Suite(.enabled(if: Pair.isPossible, "needs the openssl command"), .timeLimit(.minutes(1)))
struct CertificateTests {
    @Test func aNewPairIsTakenOverAndABrokenOneIsNot() throws {
        let folder = try Folder()
        let (first, second) = (try folder.pair("first"), try folder.pair("second"))
        let files = TLSFiles(certificate: folder.path + "/live.pem", key: folder.path + "/live.key")
        try first.install(files)
        let (counters, log) = (ProxyCounters(), LogLines())
        let watch = try CertificateWatch(files, counters, log.logger)
        let before = watch.context
        watch.look()
        #expect(watch.context === before && log.lines.isEmpty)

        // In the middle of a swap: the certificate is new, its key is not yet.
        try Data(contentsOf: URL(fileURLWithPath: second.certificate)).write(
            to: URL(fileURLWithPath: files.certificate))
        watch.look()
        #expect(watch.context === before && log.lines.isEmpty, "nobody needs to know")
        try second.install(files)
        watch.look()
        #expect(watch.context !== before && counters.snapshot().certificateLoads == 2)
        #expect(log.lines.count == 1 && log.lines[0].contains("new connections get the new TLS certificate"))

        // One that stays broken: said once.
        let good = watch.context
        try Data("-----BEGIN CERTIFICATE-----\nMIIB".utf8).write(to: URL(fileURLWithPath: files.certificate))
        for _ in 0..<5 { watch.look() }
        #expect(watch.context === good && log.lines.count == 2)
        #expect(log.lines[1].contains("live.pem does not hold a certificate in PEM"))
        // Files that are gone, too.
        try FileManager.default.removeItem(atPath: files.key)
        try FileManager.default.removeItem(atPath: files.certificate)
        for _ in 0..<5 { watch.look() }
        #expect(watch.context === good && log.lines.count == 3 && log.lines[2].contains("cannot be read: No such file"))
        try first.install(files)
        watch.look()
        #expect(watch.context !== good && counters.snapshot().certificateLoads == 3)
    }

    @Test func whatIsWrongIsSaidWithoutWhatIsInTheFiles() throws {
        let folder = try Folder()
        let (first, second) = (try folder.pair("first"), try folder.pair("second"))
        let secret = "MHcCAQEEICanarySecretOfTheKey"
        let broken = folder.path + "/broken.key"
        try Data("-----BEGIN EC PRIVATE KEY-----\n\(secret)\n-----END EC PRIVATE KEY-----\n".utf8)
            .write(to: URL(fileURLWithPath: broken))
        for (files, words) in [
            (TLSFiles(certificate: first.certificate, key: second.key), "do not belong together"),
            (TLSFiles(certificate: first.certificate, key: broken), "does not hold a private key"),
            (TLSFiles(certificate: first.key, key: first.key), "does not hold a certificate"),
            (TLSFiles(certificate: first.certificate, key: folder.path), "does not hold a private key"),
        ] {
            do {
                _ = try files.load()
                Issue.record("\(files) can be used")
            } catch {
                #expect(error.description.contains(words), "\(error)")
                #expect(!error.description.contains("Canary"))
            }
        }
    }
}

/// A folder that is gone after the test.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.path + "/feedhost-tls-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func pair(_ name: String) throws -> Pair { try Pair(path + "/" + name) }
}

/// A certificate that signs itself, and its key, made for this run.
private struct Pair {
    let certificate: String
    let key: String

    static let isPossible = run(["version"])

    init(_ base: String) throws {
        certificate = base + ".pem"
        key = base + ".key"
        let made = Self.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=localhost", "-keyout", key, "-out", certificate,
        ])
        try #require(made, "openssl makes a certificate")
    }

    /// Puts the pair where the host looks.
    func install(_ files: TLSFiles) throws {
        for (from, to) in [(certificate, files.certificate), (key, files.key)] {
            try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to), options: .atomic)
        }
    }

    private static func run(_ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

/// What is logged, as text.
private final class LogLines: Sendable {
    private let store = Mutex<[String]>([])
    var lines: [String] { store.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in EventLog { event in self.store.withLock { $0.append("\(event.message)") } } }
    }
}
