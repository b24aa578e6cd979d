import MarketData

/// Until when a key is good, and what for.
public struct KeyTerms: Sendable, Hashable {
    /// Seconds since 1970, UTC; nil: never.
    public var expires: Int64?
    public var permissions: Permissions

    public init(expires: Int64? = nil, permissions: Permissions = .everything) {
        self.expires = expires
        self.permissions = permissions
    }

    /// - Parameter now: Seconds since 1970, UTC.
    /// - Throws: ``AccountStoreError`` with `invalidValue`.
    func check(now: Int64) throws {
        if let expires, expires <= now {
            throw AccountStoreError(
                .invalidValue, "The key would be expired already; `feedhost keys revoke` ends a key at once.")
        }
        try permissions.check()
    }
}

extension Permissions {
    /// Entries of one list.
    static let longestList = 100

    /// Bounded, since every subscription is held against them, and spelt as what they are to be compared with.
    /// - Throws: ``AccountStoreError`` with `invalidValue`.
    func check() throws {
        if let brokers {
            try Self.check("brokers", count: brokers.count)
            for broker in brokers { try AccountNames.check(broker: broker) }
        }
        if let exchanges {
            try Self.check("exchanges", count: exchanges.count)
            for exchange in exchanges { try Self.check(exchange: exchange) }
        }
        if let symbols {
            try Self.check("symbol patterns", count: symbols.count)
            for pattern in symbols { try Self.check(pattern: pattern) }
        }
        if modes.isEmpty { throw wrong("A key without modes allows nothing. Modes are ltp, quote and depth.") }
        if let maxInstruments, !(1...1_000_000).contains(maxInstruments) {
            throw wrong("\(maxInstruments) cannot be the number of instruments: 1 to 1000000 are allowed.")
        }
    }

    private static func check(_ what: String, count: Int) throws {
        guard (1...longestList).contains(count) else {
            throw wrong("A key can name 1 to \(longestList) \(what), not \(count).")
        }
    }

    private static func check(exchange: String) throws {
        let fine = exchange.utf8.allSatisfy { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard fine, (1...32).contains(exchange.utf8.count) else {
            let near = EditDistance.nearest(to: exchange, among: Exchanges.known)
            throw wrong(
                "\(AccountNames.shown(exchange)) cannot be an exchange: capitals, digits and _ are allowed, as in \"NSE_INDEX\"."
                    + (near.map { " Did you mean \($0)?" } ?? ""))
        }
    }

    private static func check(pattern: String) throws {
        if let colon = pattern.firstIndex(of: ":"), Exchanges.known.contains(String(pattern[..<colon])) {
            throw wrong(
                "\(AccountNames.shown(pattern)) names an exchange: give the symbol alone, and the exchange with --exchanges."
            )
        }
        guard Instrument.isSymbol(pattern) else {
            throw wrong(
                "\(AccountNames.shown(pattern)) cannot be a symbol or a pattern: 1 to 96 bytes are allowed, with spaces only inside and nothing invisible, * for any characters and ? for one."
            )
        }
    }

    private static func wrong(_ sentence: String) -> AccountStoreError { AccountStoreError(.invalidValue, sentence) }
    private func wrong(_ sentence: String) -> AccountStoreError { Self.wrong(sentence) }
}
