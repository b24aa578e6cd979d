import CZeroMQ

/// One libzmq context for the whole bus. Any thread.
final class ZMQContext: Sendable {
    // A libzmq context may be used from all threads; the pointer itself never changes.
    nonisolated(unsafe) let pointer: UnsafeMutableRawPointer

    init() throws {
        guard let context = zmq_ctx_new() else { throw ZMQError("create a context") }
        pointer = context
    }

    deinit { zmq_ctx_term(pointer) }
}

/// A socket with the options that the bus needs. Used by one thread at a time.
final class ZMQSocket {
    let pointer: UnsafeMutableRawPointer
    /// Where it listens, with the ports that were picked.
    private(set) var endpoints: [String] = []
    private let context: ZMQContext

    init(_ type: Int32, in context: ZMQContext) throws {
        guard let socket = zmq_socket(context.pointer, type) else { throw ZMQError("create a socket") }
        pointer = socket
        self.context = context
        try set(ZMQ_LINGER, 0)
    }

    deinit { zmq_close(pointer) }

    func set(_ option: Int32, _ value: Int32) throws {
        var value = value
        guard zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw ZMQError("set option \(option)")
        }
    }

    /// Options whose value is bytes: subscriptions.
    func set(_ option: Int32, _ bytes: UnsafeRawBufferPointer) {
        zmq_setsockopt(pointer, option, bytes.baseAddress, bytes.count)
    }

    /// Listens at one place more. libzmq takes addresses only, no names.
    func bind(_ endpoint: String) throws {
        // Of this place alone: with it, IPv4 addresses are bound as IPv6 ones.
        try set(ZMQ_IPV6, endpoint.hasPrefix("tcp://[") ? 1 : 0)
        guard zmq_bind(pointer, endpoint) == 0 else { throw ZMQError("bind \(endpoint)") }
        endpoints.append(lastEndpoint())
    }

    /// Ends listening there, and every connection that was made there.
    func unbind(_ endpoint: String) throws {
        guard zmq_unbind(pointer, endpoint) == 0 else { throw ZMQError("unbind \(endpoint)") }
        endpoints.removeAll { $0 == endpoint }
    }

    func connect(_ endpoint: String) throws {
        guard zmq_connect(pointer, endpoint) == 0 else { throw ZMQError("connect \(endpoint)") }
    }

    /// The endpoint bound last, with the port that was picked for `*`.
    private func lastEndpoint() -> String {
        var text = [CChar](repeating: 0, count: 256)
        var length = text.count
        guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { return "" }
        return String(decoding: text.prefix(max(0, length - 1)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The descriptor that becomes readable when there may be something to do (edge-triggered, see zmq_getsockopt(3)).
    func descriptor() throws -> Int32 {
        var value: Int32 = -1
        var length = MemoryLayout<Int32>.size
        guard zmq_getsockopt(pointer, ZMQ_FD, &value, &length) == 0 else { throw ZMQError("read ZMQ_FD") }
        return value
    }

    /// True when a message can be received now.
    var isReadable: Bool {
        var events: Int32 = 0
        var length = MemoryLayout<Int32>.size
        return zmq_getsockopt(pointer, ZMQ_EVENTS, &events, &length) == 0 && events & ZMQ_POLLIN != 0
    }

    /// Receives without waiting; false when there is nothing.
    func receive(into message: ZMQMessage) -> Bool { zmq_msg_recv(message.pointer, pointer, ZMQ_DONTWAIT) >= 0 }

    /// Reads away the frames that are left of a message nobody wants.
    func skipRest(_ message: ZMQMessage) {
        while message.hasMore, receive(into: message) {}
    }

    /// Sends without waiting; false when the socket is full, which counts as a drop.
    @inline(__always)
    func send(_ bytes: UnsafeRawBufferPointer, more: Bool = false) -> Bool {
        zmq_send(pointer, bytes.baseAddress, bytes.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0
    }

    /// Sends a frame whose content stays shared with `message`.
    func send(sharing message: ZMQMessage, scratch: ZMQMessage) -> Bool {
        scratch.share(message)
        return zmq_msg_send(scratch.pointer, pointer, ZMQ_DONTWAIT) >= 0
    }
}
