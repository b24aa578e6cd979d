import Instruments
import Logging
import MarketData
import Secrets
import Synchronization
import TestSupport
import Testing

/// A broker with a master of one file, whose server takes one token; everything in memory but the store.
private struct Offers: InstrumentMasters, InstrumentMaster, MasterDownload {
    let good: String
    let brokers = ["lines"]
    let broker = "lines"
    let files = ["all.csv"]

    func master(_ broker: String) throws -> any InstrumentMaster { self }
    func settings(_ broker: String) -> [String: Secret] { [:] }
    func download(_ broker: String) -> any MasterDownload { self }

    func locate(_ file: Int, settings: [String: Secret], credentials: [String: Secret]) throws -> MasterLocation {
        MasterLocation(url: Secret("https://masters.example/\(credentials["token"]?.revealed ?? "none")"))
    }

    func bytes(
        at location: MasterLocation, progress: @escaping @Sendable (_ received: Int, _ expected: Int?) -> Void
    ) async throws -> [UInt8] {
        guard location.url.revealed.hasSuffix("/\(good)") else { throw FeedError(.authentication, "refused") }
        return Array("INFY,1".utf8)
    }

    func parse(_ file: Int, _ bytes: UnsafeRawBufferPointer, rows: (Listing) throws -> Void) throws -> MasterReport {
        try rows(Rows.listing("NSE", "INFY", token: "1"))
        return MasterReport()
    }
}

private struct Owners: CredentialOwners {
    let tokens: KeyValuePairs<String, String>

    func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] { tokens.map { ($0.key, 1) } }
    func used() async throws -> Set<String> { ["lines"] }
    func credentials(user: String, broker: String) async throws -> [String: Secret] {
        tokens.first { $0.key == user }.map { ["token": Secret($0.value)] } ?? [:]
    }
    func advice(user: String, broker: String) -> String { "Log in." }
}

@Suite struct BrokerMastersTests {
    let folder: TemporaryFolder
    let store: MasterStore
    init() throws {
        folder = try TemporaryFolder()
        store = try MasterStore(path: folder.file("instruments.db"))
    }

    private func masters(_ owners: Owners?, defaults: [String: Secret] = [:], good: String = "fresh") -> BrokerMasters {
        BrokerMasters(Offers(good: good), accounts: owners, credentialDefaults: defaults)
    }

    @Test func theNextUsersTokenMayBeFresher() async throws {
        let masters = masters(Owners(tokens: ["anna": "stale", "ben": "fresh"]))
        #expect(try await masters.sync("lines", into: store).rows == 1)
        await #expect(throws: FeedError.self) { try await masters.sync("lines", user: "anna", into: store) }
    }

    @Test func whoHasNoCredentialsIsTold() async throws {
        let owned = await #expect(throws: MasterError.self) {
            try await masters(Owners(tokens: [:])).sync("lines", user: "carla", into: store)
        }
        #expect(owned?.description == "User carla has no credentials at lines. Log in.")
        let storeless = await #expect(throws: MasterError.self) {
            try await masters(nil).sync("lines", user: "carla", into: store)
        }
        #expect(
            storeless?.description
                == "User carla has no credentials at lines. There is no account store; `feedhost users add carla --broker lines` makes one."
        )
    }

    @Test func withoutUsersTheDefaultsServe() async throws {
        let masters = masters(nil, defaults: ["token": Secret("fresh")])
        #expect(try await masters.sync("lines", into: store).source == "https://masters.example")
        #expect(try await masters.used().isEmpty)
        #expect(try await masters.owners("lines").isEmpty)
    }
}

/// Another program's instruments, in memory.
private final class Copied: MirroredInstruments {
    let master = Mutex<MirroredMaster?>(nil)
    let forgotten = Mutex(0)
    let fails = Mutex(false)

    func look() async throws -> MirroredMaster? {
        master.withLock { master in
            defer { master = nil }
            return master
        }
    }
    var obstacle: String? { nil }
    func forget() async { forgotten.withLock { $0 += 1 } }
    func listings() async throws -> (rows: [Listing], leftOut: Int) {
        if fails.withLock({ $0 }) { throw FeedError(.server, "gone") }
        return ([Rows.listing("NSE", "INFY", token: "1"), Rows.listing("NSE", "SBIN", token: "2")], 3)
    }
    func close() async {}
}

@Suite struct InstrumentMirrorTests {
    @Test func whatIsNewIsTakenOver() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("instruments.db")
        let source = Copied()
        let mirror = InstrumentMirror(source, database: "openalgo.db", path: path, logger: Logger(label: "test"))
        source.master.withLock { $0 = MirroredMaster(broker: "zerodha", fingerprint: "f1", rows: 2) }
        await mirror.start()
        let store = try MasterStore(path: path)
        defer { store.close() }
        let record = try #require(try await store.records().first)
        #expect(record.broker == "zerodha" && record.rows == 2 && record.leftOut == 3)
        #expect(record.source == "openalgo.db, symtoken f1")
        // One that could not be read is found again, and the old rows stay.
        source.fails.withLock { $0 = true }
        source.master.withLock { $0 = MirroredMaster(broker: "zerodha", fingerprint: "f2", rows: 2) }
        await mirror.start()
        #expect(source.forgotten.withLock { $0 } == 1)
        #expect(try await store.records().first?.source == "openalgo.db, symtoken f1")
    }
}
