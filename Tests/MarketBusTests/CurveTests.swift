import CZeroMQ
import Foundation
import MarketData
import Testing

@testable import MarketBus
@testable import Secrets

/// A bus with keys, and the folder of those who may come in.
private final class GuardedBus {
    let folder: URL
    let host: CurveCertificate
    let under: BusUnderTest

    init(clients: [String: CurveCertificate]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("curve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        host = try CurveCertificate.generate()
        for (name, certificate) in clients {
            try certificate.publicText.write(
                to: folder.appendingPathComponent("\(name).key"), atomically: true, encoding: .utf8)
        }
        let curve = BusCurve(certificate: host, clients: folder.path)
        under = try BusUnderTest { $0.curve = curve }
    }

    func stop() {
        under.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// A publisher with these keys; the socket is XPUB, so that it hears whether the host has let it in.
    func publisher(_ keys: CurveCertificate?, server: String? = nil) throws -> Outsider {
        try Outsider(ZMQ_XPUB, connect: under.bus.endpoint, keys: keys, server: server ?? host.publicKey)
    }

    func counter(_ name: String) -> Int {
        under.bus.counters.snapshot.first { $0.name == name }?.value ?? -1
    }
}

@Suite(.serialized) struct CurveTests {
    @Test func whoHasAKeyComesInAndOthersDoNot() throws {
        let (known, unknown) = (try CurveCertificate.generate(), try CurveCertificate.generate())
        let bus = try GuardedBus(clients: ["known": known])
        defer { bus.stop() }
        let handle = try bus.under.handle("NSE", "SBIN")
        let session = bus.under.bus.openSession(user: "", broker: "external", isExternal: true)
        bus.under.port.subscribe(RouteKey(session: session, instrument: handle, mode: .ltp))

        let stranger = try bus.publisher(unknown)
        #expect(!stranger.awaitSubscriber(milliseconds: 500))
        #expect(bus.counter("bus_refused_keys") > 0)
        let before = bus.counter("bus_refused_handshakes")
        let plain = try bus.publisher(nil)
        #expect(!plain.awaitSubscriber(milliseconds: 500))
        #expect(bus.counter("bus_refused_handshakes") > before)
        stranger.send("NSE_SBIN_LTP", "{\"ltp\": 1}")
        plain.send("NSE_SBIN_LTP", "{\"ltp\": 2}")

        let friend = try bus.publisher(known)
        #expect(friend.awaitSubscriber())
        friend.send("NSE_SBIN_LTP", "{\"ltp\": 3}")
        #expect(try #require(bus.under.next()).json == "{\"ltp\": 3}")
        #expect(bus.counter("bus_external_messages") == 1)
    }

    @Test func aRoleIsKeptTo() throws {
        let (writer, reader) = (
            try CurveCertificate.generate(role: .publish), try CurveCertificate.generate(role: .subscribe)
        )
        let bus = try GuardedBus(clients: ["writer": writer, "reader": reader])
        defer { bus.stop() }
        #expect(try bus.publisher(writer).awaitSubscriber())
        #expect(try !bus.publisher(reader).awaitSubscriber(milliseconds: 500))
        #expect(bus.counter("bus_refused_keys") > 0)
    }

    @Test func aKeyThatIsTakenAwayEndsItsConnection() throws {
        let (one, other) = (try CurveCertificate.generate(), try CurveCertificate.generate())
        let bus = try GuardedBus(clients: ["one": one, "other": other])
        defer { bus.stop() }
        let (first, second) = (try bus.publisher(one), try bus.publisher(other))
        #expect(first.awaitSubscriber() && second.awaitSubscriber())
        try FileManager.default.removeItem(at: bus.folder.appendingPathComponent("one.key"))
        // Both connections end; the host hears of the one that may not come back, and the other one is there again.
        let deadline = ContinuousClock.now + .seconds(10)
        while bus.counter("bus_refused_keys") <= 0, ContinuousClock.now < deadline { usleep(10_000) }
        #expect(bus.counter("bus_refused_keys") > 0)
        let handle = try bus.under.handle("NSE", "SBIN")
        let session = bus.under.bus.openSession(user: "", broker: "external", isExternal: true)
        bus.under.port.subscribe(RouteKey(session: session, instrument: handle, mode: .ltp))
        let again = try bus.publisher(other)
        #expect(again.awaitSubscriber())
        first.send("NSE_SBIN_LTP", "{\"ltp\": 1}")
        again.send("NSE_SBIN_LTP", "{\"ltp\": 2}")
        #expect(try #require(bus.under.next()).json == "{\"ltp\": 2}")
    }

    @Test func aKeyThatIsAddedCountsWithoutARestart() throws {
        let late = try CurveCertificate.generate()
        let bus = try GuardedBus(clients: [:])
        defer { bus.stop() }
        let publisher = try bus.publisher(late)
        #expect(!publisher.awaitSubscriber(milliseconds: 300))
        try late.publicText.write(
            to: bus.folder.appendingPathComponent("late.key"), atomically: true, encoding: .utf8)
        #expect(publisher.awaitSubscriber(milliseconds: 10_000))
    }

    @Test(arguments: ["0.0.0.0", "::"])
    func withKeysOtherMachinesMayConnect(host: String) throws {
        let folder = FileManager.default.temporaryDirectory.path
        let curve = BusCurve(certificate: try CurveCertificate.generate(), clients: folder)
        var configuration = BusConfiguration()
        configuration.host = host
        configuration.port = .init(0, isExplicit: true)
        configuration.curve = curve
        do {
            let bus = try SharedPublisher(configuration, instruments: InstrumentHandles())
            #expect(bus.endpoint.hasPrefix("tcp://"))
            bus.stop()
        } catch let error as BusBindError where host == "::" {
            // A machine without IPv6 has no such address; it must not be refused for any other reason.
            #expect(!error.cause.isAddressInUse)
        }
    }

    @Test func certificatesReadWhatTheyWrite() throws {
        let made = try CurveCertificate.generate(role: .publish)
        let (kept, given) = (
            try CurveCertificate(text: made.secretText), try CurveCertificate(text: made.publicText)
        )
        #expect(kept.publicKey == made.publicKey && given.publicKey == made.publicKey)
        #expect(kept.secretKey == made.secretKey && given.secretKey == nil)
        #expect(kept.role == .publish && given.role == .publish)
        let secret = try #require(made.secretKey).revealed
        #expect(!made.publicText.contains(secret))
        #expect(!"\(made)".contains(secret))
    }

    @Test func wrongCertificatesAreRefusedWithoutTheirKeys() throws {
        let (one, other) = (try CurveCertificate.generate(), try CurveCertificate.generate())
        let secret = try #require(one.secretKey).revealed
        let wrong = [
            "", "curve\n  public-key = \"short\"\n", "curve\n  public-key = \(one.publicKey)\n",
            other.publicText + "    secret-key = \"\(secret)\"\n", other.publicText + "    secret-key = \"short\"\n",
            one.publicText.replacingOccurrences(of: "metadata\n", with: "metadata\n    role = \"king\"\n"),
        ]
        for text in wrong {
            let error = #expect(throws: BusCurveError.self) { try CurveCertificate(text: text) }
            #expect(error.map { "\($0)".contains(secret) } == false, "\(text)")
        }
    }
}
