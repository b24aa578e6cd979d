import NIOCore
import NIOHTTP1

/// Who has tried to connect, for `/_sim/state`.
struct AttemptLog {
    struct Attempt: Encodable {
        /// Since the start.
        var milliseconds: Int64
        var path: String
        /// 101, or what the upgrade was refused with.
        var status: UInt
        var credentials: String
        var reason: String?

        enum CodingKeys: String, CodingKey {
            case milliseconds = "ms"
            case path, status, credentials, reason
        }
    }

    /// The newest, oldest first.
    private(set) var attempts: [Attempt] = []
    /// All of them, by status.
    private(set) var counts: [UInt: Int] = [:]
    /// Connections that have ended, and what had been sent on them.
    private(set) var closed = 0
    private(set) var sent: [FrameKind: Int] = [:]
    private(set) var packets = 0
    private static let limit = 1_000

    mutating func add(_ admission: Admission, path: String, at time: TimeAmount) {
        let milliseconds = time.nanoseconds / 1_000_000
        let attempt: Attempt =
            switch admission {
            case .accept(_, let credentials, _):
                Attempt(
                    milliseconds: milliseconds, path: path, status: 101, credentials: CredentialHash.of(credentials))
            case .refuse(let answer, let reason, let credentials):
                Attempt(
                    milliseconds: milliseconds, path: path, status: answer.status.code,
                    credentials: CredentialHash.of(credentials), reason: reason)
            }
        counts[attempt.status, default: 0] += 1
        if attempts.count == Self.limit { attempts.removeFirst() }
        attempts.append(attempt)
    }

    mutating func ended(_ counters: ConnectionCounters) {
        closed += 1
        packets += counters.packets
        sent.merge(counters.sent, uniquingKeysWith: +)
    }
}
