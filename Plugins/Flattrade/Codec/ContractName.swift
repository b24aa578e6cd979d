import AdapterKit

/// A contract as the exchange spells it, read from its end: underlying, day of expiry, strike, kind, e.g.
/// `SENSEX5026NOV80000PE`.
///
/// From its end, because an underlying may hold digits anywhere (`360ONE`, `SENSEX50`, `3MINDIA`), hyphens and `&`,
/// while expiry, strike and kind are known from the columns beside it.
struct ContractName {
    /// Nil when nothing in the name is the contract's day.
    let underlying: String?

    /// - Parameters:
    ///   - kind: `FUT`, `CE` or `PE`.
    ///   - strike: As in the column; empty for futures.
    init(_ tradingSymbol: String, expiry: CalendarDay, kind: String, strike: Bytes) {
        guard tradingSymbol.hasSuffix(kind) else {
            underlying = nil
            return
        }
        let body = Array(tradingSymbol.utf8.dropLast(kind.utf8.count))
        let wanted = DecimalText.mantissa(of: strike, exponent: -8)
        var best: (length: Int, isExact: Bool)?
        for day in Self.spellings(of: expiry) {
            for start in body.indices.dropFirst() where body[start...].starts(with: day) {
                let rest = body[(start + day.count)...]
                guard kind == "FUT" ? rest.isEmpty : Self.isNumber(rest) else { continue }
                // 26SEP980 and 269248 0: where both a month's and a week's spelling fit, the strike tells them apart.
                let isExact = kind == "FUT" || Self.mantissa(rest) == wanted
                if let best, (best.isExact ? 1 : 0, best.length) >= (isExact ? 1 : 0, start) { continue }
                best = (start, isExact)
            }
        }
        underlying = best.map { String(decoding: body[..<$0.length], as: UTF8.self) }
    }

    /// `26SEP` of a month's last contract, `26924` and `26O08` of a week's, and the full day.
    private static func spellings(of day: CalendarDay) -> [[UInt8]] {
        let full = day.symbolText
        let (date, month, year) = (full.prefix(2), full.dropFirst(2).prefix(3), full.suffix(2))
        let number = Int(day.number) / 100 % 100
        let letter = number < 10 ? "\(number)" : String(month.prefix(1))
        return [year + month, year + letter + date, Substring(full)].map { Array($0.utf8) }
    }

    private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty
            && text.allSatisfy { ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: ".") }
    }

    private static func mantissa(_ text: ArraySlice<UInt8>) -> Int64? {
        text.withUnsafeBufferPointer { DecimalText.mantissa(of: Bytes($0), exponent: -8) }
    }
}
