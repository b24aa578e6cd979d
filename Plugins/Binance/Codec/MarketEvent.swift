import AdapterKit

/// The values that one event carries, still as text: which exponent the quantities get depends on how large they are.
///
/// The properties are called what Binance calls them; what a letter means depends on the stream.
struct MarketEvent {
    private(set) var a: Bytes?
    private(set) var A: Bytes?
    private(set) var b: Bytes?
    private(set) var B: Bytes?
    private(set) var c: Bytes?
    private(set) var h: Bytes?
    private(set) var l: Bytes?
    private(set) var o: Bytes?
    private(set) var p: Bytes?
    private(set) var q: Bytes?
    private(set) var Q: Bytes?
    private(set) var v: Bytes?
    private(set) var w: Bytes?
    private(set) var x: Bytes?
    /// The event's own time: milliseconds since the Unix epoch.
    private(set) var time: Int64?
    /// The trade's time: milliseconds since the Unix epoch.
    private(set) var tradeTime: Int64?
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
            } else if !isTrade {
                takeFigure(letter, &json)
            } else if letter == UInt8(ascii: "T") {
                tradeTime = json.integer()
            } else if letter == idKey {
                tradeID = json.integer()
            } else if letter == UInt8(ascii: "p") {
                p = json.numberOrString()
            } else if letter == UInt8(ascii: "q") {
                q = json.numberOrString()
            } else {
                json.skipValue()
            }
        }
        guard json.isFinished, !isTrade || (tradeTime != nil && tradeID != nil) else { return nil }
    }

    /// Takes a value of a ticker or of the best bid and ask.
    private mutating func takeFigure(_ letter: UInt8, _ json: inout JSONScanner) {
        switch letter {
        case UInt8(ascii: "a"): a = json.numberOrString()
        case UInt8(ascii: "A"): A = json.numberOrString()
        case UInt8(ascii: "b"): b = json.numberOrString()
        case UInt8(ascii: "B"): B = json.numberOrString()
        case UInt8(ascii: "c"): c = json.numberOrString()
        case UInt8(ascii: "h"): h = json.numberOrString()
        case UInt8(ascii: "l"): l = json.numberOrString()
        case UInt8(ascii: "o"): o = json.numberOrString()
        case UInt8(ascii: "q"): q = json.numberOrString()
        case UInt8(ascii: "Q"): Q = json.numberOrString()
        case UInt8(ascii: "v"): v = json.numberOrString()
        case UInt8(ascii: "w"): w = json.numberOrString()
        case UInt8(ascii: "x"): x = json.numberOrString()
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
    func price() throws(DecodingFault) -> Int64? {
        guard let self, let mantissa = DecimalText.mantissa(of: self, exponent: Int(Binance.priceExponent)),
            mantissa >= 0
        else { throw .wrong }
        return mantissa == 0 ? nil : mantissa
    }

    /// A quantity that has to be there.
    func quantity(_ exponent: Int8) throws(DecodingFault) -> Int64 {
        guard let self else { throw .wrong }
        guard let mantissa = DecimalText.mantissa(of: self, exponent: Int(exponent)) else { throw .quantityTooFine }
        guard mantissa >= 0 else { throw .wrong }
        return mantissa
    }
}
