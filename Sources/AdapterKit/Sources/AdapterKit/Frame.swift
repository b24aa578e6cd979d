import CFeedhostABI

/// A WebSocket that the host runs for the adapter.
public struct SocketID: RawRepresentable, Hashable, Sendable {
    /// The host's number; 0 is no socket.
    public var rawValue: UInt64

    /// Wraps the number `rawValue`.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A timer that the host runs for the adapter.
public struct TimerID: RawRepresentable, Hashable, Sendable {
    /// The host's number; 0 is no timer.
    public var rawValue: UInt64

    /// Wraps the number `rawValue`.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// An HTTP request that the host sends for the adapter.
public struct FetchID: RawRepresentable, Hashable, Sendable {
    /// The host's number; 0 is no request.
    public var rawValue: UInt64

    /// Wraps the number `rawValue`.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// The kind of a WebSocket message (RFC 6455, section 5.2).
public struct Opcode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public var rawValue: UInt32

    /// Wraps the number `rawValue`.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// UTF-8 text.
    @inlinable
    public static var text: Opcode { Opcode(rawValue: UInt32(FH_WS_TEXT)) }
    /// Bytes.
    @inlinable
    public static var binary: Opcode { Opcode(rawValue: UInt32(FH_WS_BINARY)) }
    /// A ping; the host answers those of the venue itself.
    @inlinable
    public static var ping: Opcode { Opcode(rawValue: UInt32(FH_WS_PING)) }
    /// The answer to a ping.
    @inlinable
    public static var pong: Opcode { Opcode(rawValue: UInt32(FH_WS_PONG)) }
}

/// One message from a WebSocket. Borrowed: valid only while `receive` runs.
public struct Frame {
    /// The socket it came from.
    public let socket: SocketID
    /// The number given when the socket was opened.
    public let tag: UInt64
    /// Text, binary or a pong.
    public let opcode: Opcode
    /// The whole message; fragments are joined and compression is undone.
    public let bytes: Bytes
    /// When it arrived: nanoseconds since the Unix epoch, UTC.
    public let receivedAt: UInt64
}

/// The answer to an HTTP request or to a WebSocket's upgrade. Borrowed: valid only during the call.
public struct Response {
    /// How the transfer went; an HTTP error is a successful transfer unless the host says otherwise.
    public let status: Status
    /// The HTTP status, or 0 if none came.
    public let httpStatus: Int
    /// The body, decompressed.
    public let body: Bytes
    private let fields: UnsafeBufferPointer<fh_field>

    init?(_ record: UnsafePointer<fh_response>?) {
        guard let record, record.pointee.size >= UInt32(MemoryLayout<fh_response>.size) else { return nil }
        status = Status(rawValue: record.pointee.status)
        httpStatus = Int(record.pointee.http_status)
        body = Bytes(record.pointee.body)
        fields = UnsafeBufferPointer(
            start: record.pointee.fields, count: record.pointee.fields == nil ? 0 : Int(record.pointee.field_count))
    }

    /// The first header field called `name`; the case of ASCII letters does not matter.
    public func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return fields.first { String($0.name).lowercased() == wanted }.map { String($0.value) }
    }
}
