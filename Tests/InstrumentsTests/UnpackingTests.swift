import Foundation
import TestSupport
import Testing

@testable import Instruments

struct UnpackingTests {
    private let text = Array("symbol,exchange,token\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 700_000)

    private func members(_ bytes: [UInt8], limit: Int = 512 << 20) throws -> [PackedFile.Member] {
        try PackedFile(name: "master.csv", bytes: bytes, limit: limit).members()
    }

    private func failure(_ bytes: [UInt8], limit: Int = 512 << 20) -> MasterError? {
        do {
            _ = try members(bytes, limit: limit)
            return nil
        } catch {
            return error as? MasterError
        }
    }

    @Test func plainFilesAreTakenAsTheyAre() throws {
        for bytes in [text, [], [0x1F], Array("PK".utf8)] {
            let found = try members(bytes)
            #expect(found.map(\.name) == ["master.csv"])
            #expect(found.first?.bytes == bytes)
        }
    }

    @Test func gzip() throws {
        #expect(try members(PackedBytes.gzip(text)).map(\.bytes) == [text])
        // Two streams behind one another are one file, and zeros may fill the last block.
        let two = PackedBytes.gzip(text) + PackedBytes.gzip([1, 2, 3]) + [UInt8](repeating: 0, count: 100)
        #expect(try members(two).map(\.bytes) == [text + [1, 2, 3]])
    }

    @Test func layers() throws {
        let zip = PackedBytes.zip([.init(name: "a.txt", content: text)])
        #expect(try members(PackedBytes.gzip(zip)).map(\.bytes) == [text])
        #expect(try members(PackedBytes.gzip(PackedBytes.gzip(text))).map(\.bytes) == [text])
    }

    @Test func zipWithSeveralFiles() throws {
        let entries: [PackedBytes.Entry] = [
            .init(name: "folder/", content: [], isStored: true),
            .init(name: "folder/deflated.txt", content: text),
            .init(name: "stored.txt", content: [7, 8], isStored: true),
            .init(name: "__MACOSX/stored.txt", content: [9]), .init(name: "empty.txt", content: []),
        ]
        let found = try members(PackedBytes.zip(entries, comment: "made by a broker"))
        #expect(found.map(\.name) == ["folder/deflated.txt", "stored.txt", "empty.txt"])
        #expect(found.map(\.bytes) == [text, [7, 8], []])
    }

    @Test(arguments: [0.1, 0.5, 0.9, 0.999])
    func filesThatAreCutShort(_ part: Double) {
        for whole in [PackedBytes.gzip(text), PackedBytes.zip([.init(name: "a.txt", content: text)])] {
            let error = failure(Array(whole.prefix(max(20, Int(Double(whole.count) * part)))))
            #expect(error?.code == .unreadable)
            #expect(error?.description.contains("master.csv") == true)
            #expect(error?.description.contains("cut short") == true)
        }
    }

    @Test func damagedFiles() {
        var gzip = PackedBytes.gzip(text)
        gzip[gzip.count - 6] ^= 1
        #expect(failure(gzip)?.description.contains("damaged") == true)
        let wrongSum = PackedBytes.zip([.init(name: "a.txt", content: text, checkSum: 5)])
        #expect(failure(wrongSum)?.description.contains("a.txt in it is damaged") == true)
        let wrongLength = PackedBytes.zip([.init(name: "a.txt", content: text, claims: 5)])
        #expect(failure(wrongLength)?.code == .unreadable)
        let locked = PackedBytes.zip([.init(name: "a.txt", content: text, flags: 1)])
        #expect(failure(locked)?.description.contains("password") == true)
        let odd = PackedBytes.zip([.init(name: "a.txt", content: text, method: 12)])
        #expect(failure(odd)?.description.contains("method 12") == true)
        #expect(failure(PackedBytes.zip([]))?.description.contains("holds no file") == true)
    }

    @Test func bombs() {
        let zeros = [UInt8](repeating: 0, count: 4 << 20)
        let limit = 1 << 20
        for packed in [
            PackedBytes.gzip(zeros), PackedBytes.gzip(PackedBytes.gzip(zeros)),
            PackedBytes.zip([.init(name: "a", content: zeros)]),
            // A directory that lies, and many files that are small each.
            PackedBytes.zip([.init(name: "a", content: zeros, claims: 10)]),
            PackedBytes.zip((0..<5).map { .init(name: "\($0)", content: Array(zeros.prefix(300_000))) }),
            PackedBytes.zip([.init(name: "a", content: zeros, isStored: true, claims: 10)]),
        ] {
            let error = failure(packed, limit: limit)
            #expect(error?.code == .tooLarge)
            #expect(error?.description.contains("1 MiB") == true)
        }
        // Just at the limit is fine.
        #expect(failure(PackedBytes.gzip(Array(zeros.prefix(limit))), limit: limit) == nil)
    }

    /// Whatever comes, it is an answer: bytes of archives, turned over at random. `FEEDHOST_FUZZ` is how many files;
    /// `FEEDHOST_FUZZ_SEED` repeats a run.
    @Test func noiseNeverCrashes() {
        let count = SeededNumbers.rounds(4_000)
        var random = SeededNumbers.announced("archives")
        func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
        let sources = [
            PackedBytes.gzip(Array(text.prefix(3000))),
            PackedBytes.zip([
                .init(name: "a", content: Array(text.prefix(900))), .init(name: "b", content: [1], isStored: true),
            ]),
        ]
        for round in 0..<count {
            var bytes = sources[round % 2]
            for _ in 0...below(6) {
                bytes[below(bytes.count)] = UInt8(below(256))
            }
            if below(4) == 0 { bytes = Array(bytes.prefix(below(bytes.count))) }
            do {
                let found = try PackedFile(name: "noise", bytes: bytes, limit: 1 << 16).members()
                #expect(found.reduce(0) { $0 + $1.bytes.count } <= 1 << 16, "round \(round)")
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
