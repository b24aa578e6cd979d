import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Foundation
import Testing
import ZerodhaAdapter

/// Any bytes: no crash, no read past the end (the in-memory host delivers from memory that ends with the message), and
/// exactly the ticks and counts that a second, slow reader finds.
///
/// `FEEDHOST_FUZZ` is how many messages each test makes, 20,000 without it; `FEEDHOST_FUZZ_SEED` repeats a run.
@Suite struct ZerodhaFuzzTests {
    private static let tokens = [Token.infy, Token.nifty, Token.usdinr, Token.crude, Token.goldNSE]
    private static let lengths = [8, 28, 32, 44, 184]

    private let count: Int
    private let seed: UInt64

    init() {
        let environment = ProcessInfo.processInfo.environment
        count = environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 20_000
        seed = environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
    }

    @Test func survivesAnyBinaryMessage() throws {
        print("Zerodha binary fuzz: \(count) messages, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let host = try openZerodha()
        host.recordsTicks = false
        host.subscribe(Self.tokens.map { host.wish($0, FH_MODE_DEPTH) })
        var expected = Expectation()
        for _ in 0..<count {
            let message = Self.message(&random)
            expected.take(message, wanted: Self.tokens)
            host.deliver(binary: message)
            guard host.tickCount == expected.ticks, host.metric(FH_M_FRAMES_BAD) == expected.bad,
                host.metric(FH_M_FRAMES_IGNORED) == expected.ignored
            else {
                Issue.record("seed \(seed): \(message) makes \(host.tickCount) ticks, \(expected) were expected")
                return
            }
        }
        #expect(expected.ticks > count / 4 && expected.bad > 0 && expected.ignored > 0)
    }

    @Test func survivesAnyText() throws {
        print("Zerodha text fuzz: \(count) messages, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let host = try openZerodha()
        host.startOrders()
        let originals = [
            ZerodhaOrderTests.frame(),
            ZerodhaOrderTests.frame(["status": #""REJECTED""#, "status_message": #""\u20b9 \"\\""#]),
            #"{"type":"error","data":"limit \ud83d\ude00"}"#, #"{"type":"message","data":{"a":[1,2,{"b":null}]}}"#,
        ].map { Array($0.utf8) }
        var taken = 0
        for _ in 0..<count {
            var text = originals[Int.random(in: 0..<originals.count, using: &random)]
            Self.mutate(&text, &random)
            host.deliver(text)
            taken += host.orders.count
            for order in host.orders { #expect(!order.orderID.isEmpty && !order.status.isEmpty) }
            host.orders.removeAll()
            host.log.removeAll()
        }
        host.deliver(originals[0])
        #expect(host.orders.count == 1, "still well")
        #expect(taken > 0 && host.metric(FH_M_FRAMES_BAD) > 0)
    }

    @Test func survivesAnyMasterFile() throws {
        print("Zerodha master fuzz: \(count / 10) files, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let original = Array(
            """
            \(ZerodhaMasterTests.header)
            408065,1594,INFY,"INFOSYS, LTD",0,,0,0.05,1,EQ,NSE,NSE
            11536898,45066,NIFTY26DEC24000CE,NIFTY,0,2026-12-29,24000,0.05,65,CE,NFO-OPT,NFO
            256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE
            """.utf8)
        var taken = 0
        for _ in 0..<count / 10 {
            var text = original
            Self.mutate(&text, &random)
            do throws(AdapterError) {
                let result = try MasterRows.rows(of: Zerodha.registration.masters[0], in: text)
                taken += result.rows.count
                #expect(result.rows.allSatisfy { !$0.symbol.isEmpty && UInt32($0.brokerToken) ?? 0 != 0 })
            } catch {
                #expect(error.status == .invalid)
            }
        }
        #expect(taken > 0)
    }

    // MARK: - Messages

    private static func message(_ random: inout SeededNumbers) -> [UInt8] {
        if UInt8.random(in: 0..<4, using: &random) == 0 {
            return (0..<Int.random(in: 0..<64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        let packets = (0..<Int.random(in: 0..<4, using: &random)).map { _ in packet(&random) }
        var message = kiteMessage(packets)
        if Bool.random(using: &random) { mutate(&message, &random) }
        return message
    }

    private static func packet(_ random: inout SeededNumbers) -> [UInt8] {
        let odd = UInt8.random(in: 0..<8, using: &random) == 0
        let length = odd ? Int.random(in: 0..<200, using: &random) : lengths[Int.random(in: 0..<5, using: &random)]
        var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        if length >= 4, UInt8.random(in: 0..<8, using: &random) > 0 {
            let token = tokens[Int.random(in: 0..<tokens.count, using: &random)]
            for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: token >> UInt32(24 - 8 * index)) }
        }
        return bytes
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededNumbers) {
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch UInt8.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.removeLast(bytes.count - place)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            default: bytes.remove(at: place)
            }
        }
    }

    /// A second reading of the message format, without any cleverness.
    private struct Expectation {
        var ticks = 0
        var bad: Int64 = 0
        var ignored: Int64 = 0

        mutating func take(_ message: [UInt8], wanted: [UInt32]) {
            guard message.count >= 2 else { return }
            var packets = Int(message[0]) * 256 + Int(message[1])
            var rest = message.dropFirst(2)
            while packets > 0 {
                let length = rest.prefix(2).reduce(0) { $0 * 256 + Int($1) }
                guard rest.count >= 2 + length else {
                    bad += 1
                    return
                }
                let packet = rest.dropFirst(2).prefix(length)
                rest = rest.dropFirst(2 + length)
                packets -= 1
                if !ZerodhaFuzzTests.lengths.contains(length) {
                    bad += 1
                } else if wanted.contains(packet.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }) {
                    ticks += 1
                } else {
                    ignored += 1
                }
            }
            if !rest.isEmpty { bad += 1 }
        }
    }
}
