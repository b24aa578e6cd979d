import Secrets

/// Where one file of a broker's instrument master is downloaded from.
public struct MasterLocation: Sendable {
    /// http or https; a secret, as a token may be in it.
    public var url: Secret
    /// Header fields.
    public var fields: [(name: String, value: Secret)]
    /// Of a POST; nil makes it a GET.
    public var body: [UInt8]?
    /// The longest silence of the server. A file of tens of megabytes may take longer as a whole.
    public var patience: Duration

    public init(
        url: Secret, fields: [(name: String, value: Secret)] = [], body: [UInt8]? = nil,
        patience: Duration = .seconds(30)
    ) {
        self.url = url
        self.fields = fields
        self.body = body
        self.patience = patience
    }
}

/// What a broker's adapter knows of its instrument master. Any thread but an event loop: calls take their time.
public protocol InstrumentMaster: Sendable {
    /// As in `zerodha`.
    var broker: String { get }
    /// The broker's names of the files, e.g. `NSE_symbols.txt.zip`; at least one.
    var files: [String] { get }
    /// Says how to download a file.
    /// - Parameters:
    ///   - file: Index into ``files``.
    ///   - settings: The adapter's settings, defaults included.
    ///   - credentials: A user's; empty if there are none.
    /// - Throws: ``FeedError`` with `AUTHENTICATION_ERROR` when credentials are missing.
    func locate(_ file: Int, settings: [String: Secret], credentials: [String: Secret]) throws -> MasterLocation
    /// Reads an unpacked file.
    /// - Parameter rows: Takes one row after the other; what it throws ends the reading and is thrown again.
    /// - Returns: What was left out, and what speaks against the file.
    /// - Throws: ``FeedError`` when the file is none of this broker's.
    func parse(_ file: Int, _ bytes: UnsafeRawBufferPointer, rows: (Listing) throws -> Void) throws -> MasterReport
}

/// Downloads master files. Any thread.
public protocol MasterDownload: Sendable {
    /// The file as the server sent it, packed or not.
    /// - Parameter progress: Called now and then with the bytes so far, and with those to expect if they are known.
    /// - Throws: ``FeedError`` with `AUTHENTICATION_ERROR` for 401 and 403, else with `BROKER_CONNECTION_ERROR`; never
    ///   with more of the address than scheme, host and port.
    func bytes(
        at location: MasterLocation, progress: @escaping @Sendable (_ received: Int, _ expected: Int?) -> Void
    ) async throws -> [UInt8]
}
