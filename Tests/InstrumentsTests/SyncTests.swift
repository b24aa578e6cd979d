import Foundation
import MarketData
import Secrets
import Synchronization
import TestSupport
import Testing

@testable import Instruments

/// A broker whose files hold lines `SYMBOL,TOKEN`.
private struct LineMaster: InstrumentMaster {
    let broker = "lines"
    let files: [String]

    func locate(_ file: Int, settings: [String: Secret], credentials: [String: Secret]) throws -> MasterLocation {
        guard let token = credentials["token"] else { throw FeedError(.authentication, "no token is stored") }
        return MasterLocation(
            url: Secret("https://masters.example:8443/\(token.revealed)/\(files[file])?secret=1"),
            fields: [("X-Setting", settings["colour"] ?? Secret(""))])
    }

    func parse(_ file: Int, _ bytes: UnsafeRawBufferPointer, rows: (Listing) throws -> Void) throws -> MasterReport {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.first == "SYMBOL,TOKEN" else { throw FeedError(.broker, "\(files[file]) is none of ours") }
        var report = MasterReport()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ",")
            if parts.count == 2 {
                try rows(Rows.listing("NSE", "\(parts[0])", token: "\(parts[1])"))
            } else {
                report.leftOut.add("no token", .fault)
            }
        }
        return report
    }
}

private struct Downloads: MasterDownload {
    let content: [String: [UInt8]]
    func bytes(
        at location: MasterLocation, progress: @escaping @Sendable (Int, Int?) -> Void
    ) async throws -> [UInt8] {
        let name = location.url.revealed.split(separator: "/").last?.prefix { $0 != "?" } ?? ""
        guard let bytes = content[String(name)] else { throw FeedError(.brokerConnection, "\(name): HTTP 404") }
        progress(bytes.count, bytes.count)
        return bytes
    }
}

struct SyncTests {
    private let folder: TemporaryFolder
    private let store: MasterStore
    private let master = LineMaster(files: ["a.csv", "b.zip"])
    private let first = Array("SYMBOL,TOKEN\nSBIN,1\nodd\nTCS,2\n".utf8)
    private let second = PackedBytes.zip([
        .init(name: "b1", content: Array("SYMBOL,TOKEN\nINFY,3\n".utf8)),
        .init(name: "b2", content: Array("SYMBOL,TOKEN\nRELIANCE,4\nSBIN,5\n".utf8)),
    ])

    init() throws {
        folder = try TemporaryFolder()
        store = try MasterStore(path: folder.file("instruments.sqlite"))
    }

    private func sync(_ content: [String: [UInt8]], credentials: [String: Secret] = ["token": Secret("CANARY")])
        async throws -> MasterRecord
    {
        try await MasterSync(store: store).sync(
            master, over: Downloads(content: content), settings: ["colour": Secret("red")], credentials: credentials)
    }

    private func symbols() async throws -> [String] {
        try await store.search(MasterSearch("", limit: 100)).map(\.listing.instrument.symbol).sorted()
    }

    @Test func allFilesOfABroker() async throws {
        let record = try await sync(["a.csv": first, "b.zip": second])
        #expect(record.rows == 4)
        #expect(record.leftOut == 2, "a line that is none, and SBIN's second row")
        #expect(record.source == "https://masters.example:8443")
        #expect(try await symbols() == ["INFY", "RELIANCE", "SBIN", "TCS"])
    }

    @Test func whateverFailsChangesNothing() async throws {
        let before = try await sync(["a.csv": first, "b.zip": second])
        let cut = Array(second.prefix(second.count / 2))
        let wrong = Array("<html>maintenance</html>".utf8)
        for content in [
            ["a.csv": first], ["a.csv": first, "b.zip": cut], ["a.csv": wrong, "b.zip": second],
            ["a.csv": Array("SYMBOL,TOKEN\n".utf8), "b.zip": Array("SYMBOL,TOKEN\n".utf8)],
        ] {
            await #expect(throws: (any Error).self) { try await sync(content) }
            #expect(try await store.records() == [before])
            #expect(try await symbols() == ["INFY", "RELIANCE", "SBIN", "TCS"])
        }
        await #expect(throws: FeedError.self) { try await sync(["a.csv": first, "b.zip": second], credentials: [:]) }
        #expect(try await store.records() == [before])
    }

    @Test func aFileThatHasNothingAnyMore() async throws {
        let header = Array("SYMBOL,TOKEN\n".utf8)
        let few = Array("SYMBOL,TOKEN\nTCS,1\n".utf8)
        // There may be none of its kind: told, not refused. When there were some, it is refused.
        let record = try await sync(["a.csv": few, "b.zip": header])
        #expect(record.files == ["a.csv": 1, "b.zip": 0] && record.emptyFiles == ["b.zip"])
        let full = try await sync(["a.csv": few, "b.zip": second])
        #expect(full.files == ["a.csv": 1, "b.zip": 3])
        let error = await #expect(throws: MasterError.self) { try await sync(["a.csv": few, "b.zip": header]) }
        #expect(error?.code == .doubtful && error?.description.contains("b.zip holds not a single") == true)
        #expect(try await store.records() == [full])
    }

    @Test func localFiles() async throws {
        let record = try await MasterSync(store: store).importing(
            [.init(file: 1, name: "mine.zip", bytes: second)], of: master)
        #expect(record.rows == 3)
        #expect(record.source == "mine.zip")
    }

    @Test func progressIsTold() async throws {
        let steps = Mutex<[MasterSync.Step]>([])
        _ = try await MasterSync(store: store).sync(
            master, over: Downloads(content: ["a.csv": first, "b.zip": second]), settings: [:],
            credentials: ["token": Secret("x")]
        ) { step in steps.withLock { $0.append(step) } }
        let told = steps.withLock { $0 }
        #expect(told.contains(.downloading(file: "a.csv", received: first.count, expected: first.count)))
        #expect(told.contains(.reading(file: "b.zip")))
        #expect(told.last == .rows(5))
    }

    @Test func onlyThePlaceOfAnAddressIsShown() {
        #expect(MasterSync.place("https://h:1/path?token=x") == "https://h:1")
        #expect(MasterSync.place("https://h?token=x") == "https://h")
        #expect(MasterSync.place("nonsense") == "the broker")
    }
}
