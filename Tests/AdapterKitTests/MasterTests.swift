import CFeedhostABI
import Testing

@testable import AdapterKit

private let listed = MasterFile("listed.csv") { query throws(AdapterError) in
    let token = try query.credential("access_token")
    return MasterRequest(query.setting("master") + "/listed.csv", headers: [("Authorization", token), ("X-Kind", "a")])
} parse: { bytes, rows throws(AdapterError) in
    var lines = DelimitedText(bytes)
    let symbol = try lines.required("Symbol")
    let token = try lines.required("token")
    let expiry = lines.column("expiry")
    while lines.next() {
        var row = MasterRow(
            symbol: String(lines[symbol]), exchange: "NSE", brokerSymbol: String(lines[symbol]) + "-EQ",
            brokerExchange: "nse_cm", brokerToken: String(lines[token]))
        row.expiry = CalendarDay(lines[expiry])
        row.lotSize = 7
        try rows.append(row)
    }
}

private final class Mastered: BaseAdapter {
    static let entry = AdapterEntry([
        AdapterRegistration(
            AdapterDescriptor(
                id: "io.feedhost.mastered", broker: "mastered", name: "Mastered", vendor: "Tests", version: "1.0.0",
                capabilities: Capabilities(exchanges: ["NSE"])),
            masters: [listed]
        ) { context throws(AdapterError) in try Mastered(context) }
    ])
}

@Suite struct MasterTests {
    private let table = InstrumentsTable.shared.pointer
    private let id = StaticNames(["io.feedhost.mastered"])[0] ?? fh_str()

    @Test func theTableIsThereWithoutAnInstance() throws {
        let entry = Mastered.entry.table
        let adapter = try #require(entry.pointee.adapter?("io.feedhost.mastered"))
        #expect(adapter.pointee.extension?(nil, "feedhost.instruments/1") != nil)
        #expect(adapter.pointee.extension?(nil, "feedhost.orders/1") == nil)
        let name = try #require(table.pointee.name)
        #expect(String(name(id, 0)) == "listed.csv")
        #expect(name(id, 1).len == 0)
    }

    @Test func theAddressIsMadeOfSettingsAndCredentials() throws {
        _ = Mastered.entry
        final class Sink { var seen: [String] = [] }
        let sink = Sink()
        let names = StaticNames(["master", "http://127.0.0.1:1", "access_token", "s3cret"])
        var setting = fh_field(name: names[0] ?? fh_str(), value: names[1] ?? fh_str())
        var credential = fh_field(name: names[2] ?? fh_str(), value: names[3] ?? fh_str())
        var query = fh_master_query()
        query.size = UInt32(MemoryLayout<fh_master_query>.size)
        query.adapter_id = id
        let note: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fh_request>?) -> Void = { sink, request in
            guard let sink, let request else { return }
            let seen = Unmanaged<Sink>.fromOpaque(sink).takeUnretainedValue()
            seen.seen.append(String(request.pointee.url))
            for field in UnsafeBufferPointer(start: request.pointee.fields, count: Int(request.pointee.field_count)) {
                seen.seen.append(String(field.name) + "=" + String(field.value))
            }
        }
        let locate = try #require(table.pointee.locate)
        let target = Unmanaged.passUnretained(sink).toOpaque()
        withUnsafePointer(to: &setting) { setting in
            withUnsafePointer(to: &credential) { credential in
                query.settings = setting
                query.setting_count = 1
                #expect(locate(&query, target, note) == Status.authentication.rawValue)
                #expect(sink.seen.isEmpty)
                query.credentials = credential
                query.credential_count = 1
                #expect(locate(&query, target, note) == Status.ok.rawValue)
            }
        }
        #expect(sink.seen == ["http://127.0.0.1:1/listed.csv", "Authorization=s3cret", "X-Kind=a"])
    }

    @Test func rowsComeInBatchesAndInOrder() throws {
        let count = 1_000
        let text = "token,symbol,Expiry\r\n" + (0..<count).map { "\($0),S\($0),28-MAR-2024\n" }.joined()
        let (rows, skipped) = try MasterRows.rows(of: listed, in: Array(text.utf8))
        #expect(rows.count == count && skipped == 0)
        #expect(rows.enumerated().allSatisfy { $1.symbol == "S\($0)" && $1.brokerToken == "\($0)" })
        #expect(rows.allSatisfy { $0.expiry?.number == 20_240_328 && $0.lotSize == 7 && $0.brokerExchange == "nse_cm" })
    }

    @Test func aRowWithoutATokenIsLeftOut() throws {
        let (rows, skipped) = try MasterRows.rows(of: listed, in: Array("symbol,token\nA,\n,2\nB,3".utf8))
        #expect(rows.map(\.symbol) == ["B"])
        #expect(skipped == 2)
    }

    @Test func aFileOfSomebodyElseIsRefusedInWords() {
        #expect {
            try MasterRows.rows(of: listed, in: Array("<html>\n".utf8))
        } throws: { error in
            (error as? AdapterError)?.message == "the file has no column Symbol; its first line is: <html>"
        }
    }

    @Test func theHostCanStopIt() throws {
        _ = Mastered.entry
        let bytes = Array("symbol,token\n".utf8) + (0..<600).flatMap { Array("S\($0),\($0)\n".utf8) }
        let parse = try #require(table.pointee.parse)
        let status = bytes.withUnsafeBufferPointer {
            parse(id, 0, fh_str($0), { _, _, _ in Status.limit.rawValue }, nil, nil)
        }
        #expect(status == Status.limit.rawValue)
    }
}

@Suite struct NameTests {
    @Test(arguments: [
        ("2024-03-28", 20_240_328), ("28-MAR-2024", 20_240_328), ("28Mar2024", 20_240_328), ("29FEB2024", 20_240_229),
        ("20240328", 20_240_328),
    ])
    func daysAreRead(text: String, number: UInt32) {
        let day = Array(text.utf8).withUnsafeBufferPointer { CalendarDay(Bytes($0)) }
        #expect(day?.number == number)
    }

    @Test(arguments: ["", "29FEB2023", "32JAN2024", "28-XXX-2024", "2024-13-01", "28MAR24", "yesterday", "-------"])
    func whatIsNoDayIsNone(text: String) {
        #expect(Array(text.utf8).withUnsafeBufferPointer { CalendarDay(Bytes($0)) } == nil)
    }

    @Test func derivativesAreNamedByOpenAlgosRules() throws {
        let day = try #require(CalendarDay(year: 2024, month: 4, day: 9))
        #expect(SymbolRules.future("BANKNIFTY", day) == "BANKNIFTY09APR24FUT")
        #expect(SymbolRules.option("NIFTY", day, strike: 2_080_000, exponent: -2, "CE") == "NIFTY09APR2420800CE")
        #expect(SymbolRules.option("USDINR", day, strike: 82_500_000, exponent: -6, "PE") == "USDINR09APR2482.5PE")
        #expect(SymbolRules.decimal(5, exponent: -2) == "0.05" && SymbolRules.decimal(-125, exponent: -1) == "-12.5")
        #expect(SymbolRules.index("Nifty 50") == "NIFTY" && SymbolRules.index("NIFTY IT") == "NIFTYIT")
    }

    @Test func delimitedTextKeepsQuotedDelimitersAndShortLines() {
        let text = Array("\u{FEFF}a,b,c\r\n1,\"x,\"\"y\"\"\",3\r\n\r\n4\n,5,".utf8)
        text.withUnsafeBufferPointer { buffer in
            var lines = DelimitedText(Bytes(buffer))
            #expect(lines.header == ["a", "b", "c"])
            var read: [[String]] = []
            while lines.next() { read.append(lines.fields.map { String($0) } + [String(lines[2])]) }
            #expect(read == [["1", "x,\"\"y\"\"", "3", "3"], ["4", ""], ["", "5", "", ""]])
        }
    }
}

/// What is wrong with a file, by the line: each is told, and the rows around it are read.
@Suite struct BrokenMasterTests {
    private static let simple = MasterFile("simple.csv", exchanges: ["NSE", "NSE_INDEX"]) { _ throws(AdapterError) in
        MasterRequest("http://127.0.0.1:1/")
    } parse: { bytes, rows throws(AdapterError) in
        var lines = DelimitedText(bytes)
        let columns = (try lines.required("symbol"), try lines.required("exchange"), try lines.required("token"))
        while lines.next(&rows) {
            try rows.append(
                MasterRow(
                    symbol: String(lines[columns.0]), exchange: String(lines[columns.1]), brokerSymbol: "S",
                    brokerExchange: "E", brokerToken: String(lines[columns.2])))
        }
    }

    private func reading(_ text: String) throws(AdapterError) -> MasterReading {
        try MasterRows.reading(of: Self.simple, in: Array(text.utf8))
    }

    @Test(
        arguments: [
            ("A,NSE,1\nB,NSE,2\n", ["A", "B"], nil, 0, nil), ("A,NSE,1\nB,NSE,2", ["A", "B"], nil, 0, nil),
            ("A,NSE,1\nB,NS", ["A"], .cut, 3, "line 3, is cut short: 2 fields where there should be 3"),
            ("A,NSE,1\n\"B,NSE,2\nC,NSE,3\n", ["A", "C"], .quote, 3, "a quote in line 3 is never closed: \"B,NSE,2"),
            ("A,NSE,1\n\n\nB,\"NSE,2", ["A"], .quote, 5, "line 5"),
            ("A,NSE,1\nB,Ltd,NSE,2\nC,NSE,3\n", ["A", "C"], .fields, 3, nil), ("A,NSE,1,\n", ["A"], nil, 0, nil),
            ("A,NSE,\nB,NSE,2\n", ["B"], .token, 0, nil), (",NSE,1\nB,NSE,2\n", ["B"], .symbol, 0, nil),
            ("A,,1\nB,NSE,2\n", ["B"], .exchange, 0, nil),
        ] as [(String, [String], SkipReason?, Int, String?)])
    func linesByTheirFaults(text: String, rows: [String], reason: SkipReason?, line: Int, doubt: String?) throws {
        let reading = try reading("symbol,exchange,token\n" + text)
        #expect(reading.rows.map(\.symbol) == rows)
        #expect(reading.skipped.map(\.reason) == (reason.map { [$0] } ?? []))
        #expect(reading.skipped.first?.line ?? 0 == line)
        #expect(reading.doubts.count == (doubt == nil ? 0 : 1))
        #expect(reading.doubts.first?.contains(doubt ?? "?") ?? (doubt == nil), "\(reading.doubts)")
        // For a host that cannot be told of doubts they are refusals.
        #expect(
            (try? MasterRows.rows(of: Self.simple, in: Array(("symbol,exchange,token\n" + text).utf8))) == nil
                || doubt == nil)
    }

    @Test func anotherSegmentsFile() throws {
        #expect(try reading("symbol,exchange,token\nA,NSE,1\nN,NSE_INDEX,2\nB,BSE,3\n").strangers == nil)
        let strangers = try #require(try reading("symbol,exchange,token\nA,NSE,1\nB,BSE,2\nC,BSE,3\n").strangers)
        #expect(strangers.contains("2 of its 3 rows are of other exchanges (2 of BSE)") && strangers.contains("NSE"))
    }

    @Test func aMarkIsNoPartOfTheText() throws {
        #expect(try reading("\u{FEFF}symbol,exchange,token\nA,NSE,1\n").rows.map(\.symbol) == ["A"])
        let wide = "symbol,exchange,token\nA,NSE,1\n".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let error = #expect(throws: AdapterError.self) {
            try MasterRows.rows(of: Self.simple, in: [0xFF, 0xFE] + wide)
        }
        #expect(error?.message.contains("UTF-16") == true)
    }
}
