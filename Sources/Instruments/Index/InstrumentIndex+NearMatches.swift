import MarketData

/// What somebody probably meant. Work is bounded whatever is asked: a client may be wrong a thousand times a second.
extension InstrumentIndex {
    /// Rows looked at on either side of where the wrong symbol would stand.
    private static let neighbours = 200
    /// What single slips of the keyboard are made of.
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789&-".utf8)
    /// Symbols longer than this get no slips tried: no share has one.
    private static let longest = 16

    /// Symbols on the same exchange that are few slips away or begin alike, best first; if there are none, the same
    /// symbol on other exchanges.
    func nearMatches(_ instrument: Instrument, limit: Int) -> [Instrument] {
        guard limit > 0 else { return [] }
        let wrong = Array(instrument.symbol.prefix(100).utf8.map(Self.capital))
        guard !wrong.isEmpty else { return [] }
        if let exchange = exchanges.find(instrument.exchange) {
            let rows = nearRows(exchange, wrong)
            if !rows.isEmpty { return rows.prefix(limit).map(self.instrument) }
        }
        return elsewhere(wrong).prefix(limit).map(self.instrument)
    }

    /// Best first: by slips, where what only begins alike comes behind; then in order.
    private func nearRows(_ exchange: UInt16, _ wrong: [UInt8]) -> [Int] {
        var slips: [Int: Int] = [:]
        for row in oneSlipAway(exchange, wrong) { slips[row] = 1 }
        let allowed = max(1, min(3, wrong.count / 3))
        for row in neighbours(exchange, wrong) where slips[row] == nil {
            texts.with(records[row].symbol) { symbol in
                let distance = wrong.withUnsafeBufferPointer {
                    EditDistance.between($0, symbol, atMost: allowed)
                }
                if let distance {
                    slips[row] = distance
                } else if symbol.starts(with: wrong) {
                    // RELI for RELIANCE: the fewer letters are missing, the better.
                    slips[row] = allowed + symbol.count - wrong.count
                }
            }
        }
        return slips.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
    }

    /// The rows around the place where the symbol would stand.
    private func neighbours(_ exchange: UInt16, _ wrong: [UInt8]) -> Range<Int> {
        let rows = ranges[Int(exchange)]
        let place = wrong.withUnsafeBufferPointer { wrong in
            var low = rows.lowerBound
            var high = rows.upperBound
            while low < high {
                let middle = (low + high) / 2
                if texts.precedes(records[middle].symbol, wrong) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        return max(rows.lowerBound, place - Self.neighbours)..<min(rows.upperBound, place + Self.neighbours)
    }

    /// Every symbol that is one insertion, deletion, replacement or swap away from the wrong one, by looking each up: slips
    /// in the first letters are far away in the order.
    private func oneSlipAway(_ exchange: UInt16, _ wrong: [UInt8]) -> Set<Int> {
        var found: Set<Int> = []
        guard wrong.count <= Self.longest else { return found }
        var word: [UInt8] = []
        func tryOut() {
            if let row = word.withUnsafeBufferPointer({ row(exchange, $0) }) { found.insert(row) }
        }
        // The same in capitals.
        word = wrong
        tryOut()
        for at in wrong.indices {
            word = wrong
            word.remove(at: at)
            tryOut()
            word = wrong
            for letter in Self.alphabet where letter != wrong[at] {
                word[at] = letter
                tryOut()
            }
            guard at + 1 < wrong.count else { continue }
            word = wrong
            word.swapAt(at, at + 1)
            tryOut()
        }
        for at in 0...wrong.count {
            word = wrong
            word.insert(0, at: at)
            for letter in Self.alphabet {
                word[at] = letter
                tryOut()
            }
        }
        return found
    }

    private func elsewhere(_ symbol: [UInt8]) -> [Int] {
        symbol.withUnsafeBufferPointer { symbol in
            exchanges.words.indices.compactMap { row(UInt16($0), symbol) }
        }
    }

    private static func capital(_ byte: UInt8) -> UInt8 { (0x61...0x7A).contains(byte) ? byte - 0x20 : byte }
}
