import AdapterKit
import AdapterTestKit
import CFeedhostABI
import FlattradeAdapter
import Foundation
import Testing

/// Any bytes: no crash, no read past the end (the in-memory host delivers from memory that ends with the message), and
/// what a whole JSON parser finds.
///
/// `FEEDHOST_FUZZ` is how many messages each test makes, 20,000 without it; `FEEDHOST_FUZZ_SEED` repeats a run.
@Suite struct NorenFuzzTests {
    private let count: Int
    private let seed: UInt64

    init() {
        let environment = ProcessInfo.processInfo.environment
        count = environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 20_000
        seed = environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
    }

    private static let originals: [[UInt8]] = [
        NorenDecodingTests.snapshot, NorenDecodingTests.delta,
        feed(
            "df", "NSE|2", [("lp", "118.60"), ("ltt", "11:54:46"), ("v", "162420"), ("bp1", "118.55"), ("bq1", "20")]),
        feed(
            "dk", "NSE|2", [("pp", "2"), ("52h", "152.00"), ("sp5", "119.00"), ("sq5", "7"), ("so5", "1"), ("oi", "9")]),
        feed("tf", "CDS|1234", [("lp", "-"), ("ap", "83.11755"), ("o", ""), ("ft", "1638512686")]),
        NorenOrderTests.message(["rejreason": #"\u20b9 \"\\"#]), #"{"t":"hk","hk":"1638512684"}"#,
        #"{"stat":"Not_Ok","emsg":"busy \ud83d\ude00","x":{"a":[1,2,{"b":null}]}}"#,
    ].map { Array($0.utf8) }

    @Test func survivesAnyMessage() throws {
        print("Noren fuzz: \(count) messages, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let host = try fuzzed()
        for _ in 0..<count {
            if host.liveSocket == nil { reconnect(host) }
            host.deliver(Self.message(&random))
            host.log.removeAll()
            host.orders.removeAll()
            host.results.removeAll()
            host.connections.removeAll()
        }
        if host.liveSocket == nil { reconnect(host) }
        let before = host.tickCount
        host.deliver(NorenDecodingTests.delta)
        #expect(host.tickCount == before + 1, "still well")
        #expect(before > count / 8 && host.metric(FH_M_FRAMES_BAD) > 0 && host.metric(FH_M_FRAMES_IGNORED) > 0)
    }

    /// Well-formed objects of strings with odd texts: the last price is what an exact reading of the text gives.
    @Test func agreesWithAWholeParser() throws {
        print("Noren number fuzz: \(count / 10) messages, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let host = try openNoren()
        host.want(["NSE|11630"], FH_MODE_QUOTE)
        for _ in 0..<count / 10 {
            let text = Self.numberText(&random)
            host.deliver(feed("tk", "NSE|11630", [("pp", "2")]))
            host.ticks.removeAll()
            // A value that ends near the end of the message is read in another way.
            let isLast = Bool.random(using: &random)
            host.deliver(
                feed(
                    "tf", "NSE|11630",
                    isLast ? [("v", "7"), ("lp", text)] : [("lp", text), ("v", "7"), ("oi", "123456")]))
            let published = host.ticks.last
            let expected = Decimal.exact(text)
            let price = published?.value(\.ltp, FH_F_LTP)
            let scale = published.map { Int(-$0.record.price_exp) } ?? 0
            #expect(price.map { Decimal($0) / pow(Decimal(10), scale) } == expected, "\(text), seed \(seed)")
            #expect(published?.record.volume == 7)
        }
    }

    /// Answers to a login, good, bad and spoilt; a socket that is not closed takes the good one.
    @Test func survivesAnyLoginAnswer() throws {
        let count = count / 10
        print("Noren login fuzz: \(count) messages, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let host = try InMemoryHost(norenEntry)
        let answers = [
            #"{"t":"ak","uid":"FZ00000","s":"OK"}"#, #"{"t":"ck","uid":"FZ00000","s":"NOT_OK","emsg":"busy \u20b9"}"#,
            #"{"stat":"Not_Ok","emsg":"Session Expired : Invalid Session Key"}"#,
        ].map { Array($0.utf8) }
        var accepted = 0
        for _ in 0..<count {
            if host.liveSocket == nil {
                host.sockets.removeAll()
                host.connect(accessToken: "TOKEN", fields: ["user_id": "FZ00000"])
                host.acceptUpgrade()
            }
            var answer = answers[Int.random(in: 0..<answers.count, using: &random)]
            Self.mutate(&answer, &random)
            host.connections.removeAll()
            host.deliver(answer)
            if host.connections.contains(where: { $0.state == UInt32(FH_CONN_READY) }) {
                accepted += 1
                host.disconnect()
                host.sockets.removeAll()
            }
            host.log.removeAll()
        }
        host.sockets.removeAll()
        host.logIn()
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY), "still well")
        #expect(accepted > 0 && host.metric(FH_M_FRAMES_BAD) > 0)
    }

    @Test func survivesAnyMasterFile() throws {
        print("Noren master fuzz: \(count / 10) files, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let originals = [
            """
            \(NorenMasterTests.header)
            NSE,11630,1,NTPC,NTPC-EQ,EQ,,,
            NSE,26000,1,Nifty 50,"Nifty, 50",INDEX,,,
            NFO,45065,65,NIFTY,NIFTY16SEP25C25000,OPTIDX,16-SEP-2025,25000.00,CE
            BFO,800002,20,SX50OPT,SENSEX5026NOV2480000PE,OPTIDX,29-NOV-2026,80000,PE
            """,
            """
            \(NorenMasterTests.family)
            CDS,1235,1000,USDINR,USDINR27NOV24C82.25,27-NOV-2024,OPTCUR,CE,82.25,0.0025,
            MCX,477869,100,CRUDEOIL,CRUDEOIL18DEC26,18-DEC-2026,FUTCOM,XX,0,1,
            """,
        ].map { Array($0.utf8) }
        var taken = 0
        for round in 0..<count / 10 {
            var text = originals[round % originals.count]
            Self.mutate(&text, &random)
            do throws(AdapterError) {
                let result = try MasterRows.rows(of: Noren.registrations[round % 2].masters[0], in: text)
                taken += result.rows.count
                #expect(result.rows.allSatisfy { !$0.symbol.isEmpty && UInt32($0.brokerToken) != nil })
            } catch {
                #expect(error.status == .invalid)
            }
        }
        #expect(taken > 0)
    }

    // MARK: - Messages

    private func fuzzed() throws -> InMemoryHost {
        let host = try InMemoryHost(norenEntry)
        host.recordsTicks = false
        reconnect(host)
        return host
    }

    private func reconnect(_ host: InMemoryHost) {
        host.sockets.removeAll()
        host.logIn()
        host.startOrders()
        // One of each feed, and one on its way from one to the other.
        host.want(["NSE|11630", "NSE|1", "NSE|2"], FH_MODE_QUOTE)
        host.want(["CDS|1234", "NSE|2"], FH_MODE_DEPTH)
    }

    private static func message(_ random: inout SeededNumbers) -> [UInt8] {
        if UInt8.random(in: 0..<8, using: &random) == 0 {
            return (0..<Int.random(in: 0..<96, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        var bytes = originals[Int.random(in: 0..<originals.count, using: &random)]
        if UInt8.random(in: 0..<4, using: &random) > 0 { mutate(&bytes, &random) }
        return bytes
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededNumbers) {
        let marks = Array(#""":,{}[]\-.0123456789tfdk"#.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let any = UInt8.random(in: 0...255, using: &random)
            let mark = Bool.random(using: &random) ? any : marks[Int(any) % marks.count]
            switch UInt8.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = mark
            case 1: bytes.removeLast(bytes.count - place)
            case 2: bytes.insert(mark, at: place)
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + Int(any % 24))], at: place)
            default: bytes.remove(at: place)
            }
        }
    }

    /// Mostly numbers: up to 20 digits, perhaps with a point and a sign, perhaps spoilt.
    private static func numberText(_ random: inout SeededNumbers) -> String {
        var text = (0..<Int.random(in: 0...20, using: &random)).map { _ in
            Character(UnicodeScalar(UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)))
        }
        if Bool.random(using: &random) { text.insert(".", at: Int.random(in: 0...text.count, using: &random)) }
        if UInt8.random(in: 0..<6, using: &random) == 0 { text.insert("-", at: 0) }
        if UInt8.random(in: 0..<8, using: &random) == 0 {
            let spoilt = Character(UnicodeScalar(UInt8.random(in: 0x23...0x5B, using: &random)))
            text.insert(spoilt, at: Int.random(in: 0...text.count, using: &random))
        }
        return String(text)
    }
}

extension Decimal {
    /// The price that a text stands for: none if it is no number, zero, longer than 18 digits, finer than 8 decimals, or
    /// too large for an `Int64` at the decimals that it needs, which are 2 at least.
    fileprivate static func exact(_ text: String) -> Decimal? {
        let digits = text.filter { $0 != "." && $0 != "-" }
        guard text.wholeMatch(of: /-?([0-9]+\.?[0-9]*|\.[0-9]+)/) != nil, digits.count <= 18 else { return nil }
        var fraction = text.firstIndex(of: ".").map { text[text.index(after: $0)...] } ?? ""
        while fraction.last == "0" { fraction.removeLast() }
        guard fraction.count <= 8, let value = Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")),
            value != 0, abs(value) * pow(Decimal(10), max(2, fraction.count)) <= Decimal(Int64.max)
        else { return nil }
        return value
    }
}
