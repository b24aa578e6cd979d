import AdapterKit

/// The values that one event carries, still as text: which exponent the quantities get depends on how large they are.
///
/// The letters are Binance's; what a letter means depends on the stream.
struct MarketEvent {
    /// `a`.
    private(set) var ask: Bytes?
    /// `A`.
    private(set) var askQuantity: Bytes?
    /// `b`.
    private(set) var bid: Bytes?
    /// `B`.
    private(set) var bidQuantity: Bytes?
    /// `c`.
    private(set) var last: Bytes?
    /// `h`.
    private(set) var high: Bytes?
    /// `l`.
    private(set) var low: Bytes?
    /// `o`.
    private(set) var open: Bytes?
    /// `p` of a trade.
    private(set) var price: Bytes?
    /// `q`: the quantity of a trade; the traded value of the day in a ticker.
    private(set) var quantity: Bytes?
    /// `Q`.
    private(set) var lastQuantity: Bytes?
    /// `v`.
    private(set) var volume: Bytes?
    /// `w`.
    private(set) var average: Bytes?
    /// `x`.
    private(set) var previousClose: Bytes?
    /// The event's own time: milliseconds since the Unix epoch.
    private(set) var time: Int64?
    /// The trade's time: milliseconds since the Unix epoch.
    private(set) var tradeTime: Int64?
    /// `u`: the order book's update that the best bid and ask are from.
    private(set) var update: Int64?
    /// The newest trade in the event.
    private(set) var tradeID: Int64?

    /// Reads the object in `data`; `nil` if it is not what the stream `kind` carries.
    init?(_ kind: StreamKinds, _ data: Bytes) {
        var json = JSONScanner(data)
        guard json.enterObject() else { return nil }
        let isTrade = !kind.isDisjoint(with: .trades)
        let idKey = kind == .trade ? UInt8(ascii: "t") : UInt8(ascii: "l")
        while let key = json.nextKey() {
            guard let letter = key.only else {
                json.skipValue()
                continue
            }
            if letter == UInt8(ascii: "E") {
                time = json.integer()
            } else if kind == .bookTicker, letter == UInt8(ascii: "u") {
                update = json.integer()
            } else if !isTrade {
                takeFigure(letter, &json)
            } else if letter == UInt8(ascii: "T") {
                tradeTime = json.integer()
            } else if letter == idKey {
                tradeID = json.integer()
            } else if letter == UInt8(ascii: "p") {
                price = json.numberOrString()
            } else if letter == UInt8(ascii: "q") {
                quantity = json.numberOrString()
            } else {
                json.skipValue()
            }
        }
        guard json.isFinished, !isTrade || (tradeTime != nil && tradeID != nil) else { return nil }
    }

    /// Takes a value of a ticker or of the best bid and ask.
    private mutating func takeFigure(_ letter: UInt8, _ json: inout JSONScanner) {
        switch letter {
        case UInt8(ascii: "a"): ask = json.numberOrString()
        case UInt8(ascii: "A"): askQuantity = json.numberOrString()
        case UInt8(ascii: "b"): bid = json.numberOrString()
        case UInt8(ascii: "B"): bidQuantity = json.numberOrString()
        case UInt8(ascii: "c"): last = json.numberOrString()
        case UInt8(ascii: "h"): high = json.numberOrString()
        case UInt8(ascii: "l"): low = json.numberOrString()
        case UInt8(ascii: "o"): open = json.numberOrString()
        case UInt8(ascii: "q"): quantity = json.numberOrString()
        case UInt8(ascii: "Q"): lastQuantity = json.numberOrString()
        case UInt8(ascii: "v"): volume = json.numberOrString()
        case UInt8(ascii: "w"): average = json.numberOrString()
        case UInt8(ascii: "x"): previousClose = json.numberOrString()
        default: json.skipValue()
        }
    }
}

/// Why an event cannot be passed on.
enum DecodingFault: Error {
    /// A value is missing or is no such number.
    case wrong
    /// A quantity has no room at this exponent; a coarser one may do.
    case quantityTooFine
}

extension Bytes? {
    /// A price that has to be there; 0 means that there is none, and `nil` comes back.
    func asPrice() throws(DecodingFault) -> Int64? {
        guard let self, let mantissa = DecimalText.mantissa(of: self, exponent: Int(Binance.priceExponent)),
            mantissa >= 0
        else { throw .wrong }
        return mantissa == 0 ? nil : mantissa
    }

    /// A quantity that has to be there.
    func asQuantity(_ exponent: Int8) throws(DecodingFault) -> Int64 {
        guard let self else { throw .wrong }
        guard let mantissa = DecimalText.mantissa(of: self, exponent: Int(exponent)) else { throw .quantityTooFine }
        guard mantissa >= 0 else { throw .wrong }
        return mantissa
    }
}
