import AdapterKit
import AdapterTestKit
import CFeedhostABI
import ZerodhaAdapter

/// Made once, as in a plugin: the tables are never freed.
let zerodhaEntry = AdapterEntry([Zerodha.registration])

/// Instruments of the tests, by Kite's tokens: the low byte is the segment.
enum Token {
    static let infy: UInt32 = 408_065
    static let tcs: UInt32 = 2_953_217
    static let nifty: UInt32 = 256_265
    static let sensex: UInt32 = 265
    static let niftyFuture: UInt32 = 11_536_642
    static let usdinr: UInt32 = 412_675
    static let usdinrBSE: UInt32 = 25_606
    static let crude: UInt32 = 109_135_367
    static let goldNSE: UInt32 = 25_612
}

extension InMemoryHost {
    /// A wish for the instrument that Kite knows as `token`.
    func wish(_ token: UInt32, _ mode: Int, on exchange: String = "NSE", as symbol: String? = nil) -> Wish {
        wish(
            exchange, symbol ?? "S\(token)", mode, depth: mode == FH_MODE_DEPTH ? 5 : 0,
            token: ("NSE", "\(token)"))
    }

    /// Delivers a binary message.
    func deliver(binary message: [UInt8]) { deliver(message, opcode: FH_WS_BINARY) }

    /// What was sent through the newest socket, and forgets it.
    func takeSent() -> [String] {
        let index = sockets.count - 1
        defer {
            sockets[index].sent.removeAll()
            sockets[index].sentAt.removeAll()
        }
        return sockets[index].sentText
    }
}

/// A host whose adapter has an open socket.
func openZerodha(_ settings: [String: String] = [:]) throws -> InMemoryHost {
    let host = try InMemoryHost(zerodhaEntry, settings: settings)
    host.connect(accessToken: "token1", fields: ["api_key": "key1"])
    host.acceptUpgrade()
    return host
}

/// A host with one instrument subscribed.
func subscribeZerodha(_ token: UInt32, _ mode: Int) throws -> InMemoryHost {
    let host = try openZerodha()
    host.subscribe([host.wish(token, mode)])
    return host
}

/// A binary packet, written from the tables of Kite Connect's WebSocket docs: every field by its offset.
struct KitePacket {
    var bytes: [UInt8]

    init(_ length: Int, token: UInt32) {
        bytes = Array(repeating: 0, count: length)
        put(token, at: 0)
    }

    /// A packet of the kind that `length` stands for, with a different number in every field that it has.
    static func numbered(_ length: Int, token: UInt32) -> KitePacket {
        var packet = KitePacket(length, token: token)
        let header = length == 28 || length == 32 ? length : min(length, 64)
        for offset in stride(from: 4, to: header, by: 4) { packet.put(UInt32(100_000 + offset), at: offset) }
        if length == 32 { packet.put(1_625_461_887, at: 28) }
        guard length == 184 else { return packet }
        packet.put(1_625_461_880, at: 44)
        packet.put(1_625_461_887, at: 60)
        for level in 0..<10 {
            packet.putLevel(
                level, price: Int32(200_000 + level), quantity: UInt32(10 + level), orders: UInt16(1 + level))
        }
        return packet
    }

    mutating func put(_ value: UInt32, at offset: Int) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
    }

    /// Level 0–4 of the bids, 5–9 of the offers.
    mutating func putLevel(_ level: Int, price: Int32, quantity: UInt32, orders: UInt16) {
        let offset = 64 + 12 * level
        put(quantity, at: offset)
        put(UInt32(bitPattern: price), at: offset + 4)
        bytes[offset + 8] = UInt8(orders >> 8)
        bytes[offset + 9] = UInt8(orders & 0xFF)
    }
}

/// A message of packets.
func kiteMessage(_ packets: [[UInt8]]) -> [UInt8] {
    func twoBytes(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
    return twoBytes(packets.count) + packets.flatMap { twoBytes($0.count) + $0 }
}

func kiteMessage(_ packets: KitePacket...) -> [UInt8] { kiteMessage(packets.map(\.bytes)) }

/// The bytes that `text` writes in hexadecimal digits, blanks aside.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
