import AdapterKit
import AdapterTestKit
import AngelAdapter
import CFeedhostABI
import Glibc
import Testing

/// Random bytes, garbled packets and garbled JSON: nothing may crash, and a good packet afterwards still gets through.
/// `FEEDHOST_FUZZ` sets the number of frames, `FEEDHOST_FUZZ_SEED` repeats a run.
@Suite struct AngelFuzzTests {
    private static let seed = getenv("FEEDHOST_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) }
    private static let rounds = getenv("FEEDHOST_FUZZ").flatMap { Int(String(cString: $0)) } ?? 20_000

    private func garbled(_ frames: [[UInt8]], _ random: inout SeededNumbers) -> [UInt8] {
        guard var bytes = frames.randomElement(using: &random), let other = frames.randomElement(using: &random) else {
            return []
        }
        if Int.random(in: 0..<8, using: &random) == 0 {
            return (0..<Int.random(in: 0...500, using: &random)).map { _ in .random(in: 0 ... .max, using: &random) }
        }
        for _ in 0...Int.random(in: 0...6, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...9, using: &random) {
            case 0: bytes.removeSubrange(place...)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
            case 3: bytes.replaceSubrange(place..., with: other.suffix(bytes.count - place))
            case 4:
                for here in place..<min(place + 8, bytes.count) {
                    bytes[here] = Bool.random(using: &random) ? 0xFF : 0x7F
                }
            default: bytes[place] = .random(in: 0 ... .max, using: &random)
            }
        }
        return bytes
    }

    @Test func survivesGarbledPackets() throws {
        let seed = Self.seed ?? .random(in: 0 ... .max)
        print("Angel packet fuzz: seed \(seed), \(Self.rounds) frames")
        var random = SeededNumbers(seed: seed)
        let host = try openAngel()
        host.recordsTicks = false
        host.settled([
            host.share("11", FH_MODE_DEPTH, depth: 20),
            host.wish("NSE_INDEX", "I", FH_MODE_DEPTH, depth: 5, token: ("NSE", "12")),
            host.share("1", FH_MODE_DEPTH, depth: 5, on: "CDS"), host.share("2", FH_MODE_QUOTE, on: "NFO"),
        ])
        var frames: [[UInt8]] = []
        for mode in [1, 2, 3] as [UInt8] {
            for (segment, token) in [(1, "11"), (1, "12"), (13, "1"), (2, "2")] as [(UInt8, String)] {
                frames.append(WireRecord(random: &random).packet(mode, segment: segment, token: token).bytes)
            }
        }
        frames.append(WireBook().packet(token: "11").bytes)
        for round in 0..<Self.rounds {
            host.deliver(garbled(frames, &random), opcode: FH_WS_BINARY)
            if round % 1_000 == 0 { host.log.removeAll() }
        }
        #expect(host.metric(FH_M_FRAMES_BAD) > Int64(Self.rounds / 10))
        #expect(host.tickCount > Self.rounds / 10)
        let before = host.tickCount
        host.deliver(WireRecord().packet(3, token: "11"))
        #expect(host.tickCount == before + 1)
    }

    @Test func survivesGarbledText() throws {
        let seed = Self.seed ?? .random(in: 0 ... .max)
        let rounds = Self.rounds / 4
        print("Angel text fuzz: seed \(seed), \(rounds) frames on each socket")
        var random = SeededNumbers(seed: seed)
        let market = try openAngel()
        market.settled([market.share("11", FH_MODE_LTP)])
        let error = #"{"correlationID":"fh00000001","errorCode":"E1002","errorMessage":"Invalid \u0041 Request"}"#
        let orders = try openAngelOrders()
        let frames = [error, AngelOrderTests.frame(), AngelOrderTests.frame("AB03", ["text": #""a\n\ud83d\u20b9""#])]
            .map {
                Array($0.utf8)
            }
        for round in 0..<rounds {
            let bytes = garbled(frames, &random)
            market.deliver(bytes)
            // A garbled status code may well say that the token is over.
            if orders.liveSocket == nil {
                orders.connect(fields: angelCredentials)
                orders.acceptUpgrade()
                orders.startOrders()
            }
            orders.deliver(bytes)
            if round % 1_000 == 0 {
                market.log.removeAll()
                orders.log.removeAll()
                orders.orders.removeAll()
            }
        }
        #expect(market.metric(FH_M_FRAMES_BAD) > Int64(rounds / 4))
        market.deliver(WireRecord().packet(1, token: "11"))
        #expect(market.tickCount == 1)
    }

    @Test func survivesGarbledMasters() throws {
        let seed = Self.seed ?? .random(in: 0 ... .max)
        let rounds = Self.rounds / 4
        print("Angel master fuzz: seed \(seed), \(rounds) files")
        var random = SeededNumbers(seed: seed)
        let option =
            #"{"token":"45","symbol":"USDINR24MAR83.05CE","name":"USDINR","expiry":"28MAR2024","strike":"830500000.000000","lotsize":"1","instrumenttype":"OPTCUR","exch_seg":"CDS","tick_size":"0.250000"}"#
        let share =
            #"{"token":"2885","symbol":"A\u0026B-EQ","name":"A","expiry":"","instrumenttype":"","exch_seg":"NSE"}"#
        let index = #"{"token":"99926000","symbol":"Nifty 50","instrumenttype":"AMXIDX","exch_seg":"NSE"}"#
        let files = ["[\(option),\(share)]", "[\(index), \(option)]", "[\(share)]"].map { Array($0.utf8) }
        var read = 0
        var refused = 0
        for _ in 0..<rounds {
            do throws(AdapterError) {
                read += try MasterRows.rows(of: Angel.registration.masters[0], in: garbled(files, &random)).rows.count
            } catch {
                refused += 1
            }
        }
        #expect(read > rounds / 20 && refused > rounds / 4)
    }
}
