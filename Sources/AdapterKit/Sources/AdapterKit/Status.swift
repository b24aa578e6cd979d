import CFeedhostABI

/// The result of a call between host and adapter: 0 is success, a negative number an error.
///
/// A struct and not an enum, because a newer host may answer with a number that this kit has no name for.
public struct Status: RawRepresentable, Hashable, Sendable {
    /// The number as it crosses the C interface.
    public var rawValue: Int32

    /// Wraps the number `rawValue`.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Done.
    @inlinable
    public static var ok: Status { Status(rawValue: Int32(FH_OK)) }
    /// An argument, a setting or an answer is wrong.
    @inlinable
    public static var invalid: Status { Status(rawValue: Int32(FH_E_INVALID)) }
    /// This adapter or broker cannot do it.
    @inlinable
    public static var unsupported: Status { Status(rawValue: Int32(FH_E_UNSUPPORTED)) }
    /// Out of memory.
    @inlinable
    public static var outOfMemory: Status { Status(rawValue: Int32(FH_E_NOMEM)) }
    /// Not now, for example a subscription before the connection is ready.
    @inlinable
    public static var wrongState: Status { Status(rawValue: Int32(FH_E_STATE)) }
    /// A quota, a rate or a full buffer.
    @inlinable
    public static var limit: Status { Status(rawValue: Int32(FH_E_LIMIT)) }
    /// Refused credentials.
    @inlinable
    public static var authentication: Status { Status(rawValue: Int32(FH_E_AUTH)) }
    /// The connection failed.
    @inlinable
    public static var network: Status { Status(rawValue: Int32(FH_E_NETWORK)) }
    /// No such symbol on that exchange.
    @inlinable
    public static var unknownInstrument: Status { Status(rawValue: Int32(FH_E_UNKNOWN_INSTRUMENT)) }
    /// The host is shutting down.
    @inlinable
    public static var stopping: Status { Status(rawValue: Int32(FH_E_STOPPING)) }
    /// No answer in time.
    @inlinable
    public static var timeout: Status { Status(rawValue: Int32(FH_E_TIMEOUT)) }
    /// A fault of the side that was called.
    @inlinable
    public static var internalFault: Status { Status(rawValue: Int32(FH_E_INTERNAL)) }

    /// Whether the call succeeded.
    @inlinable
    public var isSuccess: Bool { rawValue >= 0 }
}

/// What an adapter throws when it cannot do what it was asked to.
///
/// The kit catches it at the C interface; nothing unwinds into the host. The message goes to the person who reads the
/// log or the reply, so it says what is wrong and holds no secrets.
///
/// ```swift
/// throw AdapterError(.invalid, "api_key is empty")
/// ```
public struct AdapterError: Error, Hashable, Sendable {
    /// What kind of failure it is.
    public var status: Status
    /// A sentence for the reader; empty if the status says it all.
    public var message: String

    /// Makes an error of kind `status`.
    public init(_ status: Status, _ message: String = "") {
        self.status = status
        self.message = message
    }

    /// The error behind a status that the host has returned.
    static func check(_ status: Int32, _ doing: StaticString) throws(AdapterError) {
        if status < 0 { throw AdapterError(Status(rawValue: status), "the host refused: \(doing)") }
    }
}
