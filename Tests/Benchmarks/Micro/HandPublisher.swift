import Glibc

/// A publisher from outside that speaks ZMTP 3.0 by hand over a socket of its own: libzmq's would allocate for each message
/// in this process, and be counted.
final class HandPublisher {
    private let socket: Int32
    private var frames: [[UInt8]] = []
    private var step = 0

    /// - Parameter port: Where the bus listens on loopback.
    init(port: Int, symbols: Int) throws {
        socket = try connectToLoopback(port: port)
        var no: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &no, socklen_t(MemoryLayout<Int32>.size))
        // Greeting: signature, version 3.0, mechanism NULL, not a server, filler.
        let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8)
        try sendAll(greeting + [UInt8](repeating: 0, count: 64 - greeting.count), socket)
        try skip(64)
        let name = Array("Socket-Type".utf8)
        let ready = [5] + Array("READY".utf8) + [UInt8(name.count)] + name + [0, 0, 0, 3] + Array("PUB".utf8)
        try sendAll([4, UInt8(ready.count)] + ready, socket)
        for symbol in 0..<symbols {
            let topic = Array("NSE_SYM\(symbol)_LTP".utf8)
            let tick =
                #"{"symbol":"SYM\#(symbol)","exchange":"NSE","mode":"LTP","ltp":1187.75,"volume":1234567,"ltq":25,"#
                + #""timestamp":1795451190982,"exchange_timestamp":1795451190000,"ltt":1795451190000,"seq":1000000}"#
            let payload = Array(tick.utf8)
            frames.append([1, UInt8(topic.count)] + topic + [0, UInt8(payload.count)] + payload)
        }
    }

    deinit { close(socket) }

    /// One tick, a write of its own.
    func publish() {
        let place = step % frames.count
        step += 1
        // A bus that is gone is noticed by whoever waits for the tick.
        try? sendAll(frames[place], socket)
    }

    private func skip(_ count: Int) throws {
        var left = count
        var buffer = [UInt8](repeating: 0, count: count)
        while left > 0 {
            let got = recv(socket, &buffer, left, 0)
            guard got > 0 else { throw BenchError(what: "the bus has ended the connection") }
            left -= got
        }
    }
}

/// - Returns: A socket that blocks.
func connectToLoopback(port: Int) throws -> Int32 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, size) }
    }
    guard status == 0 else { throw BenchError(what: "cannot connect: \(String(cString: strerror(errno)))") }
    return socket
}

func sendAll(_ bytes: [UInt8], _ socket: Int32) throws {
    var sent = 0
    while sent < bytes.count {
        let count = bytes.withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw BenchError(what: "cannot send") }
        sent += count
    }
}
