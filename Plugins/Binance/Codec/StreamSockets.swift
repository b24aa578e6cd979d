import AdapterKit

/// The bookkeeping of sockets and of the streams that each carries. It decides; ``Binance`` acts.
///
/// The first streams go into the URL. Later ones are asked for by frames, at most four a second, because Binance closes
/// a connection that sends more than five. A server that does not confirm such a frame in time gets a new connection
/// with everything in the URL; the old one stays until the new one is open.
struct StreamSockets {
    /// Streams in a URL.
    static let urlLimit = 200
    /// Bytes of the streams in a URL, which is 16 KiB at the most: encoded names take three times their bytes.
    static let urlRoom = 15_000
    /// Streams in one frame.
    static let frameLimit = 100
    /// Changes that come closer together than this are made in one go.
    static let coalescing = Duration.milliseconds(150)
    /// But none waits longer than this and once more ``coalescing``. ns.
    static let longestCoalescing: UInt64 = 1_500_000_000
    /// Between two frames.
    static let pace = Duration.milliseconds(250)
    /// For a confirmation, and for a socket to open before clients get their answer without it.
    static let patience = Duration.seconds(2)

    /// What a timer is for; its raw value is the timer's tag.
    enum Purpose: UInt64 {
        case change = 1
        case pace = 2
        case confirmation = 3
        case settlement = 4
    }

    struct Connection {
        var socket: SocketID
        var carried: Set<String>
        var isOpen = false
    }

    let endpoint: String
    /// The connection that carries the streams.
    var current: Connection?
    /// The one that will take its place when it is open.
    var successor: Connection?
    var changeTimer: TimerID?
    /// When the first of the changes that wait was made: ns since the Unix epoch.
    var firstChange: UInt64 = 0
    var paceTimer: TimerID?
    var settlementTimer: TimerID?
    /// SUBSCRIBE frames without a confirmation, by their number, and the timer that watches over each.
    var unconfirmed: [Int64: TimerID] = [:]
    var lastFrameID: Int64 = 0
    /// The server has left a SUBSCRIBE unanswered in this connection: changes now need a new URL.
    var isMute = false
    /// Sockets that were lost before they brought anything, in a row; survives reconnects.
    var failures = 0

    init(endpoint: String) {
        var endpoint = endpoint
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        self.endpoint = endpoint
    }

    /// Forgets everything but the failures; the kit has closed sockets and timers.
    mutating func reset() {
        let failures = failures
        self = StreamSockets(endpoint: endpoint)
        self.failures = failures
    }

    /// Names beyond ASCII are percent-encoded in a URL (RFC 3986, section 2.5); in frames they stay as they are.
    func url(_ streams: some Sequence<String>) -> String {
        "\(endpoint)/stream?streams=\(streams.map(Self.encoded).joined(separator: "/"))"
    }

    /// How many of `streams` a URL has room for.
    static func fitting(_ streams: [String]) -> Int {
        var room = urlRoom
        return streams.prefix(urlLimit).prefix { stream in
            room -= encoded(stream).utf8.count + 1
            return room >= 0
        }.count
    }

    private static func encoded(_ stream: String) -> String {
        guard !stream.utf8.allSatisfy({ $0 < 0x80 }) else { return stream }
        var text = ""
        for byte in stream.utf8 {
            if byte < 0x80 {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }

    mutating func frame(_ method: String, _ streams: some Sequence<String>) -> (id: Int64, text: String) {
        lastFrameID += 1
        let list = streams.map { "\"\($0)\"" }.joined(separator: ",")
        return (lastFrameID, "{\"method\":\"\(method)\",\"params\":[\(list)],\"id\":\(lastFrameID)}")
    }

    /// How long the host should wait before it tries again; `nil` leaves it to the host.
    ///
    /// A connection is ready before it has a socket, so the host's own pause starts afresh each time. Without this an
    /// address that nobody listens on would be tried twice a second for ever.
    var retryPause: Duration? {
        failures < 2 ? nil : .milliseconds(min(60_000, 500 << min(failures, 7)))
    }
}
