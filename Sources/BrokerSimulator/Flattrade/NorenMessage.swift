import NIOCore

/// The two feeds of a scrip. They are subscribed to independently, and both may run at once.
enum NorenFeed: UInt8, Hashable, Sendable {
    case touchline = 1
    case depth = 2

    /// `t` of a snapshot, which is also the acknowledgement of the subscription.
    var snapshot: String { self == .touchline ? "tk" : "dk" }
    /// `t` of a message that holds only what has changed.
    var delta: String { self == .touchline ? "tf" : "df" }
}

/// Writes market messages: one JSON object, every value a string.
///
/// Source: Flattrade's Pi documentation of its WebSocket, and the official Noren clients.
enum NorenMessage {
    /// `,"lp":"` for every field, with its place in the image, per feed.
    private static let touchline = fields { $0.isOfTouchline }
    private static let depth = fields { _ in true }

    private struct Field {
        let place: Int
        let prefix: [UInt8]
        let form: NorenField.Form
        let isOfDeltasOnly: Bool
    }

    private static func fields(_ isIncluded: (NorenField) -> Bool) -> [Field] {
        NorenField.allCases.filter(isIncluded).map { field in
            Field(
                place: field.rawValue, prefix: Array(",\"\(field.key)\":\"".utf8), form: field.form,
                isOfDeltasOnly: field.isOfDeltasOnly)
        }
    }

    /// Everything that is known. Fields that the scrip does not have are left out.
    static func writeSnapshot(
        _ image: NorenImage, of listing: NorenListing, feed: NorenFeed, to buffer: inout ByteBuffer
    ) {
        writeHead(feed.snapshot, listing, to: &buffer)
        buffer.writeString(#","ts":"\#(listing.symbol)","pp":"\#(listing.precision)","ls":"\#(listing.lotSize)""#)
        buffer.writeString(#","ti":""#)
        writeFixed(listing.tickSize, decimals: listing.precision, to: &buffer)
        buffer.writeInteger(UInt8(ascii: "\""))
        for field in feed == .touchline ? touchline : depth where !field.isOfDeltasOnly {
            write(field, image, precision: listing.precision, to: &buffer)
        }
        buffer.writeInteger(UInt8(ascii: "}"))
    }

    /// What differs from `former`. `former` then says what the client knows.
    /// - Returns: False, with nothing written, when nothing but the time has changed.
    static func writeDelta(
        _ image: NorenImage, since former: NorenImage, of listing: NorenListing, feed: NorenFeed,
        to buffer: inout ByteBuffer
    ) -> Bool {
        let start = buffer.writerIndex
        var hasNews = false
        for field in feed == .touchline ? touchline : depth {
            let value = image.values[field.place]
            guard value != NorenImage.absent, value != former.values[field.place] else { continue }
            if !hasNews {
                guard field.place != NorenField.feedTime.rawValue else { continue }
                hasNews = true
                writeHead(feed.delta, listing, to: &buffer)
            }
            write(field, image, precision: listing.precision, to: &buffer)
        }
        guard hasNews else {
            buffer.moveWriterIndex(to: start)
            return false
        }
        buffer.writeInteger(UInt8(ascii: "}"))
        return true
    }

    private static func writeHead(_ kind: String, _ listing: NorenListing, to buffer: inout ByteBuffer) {
        buffer.writeString(#"{"t":""#)
        buffer.writeString(kind)
        buffer.writeString(#"","e":""#)
        buffer.writeString(listing.scrip.exchange)
        buffer.writeString(#"","tk":""#)
        buffer.writeString(listing.scrip.token)
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    private static func write(_ field: Field, _ image: NorenImage, precision: Int, to buffer: inout ByteBuffer) {
        let value = image.values[field.place]
        guard value != NorenImage.absent else { return }
        buffer.writeBytes(field.prefix)
        switch field.form {
        case .price: writeFixed(value, decimals: precision, to: &buffer)
        case .percent: writeFixed(value, decimals: 2, to: &buffer)
        case .count, .seconds: writeFixed(value, decimals: 0, to: &buffer)
        case .clock: writeClock(value, to: &buffer)
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    /// Decimal text with that many decimals, trailing zeros included.
    static func writeFixed(_ mantissa: Int64, decimals: Int, to buffer: inout ByteBuffer) {
        if mantissa < 0 { buffer.writeInteger(UInt8(ascii: "-")) }
        var rest = mantissa.magnitude
        // 20 digits, a point, and zeros before a small fraction.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { text in
            var at = 48
            var written = 0
            repeat {
                if written == decimals, decimals > 0 {
                    at -= 1
                    text[at] = UInt8(ascii: ".")
                }
                at -= 1
                text[at] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
                written += 1
            } while rest != 0 || written <= decimals
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[at..<48]))
        }
    }

    /// `HH:MM:SS` in India, five and a half hours ahead.
    private static func writeClock(_ seconds: Int64, to buffer: inout ByteBuffer) {
        let day = (seconds + Int64(CalendarDay.zoneSeconds)) % 86_400
        for (index, part) in [day / 3_600, day / 60 % 60, day % 60].enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ":")) }
            buffer.writeInteger(UInt8(ascii: "0") + UInt8(part / 10))
            buffer.writeInteger(UInt8(ascii: "0") + UInt8(part % 10))
        }
    }
}
