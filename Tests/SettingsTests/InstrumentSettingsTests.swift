import Foundation
import Operations
import Testing

@testable import feedhost

struct InstrumentSettingsTests {
    let folder: SettingsFolder
    init() throws { folder = try SettingsFolder() }

    @Test func whenMastersAreRefreshed() throws {
        let standard = try folder.load().instruments
        #expect(standard.isRefreshed)
        #expect(standard.refreshAt == TimeOfDay(hour: 8, minute: 35))
        let given = try folder.load([
            "FEEDHOST_INSTRUMENTS_REFRESH": "Never", "FEEDHOST_INSTRUMENTS_REFRESH_AT": "7:05",
        ]).instruments
        #expect(!given.isRefreshed)
        #expect(given.refreshAt == TimeOfDay(hour: 7, minute: 5))
        try folder.write("feedhost.yaml", "instruments: {refresh: never, refresh_at: '09:00'}\n")
        #expect(try folder.load().instruments.refreshAt == TimeOfDay(hour: 9, minute: 0))
        #expect(try !folder.load().instruments.isRefreshed)
    }

    @Test func whatIsNotAllowed() {
        #expect(
            folder.problems(["FEEDHOST_INSTRUMENTS_REFRESH": "hourly"]) == [
                "environment variable FEEDHOST_INSTRUMENTS_REFRESH is \"hourly\"; allowed: daily or never"
            ])
        #expect(folder.problems(["FEEDHOST_INSTRUMENTS_REFRESH_AT": "8"]).count == 1)
        #expect(folder.problems(["FEEDHOST_INSTRUMENT_REFRESH": "daily"]).first?.contains("Did you mean") == true)
    }
}

struct MasterFileNameTests {
    private let names = MasterFileNames(["NSE_symbols.txt.zip", "NFO_symbols.txt.zip", "all.csv"], broker: "shoonya")

    @Test func byName() throws {
        #expect(try names.match(["/d/nfo_symbols.txt", "x/NSE_symbols.txt.zip"]) == [1, 0])
        #expect(try names.match(["all.csv.gz"]) == [2])
    }

    @Test func byOrderWhenNoneIsNamedSo() throws {
        #expect(try names.match(["a", "b"]) == [0, 1])
    }

    @Test func bySaying() throws {
        #expect(try names.match(["a"], named: "NFO_symbols.txt") == [1])
        #expect(throws: StartError.self) { try names.match(["all.csv"], named: "none.csv") }
    }

    @Test(arguments: [["a", "b", "c", "d"], ["all.csv", "b"], ["all.csv", "all.csv.gz"]])
    func whatCannotBeTold(_ files: [String]) {
        let error = #expect(throws: StartError.self) { try names.match(files) }
        #expect(error?.description.contains("shoonya") == true)
        #expect(error?.description.contains("NSE_symbols.txt.zip, NFO_symbols.txt.zip, all.csv") == true)
    }
}
