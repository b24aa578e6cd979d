import NIOCore

/// The head of an HTTP/1.x request.
struct RequestHead {
    let method: String
    let target: String
    /// Of `HTTP/1.x`.
    let minorVersion: Int
    /// In their order, names in small letters, values without white space at their ends.
    fileprivate(set) var fields: [(name: String, value: String)] = []

    /// Every value of a field, in order.
    func values(_ name: String) -> [String] { fields.lazy.filter { $0.name == name }.map(\.value) }

    /// The elements of a field whose value is a list (RFC 9110 section 5.6.1), in small letters.
    func list(_ name: String) -> [String] {
        values(name).flatMap { $0.split(separator: ",") }.map { $0.trimmed.lowercased() }.filter { !$0.isEmpty }
    }
}

/// Why a request is not what it should be: the answer to it.
struct RequestFault: Error, Equatable {
    let status: AnswerStatus
    let text: String

    static func bad(_ text: String) -> RequestFault { RequestFault(status: .badRequest, text: text) }
}

/// Reads a request's head as its bytes come, as strictly as RFC 9112 lets a server be: what two readers could understand in
/// two ways (a line end without CR, a folded line, white space before a colon) is refused.
///
/// Our own rather than NIO's decoder: that one hides how a request was written, and does not tell a line that is too long from
/// fields that are too many.
struct RequestHeadReader {
    /// Bytes of the request line.
    static let longestLine = 32 << 10
    /// Bytes of all fields, line ends included.
    static let longestFields = 32 << 10
    static let mostFields = 256

    /// What stands behind the head, once ``next()`` has returned it.
    private(set) var bytes = ByteBuffer()
    private var head: RequestHead?
    /// Bytes at the front in which there is no line end.
    private var scanned = 0
    private var fieldBytes = 0
    private var isBegun = false

    /// Whether the request is known to ask for an answer without content.
    var isHEAD: Bool { head?.method == "HEAD" }

    /// Whether it asks for a WebSocket, rightly or not.
    var isUpgrade: Bool { head?.list("upgrade").contains("websocket") == true }

    mutating func append(_ more: ByteBuffer) {
        if bytes.readableBytes == 0 {
            bytes = more
        } else {
            bytes.discardReadBytes()
            bytes.writeImmutableBuffer(more)
        }
    }

    /// The head, or nil until more bytes come.
    mutating func next() throws(RequestFault) -> RequestHead? {
        // Other protocols, TLS for one, are told at once.
        if !isBegun, let first = bytes.readableBytesView.first {
            guard first.isTokenCharacter || first == 13 || first == 10 else {
                throw .bad("This is not an HTTP request.")
            }
        }
        while let line = try nextLine() {
            if head == nil {
                // RFC 9112 section 2.2: an empty line before the request is passed over.
                if line.isEmpty { continue }
                isBegun = true
                head = try Self.requestLine(line)
            } else if line.isEmpty {
                return head
            } else {
                try readField(line)
            }
        }
        return nil
    }

    /// Without its end; nil until all of it is there.
    private mutating func nextLine() throws(RequestFault) -> String? {
        let view = bytes.readableBytesView
        let room = head == nil ? Self.longestLine : Self.longestFields - fieldBytes
        guard let end = view.dropFirst(scanned).firstIndex(of: 10) else {
            scanned = view.count
            if scanned > room { throw tooLong }
            return nil
        }
        let count = end - view.startIndex
        guard count < room else { throw tooLong }
        if head != nil { fieldBytes += count + 1 }
        let line = view[..<end]
        guard line.last == 13 else { throw .bad("A line of the request does not end in CR LF.") }
        let text = line.dropLast()
        guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 9 }) else {
            throw .bad("The request holds control characters.")
        }
        // RFC 9110 section 5.5: bytes beyond ASCII mean nothing to anybody; each is a character, so that nothing is lost.
        let string = String(String.UnicodeScalarView(text.lazy.map { Unicode.Scalar($0) }))
        bytes.moveReaderIndex(forwardBy: count + 1)
        scanned = 0
        return string
    }

    private var tooLong: RequestFault {
        head == nil
            ? RequestFault(status: .uriTooLong, text: "The request line may have \(Self.longestLine >> 10) KiB.")
            : RequestFault(status: .fieldsTooLarge, text: "The header may have \(Self.longestFields >> 10) KiB.")
    }

    private static func requestLine(_ line: String) throws(RequestFault) -> RequestHead {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].isToken, parts[2].hasPrefix("HTTP/"), parts[2].utf8.count == 8 else {
            throw .bad("This is not an HTTP request.")
        }
        let digits = Array(parts[2].utf8.dropFirst(5))
        guard digits[0].isDigit, digits[1] == UInt8(ascii: "."), digits[2].isDigit else {
            throw .bad("This is not an HTTP request.")
        }
        guard digits[0] == UInt8(ascii: "1") else {
            throw RequestFault(status: .versionNotSupported, text: "Only HTTP/1.1 is spoken here.")
        }
        return RequestHead(
            method: String(parts[0]), target: String(parts[1]), minorVersion: Int(digits[2] - UInt8(ascii: "0")))
    }

    private mutating func readField(_ line: String) throws(RequestFault) {
        guard line.first != " ", line.first != "\t" else { throw .bad("A line of the header is folded.") }
        guard let colon = line.firstIndex(of: ":"), line[..<colon].isToken else {
            throw .bad("A line of the header is no field.")
        }
        guard let count = head?.fields.count, count < Self.mostFields else {
            throw RequestFault(
                status: .fieldsTooLarge, text: "The header may have \(Self.mostFields) fields.")
        }
        let value = String(line[line.index(after: colon)...].trimmed)
        head?.fields.append((line[..<colon].lowercased(), value))
    }
}

extension UInt8 {
    var isDigit: Bool { (0x30...0x39).contains(self) }

    /// RFC 9110 section 5.6.2.
    var isTokenCharacter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}

extension StringProtocol {
    /// RFC 9110 section 5.6.2.
    var isToken: Bool { !isEmpty && utf8.allSatisfy(\.isTokenCharacter) }
}
