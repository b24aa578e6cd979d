import Foundation
import TestSupport
import Testing

@testable import Operations

@Suite struct LogFilesTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }
    private var logs: String { folder.path + "/log" }

    private func names() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: logs)) ?? []).sorted() }

    private func text(_ name: String) -> String? { try? String(contentsOfFile: "\(logs)/\(name)", encoding: .utf8) }

    @Test func aFileADay() throws {
        let files = LogFiles(folder: logs, retentionDays: 14)
        #expect(files.write(Array("one\n".utf8), day: "2026-11-29") == nil)
        #expect(files.write(Array("two\n".utf8), day: "2026-11-29") == nil)
        #expect(files.write(Array("three\n".utf8), day: "2026-11-30") == nil)
        #expect(text("feedhost_2026-11-29.log") == "one\ntwo\n" && text("feedhost_2026-11-30.log") == "three\n")
        // What an earlier start has written stays.
        #expect(LogFiles(folder: logs, retentionDays: 14).write(Array("four\n".utf8), day: "2026-11-30") == nil)
        #expect(text("feedhost_2026-11-30.log") == "three\nfour\n")
        let mode = try FileManager.default.attributesOfItem(atPath: "\(logs)/feedhost_2026-11-30.log")[
            .posixPermissions]
        #expect(((mode as? NSNumber)?.intValue ?? 0o777) & 0o007 == 0)
    }

    @Test func oldOnesAreRemovedAndNobodyElses() throws {
        try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
        let others = [
            "openalgo_2020-01-01.log", "feedhost_notes.log", "feedhost_2020-01-01.txt", "ws_proxy_stats.json",
        ]
        for name in others + ["feedhost_2026-02-26.log", "feedhost_2026-02-27.log", "feedhost_2019-12-31.log"] {
            try "x".write(toFile: "\(logs)/\(name)", atomically: false, encoding: .utf8)
        }
        #expect(LogFiles(folder: logs, retentionDays: 2).write(Array("x\n".utf8), day: "2026-03-01") == nil)
        #expect(names() == (others + ["feedhost_2026-02-27.log", "feedhost_2026-03-01.log"]).sorted())
    }

    @Test func troubleIsSaidOnceADay() throws {
        let files = LogFiles(folder: logs, retentionDays: 14, largest: 10)
        #expect(files.write(Array("12345\n".utf8), day: "2026-11-29") == nil)
        #expect(
            files.write(Array("12345\n".utf8), day: "2026-11-29")?.contains("feedhost_2026-11-29.log has grown") == true
        )
        #expect(files.write(Array("12345\n".utf8), day: "2026-11-29") == nil)
        #expect(text("feedhost_2026-11-29.log") == "12345\n")
        #expect(files.write(Array("12345\n".utf8), day: "2026-11-30") == nil)
        // Somebody has put a link there, to make the host write elsewhere.
        let elsewhere = folder.path + "/elsewhere"
        try FileManager.default.createSymbolicLink(
            atPath: "\(logs)/feedhost_2026-12-01.log", withDestinationPath: elsewhere)
        #expect(files.write(Array("1\n".utf8), day: "2026-12-01")?.contains("cannot be opened") == true)
        #expect(!FileManager.default.fileExists(atPath: elsewhere))
        // A file where the folder should be.
        let nowhere = LogFiles(folder: "\(logs)/feedhost_2026-11-29.log/log", retentionDays: 14)
        #expect(nowhere.write(Array("1\n".utf8), day: "2026-12-01")?.contains("Not a directory") == true)
        #expect(nowhere.write(Array("1\n".utf8), day: "2026-12-01") == nil)
    }
}
