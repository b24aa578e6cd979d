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

    /// What the last message has brought; theirs is the decoder's memory.
    let numbers = FeedNumbers()
    /// From the packed name of a member to its field.
    private let keys = IntegerMap<UInt8>(capacity: 128)

    init() {
        for (name, field) in FeedField.names { keys[PackedText.pack(name)] = field }
    }

    deinit {
        numbers.deallocate()
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
            if field <= FeedField.lastNumber {
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
        _ field: UInt8, _ here: FeedText.Place, _ end: FeedText.Place, _ header: inout FeedHeader
    ) -> FeedText.Place? {
        if let number = FeedText.number(here, end) {
            numbers.set(field, number.digits, places: number.places)
            header.present |= FeedField.bit(field)
            if field < FeedField.bidQuantity { header.mostPlaces = max(header.mostPlaces, number.places) }
            return number.next
        }
        guard let other = FeedText.otherThanNumber(here, end) else { return nil }
        if !other.isAbsent { header.unreadable &+= 1 }
        return other.next
    }

    @inline(__always)
    private func readText(
        _ field: UInt8, _ here: FeedText.Place, _ end: FeedText.Place, _ header: inout FeedHeader
    ) -> FeedText.Place? {
        if let text = FeedText.short(here, end) {
            switch field {
            case FeedField.kind:
                header.kind = text.packed
                return text.next
            case FeedField.exchange:
                header.exchange = UInt32(exactly: text.packed) ?? 0
                return text.next
            case FeedField.token:
                header.token = ScripKey.token(text) ?? Self.noToken
                return text.next
            case FeedField.lastTradeTime:
                if let seconds = IndianTime.secondsOfDay(Bytes(here + 1, count: text.bits &>> 3)) {
                    setTradeTime(seconds, &header)
                    return text.next
                }
            default:
                return text.next
            }
        }
        // A copy, so that the header itself may stay in registers.
        var copy = header
        defer { header = copy }
        return readAnyText(field, here, end, &copy)
    }

    /// The same for texts that are long, or near the end, or something else than they should be.
    @inline(never)
    private func readAnyText(
        _ field: UInt8, _ here: FeedText.Place, _ end: FeedText.Place, _ header: inout FeedHeader
    ) -> FeedText.Place? {
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
                setTradeTime(seconds, &header)
            } else if !value.isPlaceholder {
                header.unreadable &+= 1
            }
        }
        return next
    }

    @inline(__always)
    private func setTradeTime(_ seconds: Int, _ header: inout FeedHeader) {
        numbers.set(FeedField.lastTradeTime, Int64(seconds), places: 0)
        header.present |= FeedField.bit(FeedField.lastTradeTime)
    }
}
