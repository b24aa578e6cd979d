import AdapterKit

/// The bookkeeping of sockets and of the streams that each carries. It decides; ``Binance`` acts.
///
/// Streams are asked for by frames, at most four a second, because Binance closes a connection that sends more than five. A
/// server that does not confirm such a frame in time gets a new connection with everything in the URL; the old one stays until
/// the new one is open.
///
/// Binance ends a connection after 24 hours, and announces when a server shuts down. Before either a new connection is opened,
/// and the old one serves on until the new one has everything; see ``handover``.
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
    /// For a confirmation.
    static let patience = Duration.seconds(2)
    /// For the list of pairs, and for the wishes that wait for it.
    static let pairsPatience = Duration.seconds(3)
    /// Between two looks at the connection.
    static let watch = Duration.seconds(5)
    /// After so long without data the pulse is asked for. ns.
    static let quiet: UInt64 = 15_000_000_000
    /// And when that brings nothing either, in this time, the connection is mute. ns.
    static let pulsePatience: UInt64 = 10_000_000_000
    /// A connection is followed by another when it is so old: ten minutes before Binance ends it. ns.
    static let lifetime: UInt64 = 85_800_000_000_000
    /// Between two attempts to open a follower. ns.
    static let followerPause: UInt64 = 30_000_000_000
    /// How long both connections may serve. ns.
    static let longestOverlap: UInt64 = 10_000_000_000
    /// So long after an overlap what the old connection has said already is still left out. ns.
    static let aftermath: UInt64 = 10_000_000_000

    /// What a timer is for; its raw value is the timer's tag.
    enum Purpose: UInt64 {
        case change = 1
        case pace = 2
        case confirmation = 3
        case settlement = 4
        case watch = 5
    }

    struct Connection {
        var socket: SocketID
        var carried: Set<String>
        var isOpen = false
        /// ns since the Unix epoch.
        var openedAt: UInt64 = 0
        /// Whether it has brought data.
        var hasData = false
    }

    /// How far the change from one connection to the next has come, before the old one's end.
    enum Handover: Equatable {
        case none
        /// The successor is to take over; until it is open, and if it does not open, the old one serves.
        case opening
        /// Both are open and both are read.
        case overlapping
    }

    let endpoint: String
    /// The stream that never rests.
    let pulse: String
    /// The connection that carries the streams.
    var current: Connection?
    /// The one that will take its place when it is open.
    var successor: Connection?
    /// The one that ``current`` has followed and that still serves.
    var predecessor: Connection?
    var handover = Handover.none
    /// Why a follower is due; nil when none is.
    var due: String?
    /// When the last one was tried: ns since the Unix epoch.
    var triedFollowerAt: UInt64 = 0
    /// Until when repetitions are left out: ns since the Unix epoch.
    var guardedUntil: UInt64 = 0
    var changeTimer: TimerID?
    /// When the first of the changes that wait was made: ns since the Unix epoch.
    var firstChange: UInt64 = 0
    var paceTimer: TimerID?
    var settlementTimer: TimerID?
    var watchTimer: TimerID?
    /// When data came last: ns since the Unix epoch.
    var lastData: UInt64 = 0
    /// When the pulse was asked for; 0 when it is not.
    var pulseAskedAt: UInt64 = 0
    /// SUBSCRIBE frames without a confirmation, by their number, and the timer that watches over each.
    var unconfirmed: [Int64: TimerID] = [:]
    var lastFrameID: Int64 = 0
    /// The server has left a SUBSCRIBE unanswered in this connection: changes now need a new URL.
    var isMute = false

    init(endpoint: String, pulse: String) {
        var endpoint = endpoint
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        self.endpoint = endpoint
        self.pulse = pulse
    }

    /// Forgets everything; the kit has closed sockets and timers.
    mutating func reset() { self = StreamSockets(endpoint: endpoint, pulse: pulse) }

    /// The address of a connection that carries `streams` from the start. Names beyond ASCII are percent-encoded in a URL
    /// (RFC 3986, section 2.5); in frames they stay as they are.
    func url(_ streams: some Collection<String>) -> String {
        streams.isEmpty
            ? "\(endpoint)/stream" : "\(endpoint)/stream?streams=\(streams.map(Self.encoded).joined(separator: "/"))"
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

    /// Whether a text can be a stream's name in a frame: letters and digits, `@` and `_`.
    static func isStream(_ text: String) -> Bool {
        text.utf8.contains(UInt8(ascii: "@"))
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x40...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
            }
    }
}
