import TestSupport
import Testing

@testable import Adapters

@Suite struct ELFImageTests {
    @Test func aSoundLibraryPasses() {
        #expect(ELFBytes().refusal() == nil)
    }

    @Test(
        arguments: [
            ([], "the file is empty"),
            (Array("hello, I am text\n".utf8), "it looks like text"),
            (Array("#!/bin/sh\n".utf8), "a script"),
            (Array("MZ\u{1}\u{2}".utf8), "Windows"),
            (Array("!<arch>\n".utf8), "static library"),
            ([0x7F, 0x45, 0x4C, 0x46, 2], "truncated: 5 bytes"),
            ([0xDE, 0xAD, 0xBE, 0xEF, 0], "de ad be ef"),
        ] as [([UInt8], String)])
    func whatIsNoELFIsNamed(bytes: [UInt8], part: String) throws {
        let reason = try #require(ELFBytes.refusal(bytes))
        #expect(reason.contains(part), "\(reason)")
    }

    @Test func theMachineIsNamedOnBothSides() throws {
        let other: UInt16 = ELFMachine.own.rawValue == 183 ? 243 : 183
        let reason = try #require(ELFBytes(machine: other).refusal())
        #expect(reason.contains(ELFMachine(rawValue: other).description))
        #expect(reason.contains(ELFMachine.own.description))
    }

    @Test(
        arguments: [(1, "object file"), (2, "an executable"), (4, "core dump"), (9, "ELF type 9")] as [(UInt16, String)]
    )
    func otherKindsOfFileAreNamed(kind: UInt16, part: String) throws {
        var image = ELFBytes()
        image.put16(kind, at: 16)
        #expect(try #require(image.refusal()).contains(part))
    }

    @Test func classAndByteOrder() throws {
        var image = ELFBytes()
        image.put([1], at: 4)
        #expect(try #require(image.refusal()).contains("32-bit"))
        image = ELFBytes()
        image.put([2], at: 5)
        #expect(try #require(image.refusal()).contains("big-endian"))
    }

    @Test func aTruncatedFileShowsBothSizes() throws {
        var image = ELFBytes()
        image.truncate(to: 1_000)
        #expect(image.refusal() == "is truncated: 1000 bytes, and its section table need 1024")
        image.truncate(to: 700)
        #expect(image.refusal() == "is truncated: 700 bytes, and its segments need 768")
        image.truncate(to: 100)
        #expect(image.refusal() == "is truncated: 100 bytes, and its program headers need 232")
    }

    @Test func offsetsThatOverflowAreRefused() throws {
        for index in [32, 40, 64 + 8, 64 + 32] {
            var image = ELFBytes()
            image.put64(UInt64.max - 8, at: index)
            #expect(image.refusal() != nil, "offset at \(index)")
        }
    }

    @Test func whatCannotBeLoadedIsRefused() throws {
        var image = ELFBytes()
        image.segment(2, kind: 6, offset: 0, size: 1)
        #expect(try #require(image.refusal()).contains("no dynamic section"))
        image = ELFBytes()
        image.segment(0, kind: 6, offset: 0, size: 1)
        image.segment(1, kind: 6, offset: 0, size: 1)
        #expect(try #require(image.refusal()).contains("no loadable segment"))
    }

    /// No mutation traps, and none passes that points outside of the file.
    @Test func mutationsNeverTrap() {
        var random = SeededNumbers.announced("ELF mutations")
        var passed = 0
        for _ in 0..<20_000 {
            var bytes = ELFBytes().bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                // The headers are what is read, so they get most of the blows.
                let reach = Bool.random(using: &random) ? 240 : bytes.count
                bytes[Int.random(in: 0..<reach, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            }
            if ELFBytes.refusal(bytes) == nil { passed += 1 }
        }
        #expect(passed < 20_000)
    }
}
