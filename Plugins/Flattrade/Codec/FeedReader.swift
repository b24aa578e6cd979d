import AdapterKit

/// The values of a message that do not belong to the book, on their way into a tick.
struct FeedReader {
    private let header: FeedHeader
    private let numbers: FeedNumbers
    private let decimals: UInt8
    /// Values that have no room at the precision of their kind.
    private(set) var unreadable = 0

    /// - Parameter decimals: of prices
    init(_ header: FeedHeader, _ numbers: FeedNumbers, decimals: UInt8) {
        self.header = header
        self.numbers = numbers
        self.decimals = decimals
    }

    /// Sets all of them.
    @inline(__always)
    mutating func fillDay(_ tick: inout Tick) {
        if header.present & FeedField.dayPrices != 0 {
            tick.lastPrice = price(FeedField.lastPrice)
            tick.averagePrice = price(FeedField.averagePrice)
            tick.open = price(FeedField.open)
            tick.high = price(FeedField.high)
            tick.low = price(FeedField.low)
            tick.previousClose = price(FeedField.previousClose)
            tick.upperLimit = price(FeedField.upperLimit)
            tick.lowerLimit = price(FeedField.lowerLimit)
            tick.yearHigh = price(FeedField.yearHigh)
            tick.yearLow = price(FeedField.yearLow)
        }
        if header.present & FeedField.units != 0 {
            tick.volume = units(FeedField.volume)
            tick.lastQuantity = units(FeedField.lastQuantity)
            tick.totalBuyQuantity = units(FeedField.totalBuy)
            tick.totalSellQuantity = units(FeedField.totalSell)
            tick.openInterest = units(FeedField.openInterest)
            tick.previousOpenInterest = units(FeedField.previousOpenInterest)
        }
    }

    /// A price of zero, however it is written, is how the broker says that there is none: it replaces nothing.
    @inline(__always)
    private mutating func price(_ field: UInt8) -> Int64? {
        guard header.has(field) else { return nil }
        guard let price = numbers.scaled(field, places: decimals) else {
            unreadable &+= 1
            return nil
        }
        return price == 0 ? nil : price
    }

    @inline(__always)
    private mutating func units(_ field: UInt8) -> Int64? {
        guard header.has(field) else { return nil }
        guard let units = numbers.scaled(field, places: 0), units >= 0 else {
            unreadable &+= 1
            return nil
        }
        return units
    }
}
