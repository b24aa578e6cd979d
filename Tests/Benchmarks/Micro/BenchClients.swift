import Glibc
import MarketData

/// WebSocket clients that subscribe and then throw away what they get. Their thread allocates nothing.
final class BenchClients {
    private let sockets: [Int32]

    init(port: Int, count: Int, symbols: (_ number: Int) -> [Instrument]) throws {
        var sockets: [Int32] = []
        for number in 0..<count { sockets.append(try Self.connect(port: port, symbols: symbols(number))) }
        self.sockets = sockets
        var thread = pthread_t()
        let descriptors = UnsafeMutablePointer<pollfd>.allocate(capacity: count)
        for (place, socket) in sockets.enumerated() {
            descriptors[place] = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        }
        let work = UnsafeMutablePointer<(UnsafeMutablePointer<pollfd>, Int)>.allocate(capacity: 1)
        work.initialize(to: (descriptors, count))
        guard
            pthread_create(
                &thread, nil,
                { argument in
                    if let work = argument?.assumingMemoryBound(to: (UnsafeMutablePointer<pollfd>, Int).self).pointee {
                        BenchClients.read(work.0, work.1)
                    }
                    return nil
                }, work) == 0
        else { throw BenchError(what: "no thread") }
    }

    /// Until the first client is cut off.
    private static func read(_ descriptors: UnsafeMutablePointer<pollfd>, _ count: Int) {
        withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { buffer in
            while poll(descriptors, nfds_t(count), -1) >= 0 || errno == EINTR {
                for place in 0..<count where descriptors[place].revents != 0 {
                    if recv(descriptors[place].fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) == 0 {
                        return
                    }
                }
            }
        }
    }

    private static func connect(port: Int, symbols: [Instrument]) throws -> Int32 {
        let socket = try connectToLoopback(port: port)
        try sendAll(
            Array(
                "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                    .utf8), socket)
        try expect("101 Switching", socket)
        try sendAll(frame(#"{"action":"authenticate","api_key":"bench"}"#), socket)
        try expect("Authentication successful", socket)
        let list = symbols.map { #"{"symbol":"\#($0.symbol)","exchange":"\#($0.exchange)"}"# }.joined(separator: ",")
        try sendAll(frame(#"{"action":"subscribe","mode":"LTP","symbols":[\#(list)]}"#), socket)
        try expect("processing complete", socket)
        return socket
    }

    private static func expect(_ text: String, _ socket: Int32) throws {
        var got: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !String(decoding: got, as: UTF8.self).contains(text) {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { throw BenchError(what: "instead of “\(text)”: the end") }
            got += buffer[0..<count]
        }
    }

    /// A text frame, masked with zeros.
    private static func frame(_ text: String) -> [UInt8] {
        let payload = Array(text.utf8)
        let count = payload.count
        let digits = count < 126 ? 0 : count < 65_536 ? 2 : 8
        let length =
            [0x80 | (digits == 0 ? UInt8(count) : digits == 2 ? 126 : 127)]
            + (0..<digits).reversed().map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        return [0x81] + length + [0, 0, 0, 0] + payload
    }
}
