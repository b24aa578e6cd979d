import Foundation
import MarketData
import TestSupport
import Testing

@testable import Instruments

struct JudgementTests {
    private static func report(faults: Int, foreign: Int = 0) -> MasterReport {
        var report = MasterReport()
        if faults > 0 { report.leftOut.add("expiry not understood", .fault, count: faults) }
        if foreign > 0 { report.leftOut.add("exchange without an OpenAlgo name", .foreign, count: foreign) }
        return report
    }

    @Test(arguments: [
        (1, 0, 0, false), (1, 3, 0, true), (4, 2, 0, false), (3, 3, 0, true), (57, 19, 0, false), (59, 20, 0, true),
        (60, 20, 0, false), (1000, 20, 0, false), (1, 0, 5_000, false), (0, 0, 0, true), (0, 0, 9, true),
    ])
    func filesByTheShareOfRowsThatAreNotUnderstood(rows: Int, faults: Int, foreign: Int, isDoubted: Bool) {
        let doubts = MasterJudgement.doubts(
            file: "f.csv", rows: rows, Self.report(faults: faults, foreign: foreign))
        #expect(!doubts.isEmpty == isDoubted, "\(doubts)")
        #expect(doubts.allSatisfy { $0.contains("f.csv") })
    }

    @Test func refusalsSayWhatWasFound() {
        let doubts = MasterJudgement.doubts(file: "f.csv", rows: 1, Self.report(faults: 3))
        #expect(doubts == ["3 of the 4 rows of f.csv could not be understood (left out: 3 expiry not understood)"])
        let error = MasterJudgement.refusal(doubts)
        #expect(error.code == .doubtful && error.description.contains("--force"))
    }

    @Test(arguments: [
        (["NSE": 100], ["NSE": 75], false), (["NSE": 100], ["NSE": 74], true),
        (["NSE": 100, "BSE": 9], ["NSE": 100], false),
        (["NSE": 100, "BSE": 10], ["NSE": 300], true), ([:], ["NSE": 1], false), (["NSE": 3], ["BSE": 1], false),
    ])
    func exchangesThatShrink(before: [String: Int], now: [String: Int], isRefused: Bool) {
        var error: MasterError?
        do { try MasterJudgement.check(broker: "angel", before, now) } catch let refusal { error = refusal }
        #expect((error != nil) == isRefused)
        #expect(error?.description.contains("25 %") ?? true)
    }

    @Test(arguments: [
        (0, 19_700_101), (1_709_144_999, 20_240_228), (1_709_145_000, 20_240_229), (1_709_231_400, 20_240_301),
        (1_767_205_799, 20_251_231), (1_767_205_800, 20_260_101),
    ])
    func daysAreIndias(time: Int64, day: Int64) { #expect(MasterJudgement.day(at: time) == day) }

    @Test func contractsThatHaveExpiredMayGo() async throws {
        let folder = try TemporaryFolder()
        // 15 March 2024.
        let store = try MasterStore(path: folder.file("instruments.sqlite")) { 1_710_500_000 }
        func contracts(_ expiry: UInt32, _ count: Int) -> [Listing] {
            (0..<count).map {
                var row = Rows.listing("NFO", "X\(expiry)\($0)", token: "\(expiry)\($0)")
                row.expiry = expiry
                return row
            }
        }
        func replaced(_ rows: [Listing], insist: Bool = false) throws -> MasterRecord {
            try store.replace(broker: "angel", source: "s", insist: insist) { add in
                for row in rows { try add(row) }
                return LeftOutRows()
            }
        }
        let old = contracts(20_240_314, 60)
        let living = contracts(20_240_328, 40)
        let before = try replaced(old + living)
        #expect(before.rows == 100)
        #expect(try replaced(living).rows == 40, "only what has expired is gone")
        let error = #expect(throws: MasterError.self) { try replaced(Array(living.prefix(29))) }
        #expect(error?.code == .doubtful && error?.description.contains("29 of NFO where there were 40") == true)
        #expect(try await store.records().map(\.rows) == [40], "the old ones stay")
        #expect(try replaced(Array(living.prefix(29)), insist: true).rows == 29)
    }

    @Test func reasonsComeBackAsTheyWere() async throws {
        let folder = try TemporaryFolder()
        let store = try MasterStore(path: folder.file("instruments.sqlite"))
        var left = LeftOutRows()
        for line in 1...9 {
            left.add("no token", .fault, example: .init(file: "a.csv", line: UInt64(line), text: "row \(line)"))
        }
        left.add("exchange without an OpenAlgo name", .foreign, count: 31_010)
        let record = try store.replace(broker: "angel", source: "s") { add in
            try add(Rows.listing("NSE", "X", token: "1"))
            return left
        }
        #expect(record.leftOut == 31_019 && record.reasons == left.reasons)
        #expect(record.reasons.first?.examples.map(\.line) == [1, 2, 3, 4, 5])
        #expect(try await store.records() == [record])
    }
}

struct MasterTextTests {
    private static let plain = Array("símbolo,token\n".utf8)

    private static func utf16(_ text: String, big: Bool, mark: Bool) -> [UInt8] {
        let units = (mark ? [0xFEFF] : []) + Array(text.utf16)
        return units.flatMap { big ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)] }
    }

    @Test(arguments: [true, false], [true, false])
    func utf16IsRead(big: Bool, mark: Bool) throws {
        #expect(try MasterText.utf8(Self.utf16("símbolo,token\n", big: big, mark: mark), name: "f") == Self.plain)
    }

    @Test func utf8StaysAndLosesItsMark() throws {
        #expect(try MasterText.utf8(Self.plain, name: "f") == Self.plain)
        #expect(try MasterText.utf8([0xEF, 0xBB, 0xBF] + Self.plain, name: "f") == Self.plain)
        for short: [UInt8] in [[], [1], [0xFF, 0xFE], [0, 0]] {
            #expect(try MasterText.utf8(short, name: "f") == short)
        }
    }

    @Test(
        arguments: [
            [0xFF, 0xFE, 0x41], [0xFF, 0xFE, 0, 0], [0x41, 0, 0, 0], [0xFE, 0xFF, 0xD8, 0, 0, 0x41],
        ] as [[UInt8]])
    func whatIsNotReadIsNamed(start: [UInt8]) {
        let bytes = start + [UInt8](repeating: 0x41, count: start.count % 2 == 0 ? 2 : 4)
        let error = #expect(throws: MasterError.self) { try MasterText.utf8(bytes, name: "f.csv") }
        #expect(error?.description.contains("f.csv is UTF-") == true)
    }
}
