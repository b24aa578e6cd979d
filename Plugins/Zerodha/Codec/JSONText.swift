import AdapterKit

/// One JSON value, read leniently: brokers write numbers as text and leave texts empty.
struct JSONText {
    private let bytes: Bytes
    private let isQuoted: Bool

    /// Takes the text of a value as ``JSONScanner/skipValue()`` returns it; a string may be cut off.
    init(_ value: Bytes) {
        isQuoted = value[0] == UInt8(ascii: "\"")
        guard isQuoted else {
            bytes = value
            return
        }
        let isClosed = value.count > 1 && value[value.count - 1] == UInt8(ascii: "\"")
        bytes = value.slice(from: 1, to: isClosed ? value.count - 1 : value.count)
    }

    /// The text with its escapes undone; numbers as they are written; empty for `null`.
    var string: String {
        guard isQuoted else { return bytes == "null" ? "" : String(bytes) }
        guard bytes.firstIndex(of: UInt8(ascii: "\\")) != nil else { return String(bytes) }
        return Self.unescaped(bytes.buffer)
    }

    /// The number at `exponent`, rounded half away from zero if it has more digits; `nil` if it is none.
    func decimal(exponent: Int) -> Int64? {
        if let exact = DecimalText.mantissa(of: bytes, exponent: exponent) { return exact }
        // A binary fraction that was printed in full: 83.474999999999994.
        let places = -exponent
        guard places >= 0, let point = bytes.firstIndex(of: UInt8(ascii: ".")), bytes.count > point + 1 + places,
            let next = bytes[point + 1 + places], bytes.slice(from: point + 1).buffer.allSatisfy({ $0 &- 0x30 <= 9 }),
            let cut = DecimalText.mantissa(
                of: bytes.slice(from: 0, to: point + (places == 0 ? 0 : places + 1)), exponent: exponent)
        else { return nil }
        guard next >= UInt8(ascii: "5") else { return cut }
        let (rounded, overflow) = cut.addingReportingOverflow(bytes[0] == UInt8(ascii: "-") ? -1 : 1)
        return overflow ? nil : rounded
    }

    /// The value is an ISO day and a time of India without a zone, as in `2021-07-05 10:41:27`: nanoseconds since the
    /// Unix epoch, UTC.
    var indianTime: UInt64? {
        guard bytes.count >= 19, let day = CalendarDay(bytes.slice(from: 0, to: 10)), let hour = two(11), hour < 24,
            let minute = two(14), minute < 60, let second = two(17), second < 60
        else { return nil }
        let ofDay = hour * 3_600 + minute * 60 + second
        let seconds = Self.daysSinceEpoch(day) * 86_400 + ofDay - 19_800
        guard seconds > 0 else { return nil }
        // Nanoseconds have room until the year 2554.
        let (time, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : time
    }

    private func two(_ offset: Int) -> Int? {
        guard let tens = bytes[offset], let ones = bytes[offset + 1], tens &- 0x30 <= 9, ones &- 0x30 <= 9 else {
            return nil
        }
        return Int(tens - 0x30) * 10 + Int(ones - 0x30)
    }

    /// Days from 1970-01-01; years begin in March here, so that the leap day is a year's last.
    private static func daysSinceEpoch(_ day: CalendarDay) -> Int {
        let (month, dayOfMonth) = (Int(day.number) / 100 % 100, Int(day.number) % 100)
        let year = Int(day.number) / 10_000 - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + dayOfMonth - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }

    private static func unescaped(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        // UTF-16, because `\u` escapes name halves of surrogate pairs.
        var units: [UInt16] = []
        var plain: [UInt8] = []
        func flush() {
            units.append(contentsOf: String(decoding: plain, as: UTF8.self).utf16)
            plain.removeAll()
        }
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            guard byte == UInt8(ascii: "\\"), offset < bytes.count else {
                plain.append(byte)
                continue
            }
            let escape = bytes[offset]
            offset += 1
            switch escape {
            case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"):
                // One line for the log and for clients.
                plain.append(UInt8(ascii: " "))
            case UInt8(ascii: "u"):
                let digits = bytes[offset..<min(offset + 4, bytes.count)]
                guard let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16), digits.count == 4 else {
                    continue
                }
                flush()
                units.append(unit < 0x20 ? 0x20 : unit)
                offset += 4
            default:
                plain.append(escape)
            }
        }
        flush()
        return String(decoding: units, as: UTF16.self)
    }
}
