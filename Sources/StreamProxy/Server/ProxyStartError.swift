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
        /// The TLS certificate or its key cannot be used, or there is none.
        public static let certificate = Code(name: "certificate")
        /// A shard got no end of the inner bus, or no pipe.
        public static let bus = Code(name: "bus")
    }

    public let code: Code
    /// Which listener could not be opened.
    public let address: ListenerAddress
    /// Whether that is the one of ``ProxyConfiguration/host`` and ``ProxyConfiguration/port``.
    public let isMain: Bool
    public let cause: any Error

    public var description: String { "cannot listen on \(address) (\(code.name)): \(cause)" }
}
