import CZeroMQ
import MarketData

/// An error of libzmq: what was tried, on which endpoint, and why it failed.
public struct ZMQError: Error, Sendable, CustomStringConvertible {
    /// errno of the call.
    public let code: Int32
    /// What was tried, e.g. `bind tcp://127.0.0.1:5555`.
    public let action: String

    init(_ action: String) {
        code = zmq_errno()
        self.action = action
    }

    public var isAddressInUse: Bool { code == EADDRINUSE }

    /// The address, or its family, is none of this machine's.
    var isAbsence: Bool { code == ENODEV || HostAddresses.isAbsence(code) }

    public var description: String { "ZeroMQ: \(action): \(String(cString: zmq_strerror(code)))" }
}
