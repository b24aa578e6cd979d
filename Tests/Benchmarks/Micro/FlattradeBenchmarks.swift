import AdapterKit
import AdapterTestKit
import CFeedhostABI
import FlattradeAdapter

/// From a Noren message to the published tick, and reading of the instrument master.
var flattradeBenchmarks: [Benchmark] {
    [
        Benchmark(name: "flattrade: last price delta", limit: 400) {
            try NorenBench(FH_MODE_LTP) { #""t":"tf",\#($0),"lp":"118.60","ft":"1638512686""# }.body()
        },
        Benchmark(name: "flattrade: touchline delta", limit: 400) {
            try NorenBench(FH_MODE_QUOTE) {
                #""t":"tf",\#($0),"lp":"118.60","pc":"1.37","v":"162420","ap":"118.40","ft":"1638512686","bp1":"118.55","bq1":"20","sp1":"118.60","sq1":"6200""#
            }.body()
        },
        Benchmark(name: "flattrade: depth delta", limit: 400) {
            try NorenBench(FH_MODE_DEPTH) {
                #""t":"df",\#($0),"lp":"118.60","v":"162420","ltt":"11:54:46","ltq":"200","tbq":"410233","tsq":"530021","ft":"1638512686","bq1":"20","bo1":"2","sp1":"118.60","sq1":"6200""#
            }.body()
        },
        Benchmark(name: "flattrade: depth delta, 3,000 scrips", limit: 400) {
            try NorenBench(FH_MODE_DEPTH, scrips: 3_000) {
                #""t":"df",\#($0),"lp":"118.60","v":"162420","ltt":"11:54:46","ltq":"200","tbq":"410233","tsq":"530021","ft":"1638512686","bq1":"20","bo1":"2","sp1":"118.60","sq1":"6200""#
            }.body()
        },
        Benchmark(name: "flattrade: whole book", limit: 1_000) {
            try NorenBench(FH_MODE_DEPTH) { scrip in norenBook("df", scrip) }.body()
        },
        Benchmark(name: "flattrade: delta of nobody's", limit: 400) {
            try NorenBench(FH_MODE_LTP, isSubscribed: false) {
                #""t":"tf",\#($0),"lp":"118.60","ft":"1638512686""#
            }.body()
        },
        Benchmark(name: "flattrade: row of the master", limit: 10_000, allocations: 100) {
            let rows = 1_000
            let text = norenMaster(rows: rows)
            return { repetitions in
                for _ in 0..<max(1, repetitions / rows) {
                    _ = try? MasterRows.rows(of: Noren.registrations[0].masters[3], in: text)
                }
            }
        },
    ]
}

private let norenEntry = AdapterEntry(Noren.registrations)

/// Five levels of each side.
private func norenBook(_ type: String, _ scrip: String) -> String {
    var text = #""t":"\#(type)",\#(scrip),"lp":"118.60","ft":"1638512686""#
    for level in 1...5 {
        text += #","bp\#(level)":"118.\#(60 - level)","bq\#(level)":"\#(level * 100)","bo\#(level)":"\#(level)""#
        text += #","sp\#(level)":"118.\#(60 + level)","sq\#(level)":"\#(level * 100)","so\#(level)":"\#(level)""#
    }
    return text
}

/// A connected adapter whose scrips have had their snapshots, and a message for each, in memory that stays where it is.
private final class NorenBench {
    private let host: InMemoryHost
    private let socket: UInt64
    private let messages: UnsafeMutableBufferPointer<CChar>
    private let sizes: [Int]
    private let places: [Int]

    init(_ mode: Int, scrips: Int = 64, isSubscribed: Bool = true, message: (String) -> String) throws {
        let host = try InMemoryHost(norenEntry)
        self.host = host
        host.recordsTicks = false
        host.connect(accessToken: "token", fields: ["user_id": "FZ00000"])
        host.acceptUpgrade()
        host.deliver(#"{"t":"ak","uid":"FZ00000","s":"OK"}"#)
        socket = host.sockets[0].id
        if isSubscribed {
            for first in stride(from: 1, through: scrips, by: 100) {
                host.subscribe(
                    (first...min(first + 99, scrips)).map {
                        host.wish("NSE", "S\($0)", mode, depth: 5, token: ("NSE", "\($0 * 37)"))
                    })
                host.advance(by: .seconds(1))
            }
            for number in 1...scrips {
                let scrip = #""e":"NSE","tk":"\#(number * 37)","pp":"2""#
                host.deliver("{\(norenBook(mode == FH_MODE_DEPTH ? "dk" : "tk", scrip))}")
            }
        }
        // A stride that shares no factor with the count: no scrip follows its neighbour.
        let texts = (0..<scrips).map { place in
            let number = place * 1_009 % scrips + 1
            return Array("{\(message(#""e":"NSE","tk":"\#(number * 37)""#))}".utf8)
        }
        sizes = texts.map(\.count)
        var place = 0
        places = sizes.map { size in
            defer { place += size }
            return place
        }
        messages = .allocate(capacity: place)
        for (offset, byte) in texts.joined().enumerated() { messages[offset] = CChar(bitPattern: byte) }
    }

    deinit { messages.deallocate() }

    func body() -> (Int) -> Void {
        guard let receive = host.events?.pointee.on_frame, let start = messages.baseAddress else { return { _ in } }
        return { repetitions in
            var next = 0
            for _ in 0..<repetitions {
                let message = fh_str(ptr: UnsafePointer(start + self.places[next]), len: UInt64(self.sizes[next]))
                receive(self.host.instance, self.socket, 0, UInt32(FH_WS_TEXT), message, 1_638_512_686_500_000_000)
                next += 1
                if next == self.places.count { next = 0 }
            }
        }
    }
}

/// Options, as most scrips are.
private func norenMaster(rows: Int) -> [UInt8] {
    var text = "Exchange,Token,Lotsize,Symbol,Tradingsymbol,Instrument,Expiry,Strike,Optiontype\n"
    for row in 1...rows {
        text += "NFO,\(row + 40_000),65,NIFTY,NIFTY29DEC26C\(20_000 + row),OPTIDX,29-DEC-2026,\(20_000 + row),CE\n"
    }
    return Array(text.utf8)
}
