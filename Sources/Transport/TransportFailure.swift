import CFeedhostABI

/// Why a connection or a request failed. Names scheme, host and port at the most: the rest of a URL is a secret.
public struct TransportFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// `FH_E_*`.
    public let status: fh_status
    public let message: String

    public init(_ status: Int, _ message: String) {
        self.status = fh_status(status)
        self.message = message
    }

    public var description: String { message }
}
