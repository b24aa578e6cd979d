import AdapterKit
import AdapterTestKit
import CFeedhostABI
import ZerodhaAdapter

/// Decoding of Kite's ticker and reading of its instrument master, publishing included.
var zerodhaBenchmarks: [Benchmark] {
    [
        Benchmark(name: "zerodha: full packet", limit: 150) { try KiteBench(FH_MODE_DEPTH, packet: 184).body() },
        Benchmark(name: "zerodha: full packet, 3,000 instruments", limit: 150) {
            try KiteBench(FH_MODE_DEPTH, packet: 184, instruments: 3_000).body()
        },
        Benchmark(name: "zerodha: quote packet", limit: 100) { try KiteBench(FH_MODE_QUOTE, packet: 44).body() },
        Benchmark(name: "zerodha: last price packet", limit: 100) { try KiteBench(FH_MODE_LTP, packet: 8).body() },
        Benchmark(name: "zerodha: index packet", limit: 100) { try KiteBench(FH_MODE_DEPTH, packet: 32).body() },
        Benchmark(name: "zerodha: full packet of nobody's", limit: 100) {
            try KiteBench(FH_MODE_DEPTH, packet: 184, isSubscribed: false).body()
        },
        Benchmark(name: "zerodha: row of the master", limit: 10_000, allocations: 100) {
            let rows = 1_000
            let text = kiteMaster(rows: rows)
            return { repetitions in
                for _ in 0..<max(1, repetitions / rows) {
                    _ = try? MasterRows.rows(of: Zerodha.registration.masters[0], in: text)
                }
            }
        },
    ]
}

/// A connected adapter and messages of one packet each, in memory that stays where it is.
private final class KiteBench {
    private static let entry = AdapterEntry([Zerodha.registration])

    private let host: InMemoryHost
    private let socket: UInt64
    private let messages: UnsafeMutableBufferPointer<CChar>
    private let size: Int
    private let count: Int

    init(_ mode: Int, packet length: Int, instruments: Int = 1, isSubscribed: Bool = true) throws {
        let host = try InMemoryHost(Self.entry)
        self.host = host
        host.recordsTicks = false
        host.connect(accessToken: "token", fields: ["api_key": "key"])
        host.acceptUpgrade()
        socket = host.sockets[0].id
        let tokens = (1...instruments).map { UInt32($0 * 256 + 1) }
        if isSubscribed {
            host.subscribe(tokens.map { host.wish("NSE", "S\($0)", mode, depth: 5, token: ("NSE", "\($0)")) })
        }
        size = length + 4
        count = instruments
        messages = .allocate(capacity: size * count)
        // A stride that shares no factor with the count: no instrument follows its neighbour.
        for place in 0..<count { fill(place, token: tokens[place * 1_009 % count], length) }
    }

    deinit { messages.deallocate() }

    /// One packet a message, its fields numbers that look like prices and quantities.
    private func fill(_ place: Int, token: UInt32, _ length: Int) {
        var bytes: [UInt8] = [0, 1, UInt8(length >> 8), UInt8(length & 0xFF)]
        for word in 0..<length / 4 {
            let value = word == 0 ? token : word == 11 || word == 15 ? 1_625_461_887 : UInt32(150_000 + word)
            bytes += stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
        }
        for (offset, byte) in bytes.enumerated() { messages[place * size + offset] = CChar(bitPattern: byte) }
    }

    func body() -> (Int) -> Void {
        guard let receive = host.events?.pointee.on_frame, let start = messages.baseAddress else { return { _ in } }
        return { repetitions in
            var place = 0
            for _ in 0..<repetitions {
                let message = fh_str(ptr: UnsafePointer(start + place * self.size), len: UInt64(self.size))
                receive(self.host.instance, self.socket, 0, UInt32(FH_WS_BINARY), message, 1)
                place += 1
                if place == self.count { place = 0 }
            }
        }
    }
}

/// A master of options, as most of Kite's are.
private func kiteMaster(rows: Int) -> [UInt8] {
    var text =
        "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
        + "instrument_type,segment,exchange\n"
    for row in 1...rows {
        text += "\(row * 256 + 2),\(row),NIFTY26DEC\(20_000 + row)CE,\"NIFTY\",0,2026-12-29,\(20_000 + row),0.05,65,CE,"
        text += "NFO-OPT,NFO\n"
    }
    return Array(text.utf8)
}
