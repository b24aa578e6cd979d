import CZeroMQ
import Foundation
import MarketData
import TestSupport
import Testing

@testable import MarketBus
@testable import Secrets

/// Rubbish where keys are expected. `FEEDHOST_FUZZ` is how many connections and files the tests make; `FEEDHOST_FUZZ_SEED`
/// repeats a run.
@Suite(.serialized) struct CurveFuzzTests {
    /// Whatever connects and however it ends, the host lives, nothing of it gets in, and who has a key comes in after it.
    @Test func handshakesOfStrangers() throws {
        var random = SeededNumbers.announced("handshakes on the bus")
        let (host, known) = (try CurveCertificate.generate(), try CurveCertificate.generate())
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("curve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try known.publicText.write(
            to: folder.appendingPathComponent("known.key"), atomically: true, encoding: .utf8)
        let curve = BusCurve(certificate: host, clients: folder.path)
        let under = try BusUnderTest { $0.curve = curve }
        defer { under.stop() }
        let port = try #require(under.bus.endpoint.split(separator: ":").last.flatMap { UInt16($0) })
        for _ in 0..<SeededNumbers.rounds(300) {
            let stranger = try RawPeer(port: port)
            stranger.send(random.spoiled(Self.greeting(random.pick(["CURVE", "NULL", "PLAIN"]))))
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                stranger.send(random.spoiled(random.pick([Self.hello, Self.ready, Self.tick])))
            }
            // Some wait for what the host says to their greeting, some are gone before.
            if Bool.random(using: &random) { stranger.readSome() }
        }
        let handle = try under.handle("NSE", "SBIN")
        let session = under.bus.openSession(user: "", broker: "external", isExternal: true)
        under.port.subscribe(RouteKey(session: session, instrument: handle, mode: .ltp))
        let friend = try Outsider(ZMQ_XPUB, connect: under.bus.endpoint, keys: known, server: host.publicKey)
        #expect(friend.awaitSubscriber(milliseconds: 20_000))
        friend.send("NSE_SBIN_LTP", "{\"ltp\": 3}")
        #expect(try #require(under.next()).json == "{\"ltp\": 3}")
        let counters = under.bus.counters.snapshot
        #expect(counters.first { $0.name == "bus_external_messages" }?.value == 1)
        #expect(counters.contains { $0.name == "bus_refused_handshakes" && $0.value > 0 })
    }

    /// A certificate that was spoilt is read as it is or refused; no error repeats its secret.
    @Test func spoiltCertificates() throws {
        var random = SeededNumbers.announced("certificates")
        let whole = try CurveCertificate.generate(role: .publish)
        let secret = try #require(whole.secretKey).revealed
        for _ in 0..<SeededNumbers.rounds(5_000) {
            let bytes = random.spoiled(Array(random.pick([whole.publicText, whole.secretText]).utf8))
            do {
                let read = try CurveCertificate(text: String(decoding: bytes, as: UTF8.self))
                #expect(read.publicKey.utf8.count == 40)
                #expect(read.secretKey == nil || read.publicKey == whole.publicKey)
            } catch let error as BusCurveError {
                #expect(!error.description.contains(secret))
            }
        }
    }

    // MARK: What a peer sends (ZMTP 3.1, ZeroMQ RFC 37; CurveZMQ, RFC 26)

    private static func greeting(_ mechanism: String) -> [UInt8] {
        [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1] + Array(mechanism.utf8)
            + [UInt8](repeating: 0, count: 20 - mechanism.utf8.count) + [UInt8](repeating: 0, count: 32)
    }

    /// The first command of a client: a key of one day, a number and a box that nobody can open.
    private static let hello: [UInt8] =
        [4, 200, 5] + Array("HELLO".utf8) + [1, 0] + [UInt8](repeating: 0, count: 72)
        + (0..<120).map { UInt8($0) }

    private static let ready: [UInt8] =
        [4, 26, 5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8)
        + [0, 0, 0, 4] + Array("XPUB".utf8)

    private static let tick: [UInt8] = [1, 12] + Array("NSE_SBIN_LTP".utf8) + [0, 10] + Array("{\"ltp\": 1}".utf8)
}

/// A TCP connection that speaks no protocol.
private final class RawPeer {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
    }

    deinit { close(descriptor) }

    /// Fails when the host has closed before: no matter.
    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// The first bytes from the host, or the end.
    func readSome() {
        var bytes = [UInt8](repeating: 0, count: 512)
        _ = recv(descriptor, &bytes, bytes.count, 0)
    }
}
