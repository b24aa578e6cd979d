/// A future or an option in OpenAlgo's format: `NIFTY29DEC26FUT`, `NIFTY29DEC2624000CE`, `VEDL29DEC26292.5PE`.
struct DerivativeName: Hashable {
    enum Contract: Hashable {
        case future
        /// The strike is in paise.
        case option(strike: Int64, isCall: Bool)
    }

    var underlying: String
    var contract: Contract

    /// Reads `symbol` if it ends like a derivative and `isUnderlying` knows what it begins with.
    ///
    /// An underlying may end in digits (`NIFTYNXT50`), so every split is tried.
    init?(_ symbol: String, isUnderlying: (String) -> Bool) {
        let bytes = Array(symbol.utf8)
        // DDMMMYY and FUT are ten letters.
        guard bytes.count > 10 else { return nil }
        for split in 1...(bytes.count - 10) {
            guard Self.isDate(bytes[split..<(split + 7)]), let contract = Self.contract(bytes[(split + 7)...]) else {
                continue
            }
            let name = String(decoding: bytes[..<split], as: UTF8.self)
            guard isUnderlying(name) else { continue }
            underlying = name
            self.contract = contract
            return
        }
        return nil
    }

    private static let months = [
        "JAN": 31, "FEB": 28, "MAR": 31, "APR": 30, "MAY": 31, "JUN": 30, "JUL": 31, "AUG": 31, "SEP": 30, "OCT": 31,
        "NOV": 30, "DEC": 31,
    ]

    private static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
        guard let day = number(text.prefix(2)), let year = number(text.suffix(2)) else { return false }
        let month = String(decoding: text.dropFirst(2).prefix(3), as: UTF8.self)
        guard let usual = months[month] else { return false }
        // From 2000 to 2099 every fourth year is a leap year.
        let days = month == "FEB" && year % 4 == 0 ? 29 : usual
        return day >= 1 && day <= days
    }

    private static func contract(_ text: ArraySlice<UInt8>) -> Contract? {
        if text.elementsEqual("FUT".utf8) { return .future }
        let isCall = text.suffix(2).elementsEqual("CE".utf8)
        guard isCall || text.suffix(2).elementsEqual("PE".utf8) else { return nil }
        let parts = text.dropLast(2).split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.count <= 8, let rupees = number(first) else { return nil }
        var paise = rupees * 100
        if parts.count == 2 {
            guard (1...2).contains(parts[1].count), let fraction = number(parts[1]) else { return nil }
            paise += parts[1].count == 1 ? fraction * 10 : fraction
        }
        return paise > 0 ? .option(strike: paise, isCall: isCall) : nil
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int64? {
        guard !text.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in text {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }
}
