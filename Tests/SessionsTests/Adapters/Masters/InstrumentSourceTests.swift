import CFeedhostABI
import MarketData
import Synchronization
import Testing

@testable import Adapters
@testable import Secrets

/// A master whose adapter keeps what it is lent, and says it when it fails.
@Suite struct InstrumentSourceTests {
    private static let heard = Mutex<[String: String]>([:])

    // Built once, never changed, never freed: as a plugin's tables.
    nonisolated(unsafe) private static let master: UnsafePointer<fh_instruments> = {
        let table = UnsafeMutablePointer<fh_instruments>.allocate(capacity: 1)
        table.initialize(
            to: fh_instruments(
                size: UInt32(MemoryLayout<fh_instruments>.size), reserved: 0, name: masterName, locate: masterLocate,
                parse: masterParse, read: nil))
        return UnsafePointer(table)
    }()

    nonisolated(unsafe) private static let adapter: UnsafePointer<fh_adapter> = {
        var table = ScriptedTable.shared.pointer.pointee
        table.extension = { _, _ in UnsafeRawPointer(InstrumentSourceTests.master) }
        let memory = UnsafeMutablePointer<fh_adapter>.allocate(capacity: 1)
        memory.initialize(to: table)
        return UnsafePointer(memory)
    }()

    fileprivate static func hear(_ fields: UnsafePointer<fh_field>?, _ count: UInt32) {
        for index in 0..<Int(count) {
            guard let field = fields?[index] else { continue }
            heard.withLock { $0[field.name.text] = field.value.text }
        }
    }

    fileprivate static var repeated: String {
        heard.withLock { $0.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }
    }

    @Test func whatTheAdapterRepeatsIsTakenOut() throws {
        var declared = Declared()
        declared.settings = [
            AdapterKey(name: "pin", kind: .secret, defaultValue: nil, help: "", required: false),
            AdapterKey(name: "rate", kind: .int, defaultValue: "1000000", help: "", required: false),
        ]
        let like = declared.adapter(id: "in.example.master", broker: "scripted")
        let source = try #require(
            InstrumentSource(
                LoadedAdapter(
                    description: like.description, table: Self.adapter, abi: like.abi, path: "/m.so", hasMaster: true)))
        #expect(source.files == ["file 0"])
        let settings = like.description.settings(given: ["pin": Secret("pin-of-the-master")])
        for day in 1...2 {
            let credentials = ["user_id": Secret("AB1234"), "token\(day)": Secret("token-of-day-\(day)")]
            let location = try source.locate(0, settings: settings, credentials: credentials)
            #expect(location.url.revealed == "https://masters.example/?t=token-of-day-\(day)")
        }
        let error = #expect(throws: FeedError.self) {
            try withUnsafeBytes(of: 0) { try source.parse(0, $0) { _ in } }
        }
        let said = "pin=‹secret› rate=1000000 token1=‹secret› token2=‹secret› user_id=AB1234"
        #expect(
            error?.message.hasSuffix("the adapter for scripted can read: \(said)") == true, "\(error?.message ?? "")")
    }
}

private func masterName(_ id: fh_str, _ file: UInt32) -> fh_str {
    file == 0 ? masterFile.str : fh_str(ptr: nil, len: 0)
}

private let masterFile = StableText("file 0")

private func masterLocate(
    _ query: UnsafePointer<fh_master_query>?, _ sink: UnsafeMutableRawPointer?,
    _ take: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fh_request>?) -> Void)?
) -> fh_status {
    guard let query = query?.pointee else { return fh_status(FH_E_INVALID) }
    InstrumentSourceTests.hear(query.settings, query.setting_count)
    InstrumentSourceTests.hear(query.credentials, query.credential_count)
    var token = ""
    for index in 0..<Int(query.credential_count) where query.credentials[index].name.text.hasPrefix("token") {
        token = query.credentials[index].value.text
    }
    let url = StableText("https://masters.example/?t=\(token)")
    var request = fh_request()
    request.size = UInt32(MemoryLayout<fh_request>.size)
    request.method = UInt32(FH_HTTP_GET)
    request.url = url.str
    withExtendedLifetime(url) { take?(sink, &request) }
    return fh_status(FH_OK)
}

private func masterParse(
    _ id: fh_str, _ file: UInt32, _ bytes: fh_str, _ rows: fh_rows?, _ sink: UnsafeMutableRawPointer?,
    _ problem: (@convention(c) (UnsafeMutableRawPointer?, fh_str) -> Void)?
) -> fh_status {
    let said = StableText(InstrumentSourceTests.repeated)
    withExtendedLifetime(said) { problem?(sink, said.str) }
    return fh_status(FH_E_INVALID)
}
