import ArgumentParser
import Foundation
import MarketData

/// What to show, checked.
struct TailRequest: Sendable {
    let mode: Mode
    let depth: Int
    let instruments: [Instrument]

    init(mode: String, depth: Int, symbols: [String]) throws {
        guard let mode = Mode(label: mode) else {
            throw ValidationError("--mode \(mode): choose ltp, quote or depth.")
        }
        guard depth > 0 else { throw ValidationError("--depth \(depth): give a number of levels, such as 5 or 20.") }
        self.mode = mode
        self.depth = depth
        instruments = try symbols.map { text in
            guard let instrument = Instrument(text) else {
                throw ValidationError("\(text): write symbols as EXCHANGE:SYMBOL, for example NSE:RELIANCE.")
            }
            return instrument
        }
    }

    /// The protocol's request.
    var json: [String: Any] {
        [
            "action": "subscribe", "mode": mode.label, "depth": depth,
            "symbols": instruments.map { ["symbol": $0.symbol, "exchange": $0.exchange] },
        ]
    }
}
