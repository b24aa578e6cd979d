/// One extension that a client offers, with its parameters (RFC 6455 section 9.1).
struct ExtensionOffer: Equatable {
    struct Parameter: Equatable {
        /// In small letters.
        let name: String
        /// Without its quotation marks; nil when there is none.
        let value: String?
    }

    struct Malformed: Error {}

    /// In small letters.
    let name: String
    var parameters: [Parameter] = []

    /// - Parameter fields: Every value of `Sec-WebSocket-Extensions`, in order; together they are one list.
    /// - Throws: ``Malformed``: then RFC 6455 wants the connection to fail.
    static func parse(_ fields: [String]) throws(Malformed) -> [ExtensionOffer] {
        var scanner = Scanner(Array(fields.joined(separator: ",").utf8))
        var offers: [ExtensionOffer] = []
        while true {
            // RFC 9110 section 5.6.1: empty elements are passed over.
            scanner.skipSpace()
            if scanner.take(UInt8(ascii: ",")) { continue }
            if scanner.isAtEnd { return offers }
            offers.append(try scanner.offer())
            scanner.skipSpace()
            guard scanner.isAtEnd || scanner.take(UInt8(ascii: ",")) else { throw Malformed() }
        }
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var index = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { index == bytes.count }

        mutating func skipSpace() {
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 9 { index += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
            return true
        }

        mutating func offer() throws(Malformed) -> ExtensionOffer {
            var offer = ExtensionOffer(name: try token().lowercased())
            while true {
                skipSpace()
                guard take(UInt8(ascii: ";")) else { return offer }
                skipSpace()
                let name = try token().lowercased()
                skipSpace()
                guard take(UInt8(ascii: "=")) else {
                    offer.parameters.append(Parameter(name: name, value: nil))
                    continue
                }
                skipSpace()
                offer.parameters.append(Parameter(name: name, value: try value()))
            }
        }

        private mutating func token() throws(Malformed) -> String {
            let start = index
            while index < bytes.count, bytes[index].isTokenCharacter { index += 1 }
            guard index > start else { throw Malformed() }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }

        /// What is between quotation marks must be a token too.
        private mutating func value() throws(Malformed) -> String {
            guard take(UInt8(ascii: "\"")) else { return try token() }
            var text: [UInt8] = []
            while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                if bytes[index] == UInt8(ascii: "\\") { index += 1 }
                guard index < bytes.count, bytes[index].isTokenCharacter else { throw Malformed() }
                text.append(bytes[index])
                index += 1
            }
            guard take(UInt8(ascii: "\"")), !text.isEmpty else { throw Malformed() }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
