import CZeroMQ

/// One frame. The `zmq_msg_t` lives at a fixed address, as libzmq demands, and is reused from message to message.
final class ZMQMessage {
    let pointer: UnsafeMutablePointer<zmq_msg_t>

    init() {
        pointer = .allocate(capacity: 1)
        zmq_msg_init(pointer)
    }

    deinit {
        zmq_msg_close(pointer)
        pointer.deallocate()
    }

    /// The frame's bytes, borrowed until the message is received into or copied over again.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(pointer), count: zmq_msg_size(pointer))
    }

    var hasMore: Bool { zmq_msg_more(pointer) != 0 }

    /// Lets go of the content. While a frame is held, libzmq cannot use the memory again that it has received it in.
    func empty() {
        zmq_msg_close(pointer)
        zmq_msg_init(pointer)
    }

    /// Shares the other frame's content; libzmq counts the references, nothing is copied.
    func share(_ other: ZMQMessage) { zmq_msg_copy(pointer, other.pointer) }
}
