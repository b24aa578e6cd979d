import AdapterKit
import AdapterTestKit
import AngelAdapter
import CFeedhostABI

/// Made once, as in a plugin: the tables are never freed.
let angelEntry = AdapterEntry([Angel.registration])

let angelCredentials = [
    "api_key": "key-1", "user_id": "C123", "access_token": "jwt-1", "feed_token": "feed-1",
]

/// A host whose market connection is open.
func openAngel(_ settings: [String: String] = [:]) throws -> InMemoryHost {
    let host = try InMemoryHost(angelEntry, settings: settings)
    host.connect(fields: angelCredentials)
    host.acceptUpgrade()
    return host
}

/// A host whose order connection is open, with a client that wants updates.
func openAngelOrders() throws -> InMemoryHost {
    let host = try InMemoryHost(angelEntry, link: 1)
    host.connect(fields: angelCredentials)
    host.acceptUpgrade()
    host.startOrders()
    return host
}

extension InMemoryHost {
    /// A wish for a share of NSE, unless another segment is named.
    func share(_ token: String, _ mode: Int, depth: Int = 0, on exchange: String = "NSE", segment: String? = nil)
        -> Wish
    {
        wish(exchange, "S\(token)", mode, depth: depth, token: (segment ?? exchange, token))
    }

    /// Subscribes and lets the time pass in which the broker may refuse.
    func settled(_ wishes: [Wish]) {
        subscribe(wishes)
        advance(by: .seconds(1))
    }

    /// Sends a packet.
    func deliver(_ packet: WirePacket) { deliver(packet.bytes, opcode: FH_WS_BINARY) }

    /// The frames that the adapter has sent, without heartbeats and correlation numbers.
    var requests: [String] {
        sockets.last?.sentText.filter { $0 != "ping" }.map {
            "\($0.prefix(18))\($0.dropFirst(28))"
        } ?? []
    }

    /// The number in the request `index`, counted among requests.
    func correlation(_ index: Int) -> String {
        guard let text = sockets.last?.sentText.filter({ $0 != "ping" })[index] else { return "" }
        return String(text.dropFirst(18).prefix(10))
    }

    func refuse(_ correlation: String, _ code: String = "E1002") {
        let message = code == "E1002" ? "Invalid Request. Subscription Limit Exceeded." : "Invalid Request Payload."
        deliver("{\"correlationID\":\"\(correlation)\",\"errorCode\":\"\(code)\",\"errorMessage\":\"\(message)\"}")
    }
}

/// What a request should look like, written out once more by hand: action, mode, and the tokens of each segment.
func request(_ action: Int, _ mode: Int, _ groups: (Int, [String])...) -> String {
    let list = groups.map { segment, tokens in
        "{\"exchangeType\":\(segment),\"tokens\":[" + tokens.map { "\"\($0)\"" }.joined(separator: ",") + "]}"
    }
    return "{\"correlationID\":\"\",\"action\":\(action),\"params\":{\"mode\":\(mode),\"tokenList\":["
        + list.joined(separator: ",") + "]}}"
}

/// A packet, written from the offsets of the documentation and not with anything of the adapter.
struct WirePacket {
    var bytes: [UInt8]

    init(_ mode: UInt8, segment: UInt8 = 1, token: String) {
        let size = [1: 51, 2: 123, 3: 379, 4: 443][mode] ?? 51
        bytes = Array(repeating: 0, count: size)
        bytes[0] = mode
        bytes[1] = segment
        for (place, byte) in token.utf8.prefix(25).enumerated() { bytes[2 + place] = byte }
    }

    mutating func put(_ value: some FixedWidthInteger, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { little in
            for (place, byte) in little.enumerated() { bytes[offset + place] = byte }
        }
    }

    mutating func put(_ value: Double, at offset: Int) { put(value.bitPattern, at: offset) }

    func with(_ value: Int64, at offset: Int) -> WirePacket {
        var copy = self
        copy.put(value, at: offset)
        return copy
    }
}

/// The numbers of one packet, and the packet that says them.
struct WireRecord {
    var sequence: Int64 = 7
    var exchangeTime: Int64 = 1_700_000_000_000
    var last: Int64 = 141_840
    var lastQuantity: Int64 = 10
    var average: Int64 = 141_800
    var volume: Int64 = 999
    var totalBuy = 5.0
    var totalSell = 6.0
    var open: Int64 = 140_000
    var high: Int64 = 142_000
    var low: Int64 = 139_000
    var close: Int64 = 141_000
    var tradeTime: Int64 = 1_699_999_999
    var openInterest: Int64 = 777
    var upper: Int64 = 155_000
    var lower: Int64 = 127_000
    var yearHigh: Int64 = 160_000
    var yearLow: Int64 = 100_000
    var bids: [PublishedLevel] = (0..<5).map { PublishedLevel(price: 141_830 - $0 * 5, quantity: 100 + $0, orders: 3) }
    var asks: [PublishedLevel] = (0..<5).map { PublishedLevel(price: 141_845 + $0 * 5, quantity: 200 + $0, orders: 4) }

    init() {}

    init(random: inout SeededNumbers) {
        func price() -> Int64 { .random(in: 1...90_000_000, using: &random) }
        func quantity() -> Int64 { .random(in: 0...5_000_000_000, using: &random) }
        sequence = quantity()
        exchangeTime = .random(in: 700_000_000_000...2_000_000_000_000, using: &random)
        (last, average, open, high, low, close) = (price(), price(), price(), price(), price(), price())
        (upper, lower, yearHigh, yearLow) = (price(), price(), price(), price())
        lastQuantity = quantity() + 1
        (volume, openInterest) = (quantity(), quantity())
        (totalBuy, totalSell) = (Double(quantity()), Double(quantity()))
        tradeTime = .random(in: 700_000_000...4_000_000_000, using: &random)
        func level() -> PublishedLevel {
            PublishedLevel(price: price(), quantity: quantity() + 1, orders: .random(in: 0...65_535, using: &random))
        }
        bids = (0..<5).map { _ in level() }
        asks = (0..<5).map { _ in level() }
    }

    func packet(_ mode: UInt8, segment: UInt8 = 1, token: String) -> WirePacket {
        var packet = WirePacket(mode, segment: segment, token: token)
        packet.put(sequence, at: 27)
        packet.put(exchangeTime, at: 35)
        packet.put(last, at: 43)
        guard mode > 1 else { return packet }
        packet.put(lastQuantity, at: 51)
        packet.put(average, at: 59)
        packet.put(volume, at: 67)
        packet.put(totalBuy, at: 75)
        packet.put(totalSell, at: 83)
        packet.put(open, at: 91)
        packet.put(high, at: 99)
        packet.put(low, at: 107)
        packet.put(close, at: 115)
        guard mode > 2 else { return packet }
        packet.put(tradeTime, at: 123)
        packet.put(openInterest, at: 131)
        packet.put(1e8, at: 139)
        for (place, level) in bids.enumerated() { Self.put(level, flag: 1, at: 147 + 20 * place, in: &packet) }
        for (place, level) in asks.enumerated() { Self.put(level, flag: 0, at: 247 + 20 * place, in: &packet) }
        packet.put(upper, at: 347)
        packet.put(lower, at: 355)
        packet.put(yearHigh, at: 363)
        packet.put(yearLow, at: 371)
        return packet
    }

    static func put(_ level: PublishedLevel, flag: UInt16, at offset: Int, in packet: inout WirePacket) {
        packet.put(flag, at: offset)
        packet.put(level.quantity, at: offset + 2)
        packet.put(level.price, at: offset + 10)
        packet.put(UInt16(clamping: level.orders), at: offset + 18)
    }
}

/// Twenty levels a side, and the packet of mode 4 that says them.
struct WireBook {
    var bids: [PublishedLevel]
    var asks: [PublishedLevel]

    init(first: Int64 = 141_830) {
        bids = (0..<20).map { PublishedLevel(price: first - $0 * 5, quantity: 100 + $0, orders: 3) }
        asks = (0..<20).map { PublishedLevel(price: first + 15 + $0 * 5, quantity: 200 + $0, orders: 4) }
    }

    func packet(token: String, time: Int64 = 1_700_000_000_500) -> WirePacket {
        var packet = WirePacket(4, token: token)
        packet.put(time, at: 27)
        packet.put(Int64(1), at: 35)
        for (offset, side) in [(43, bids), (243, asks)] {
            for (place, level) in side.enumerated() {
                packet.put(Int32(level.quantity), at: offset + 10 * place)
                packet.put(Int32(level.price), at: offset + 10 * place + 4)
                packet.put(Int16(level.orders), at: offset + 10 * place + 8)
            }
        }
        return packet
    }
}
