/// Why the proxy could not start.
public struct ProxyStartError: Error, Sendable, CustomStringConvertible {
    /// A stable name of what happened.
    public struct Code: Sendable, Hashable {
        let name: String
        /// Somebody else listens there.
        public static let addressInUse = Code(name: "address-in-use")
        /// A port below 1024 without the right to it.
        public static let notPermitted = Code(name: "not-permitted")
        /// The host name is not one of this machine, or the socket could not be made.
        public static let cannotListen = Code(name: "cannot-listen")
        /// A shard got no end of the inner bus, or no pipe.
        public static let bus = Code(name: "bus")
    }

    public let code: Code
    public let host: String
    public let port: Int
    public let cause: any Error

    public var description: String { "cannot listen on \(host):\(port) (\(code.name)): \(cause)" }
}
