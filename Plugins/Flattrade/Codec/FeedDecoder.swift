import AdapterKit

/// What a message turned out to be; its values are in the decoder until the next message.
struct FeedHeader {
    /// The type, packed; 0 if the message has none.
    var kind: UInt64 = 0
    /// The exchange, packed; 0 if the message has none or one longer than four letters.
    var exchange: UInt32 = 0
    /// The token; ``FeedDecoder/noToken`` if the message has none that is a number.
    var token = FeedDecoder.noToken
    /// Bits of the values that the message carries, see ``FeedField``.
    var present: UInt64 = 0
    /// The most decimals that any of its prices is written with.
    var mostPlaces: UInt8 = 0
    /// Values that are neither what they should be nor one of the broker's placeholders.
    var unreadable = 0

    @inline(__always)
    func has(_ field: UInt8) -> Bool { present & FeedField.bit(field) != 0 }
}

/// Reads a feed message in one pass, in place, without allocating and without building a tree.
///
/// Safe on any bytes: `decode` answers `nil` for what is no JSON object and never reads past the end. Numbers are kept
/// as they are written, digits and decimals apart, because the price precision may follow them in the message. A value
/// that is empty, `-` or `NA` is absent.
///
/// Not for use from several threads.
final class FeedDecoder {
    static let noToken = UInt32.max

    /// The digits of each value, without the point. Valid where ``FeedHeader/present`` says so.
    let values: UnsafeMutablePointer<Int64>
    /// The decimals of each value.
    let places: UnsafeMutablePointer<UInt8>
    /// From the packed name of a member to its field.
    private let keys = IntegerMap<UInt8>(capacity: 128)

    init() {
        values = .allocate(capacity: FeedField.count)
        values.initialize(repeating: 0, count: FeedField.count)
        places = .allocate(capacity: FeedField.count)
        places.initialize(repeating: 0, count: FeedField.count)
        for (name, field) in FeedField.names { keys[PackedText.pack(name)] = field }
    }

    deinit {
        values.deallocate()
        places.deallocate()
    }

    /// Reads `bytes`; `nil` if they are no JSON object.
    func decode(_ bytes: Bytes) -> FeedHeader? {
        guard var here = bytes.buffer.baseAddress else { return nil }
        let end = here + bytes.count
        var header = FeedHeader()
        guard FeedText.take(UInt8(ascii: "{"), &here, end) else { return nil }
        guard !FeedText.take(UInt8(ascii: "}"), &here, end) else {
            return FeedText.isAtEnd(here, end) ? header : nil
        }
        repeat {
            guard let key = FeedText.key(&here, end) else { return nil }
            let field = keys[key] ?? FeedField.unknown
            if field < FeedField.lastTradeTime || field == FeedField.precision {
                guard let next = readNumber(field, here, end, &header) else { return nil }
                here = next
            } else {
                guard let next = readText(field, here, end, &header) else { return nil }
                here = next
            }
        } while FeedText.take(UInt8(ascii: ","), &here, end)
        guard FeedText.take(UInt8(ascii: "}"), &here, end), FeedText.isAtEnd(here, end) else { return nil }
        return header
    }

    @inline(__always)
    private func readNumber(
        _ field: UInt8, _ here: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ header: inout FeedHeader
    ) -> UnsafePointer<UInt8>? {
        if let number = FeedText.number(here, end) {
            values[Int(field)] = number.digits
            places[Int(field)] = number.places
            header.present |= FeedField.bit(field)
            if field < FeedField.bidQuantity { header.mostPlaces = max(header.mostPlaces, number.places) }
            return number.next
        }
        guard let other = FeedText.otherThanNumber(here, end) else { return nil }
        if !other.isAbsent { header.unreadable &+= 1 }
        return other.next
    }

    private func readText(
        _ field: UInt8, _ here: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ header: inout FeedHeader
    ) -> UnsafePointer<UInt8>? {
        guard field != FeedField.unknown, let (value, next) = FeedText.string(here, end) else {
            // The right member with a value of another kind says nothing.
            if field != FeedField.unknown { header.unreadable &+= 1 }
            return FeedText.skipValue(here, end)
        }
        switch field {
        case FeedField.kind: header.kind = value.packed
        case FeedField.exchange: header.exchange = UInt32(exactly: value.packed) ?? 0
        case FeedField.token: header.token = ScripKey.token(value) ?? Self.noToken
        default:
            if let seconds = IndianTime.secondsOfDay(value) {
                values[Int(field)] = Int64(seconds)
                places[Int(field)] = 0
                header.present |= FeedField.bit(field)
            } else if !value.isPlaceholder {
                header.unreadable &+= 1
            }
        }
        return next
    }

    /// The value of a field as a mantissa with `places` decimals; `nil` if it does not fit.
    @inline(__always)
    func scaled(_ field: UInt8, places wanted: UInt8) -> Int64? {
        let have = places[Int(field)]
        let value = values[Int(field)]
        if have == wanted { return value }
        return DecimalText.rescale(value, from: -Int(have), to: -Int(wanted))
    }

    /// The decimals that every price of the message needs, at least `least`: zeros at the end need none.
    func placesNeeded(_ header: FeedHeader, atLeast least: UInt8) -> UInt8 {
        guard header.mostPlaces > least else { return least }
        var needed = least
        var rest = header.present & FeedField.prices
        while rest != 0 {
            let field = Int(truncatingIfNeeded: rest.trailingZeroBitCount)
            rest &= rest &- 1
            while places[field] > needed, values[field] % 10 == 0 {
                values[field] /= 10
                places[field] -= 1
            }
            needed = max(needed, places[field])
        }
        return needed
    }
}
