import CFeedhostABI
import MarketData
import Secrets
import Transport

/// `fh_conn_event`, copied.
package struct ConnectionEvent: Sendable {
    package let state: UInt32
    package let reason: UInt32
    package let retryAfter: Int64
    package let generation: UInt64
    let brokerCode: Int32
    var message: String
    /// True when the message says it all, without the words for the reason.
    var isWhole = false
    /// Milliseconds for which the connection had brought nothing when the host ended it; nil when it ended otherwise.
    package var silence: Int64?

    /// Bytes of `fh_conn_event` in ABI 1.0.
    static let firstSize = 48

    /// - Parameters:
    ///   - event: At least ``firstSize`` bytes long.
    ///   - secrets: Taken out of its message.
    init(_ event: UnsafePointer<fh_conn_event>, without secrets: Redaction) {
        state = event.pointee.state
        reason = event.pointee.reason
        retryAfter = Int64(event.pointee.retry_after_ms)
        generation = event.pointee.generation
        brokerCode = event.pointee.broker_code
        message = event.pointee.message.line(without: secrets)
    }

    package init(
        state: Int, reason: Int = 0, retryAfter: Int64 = 0, generation: UInt64, message: String = "",
        brokerCode: Int32 = 0, isWhole: Bool = false, silence: Int64? = nil
    ) {
        self.state = UInt32(state)
        self.reason = UInt32(reason)
        self.retryAfter = retryAfter
        self.generation = generation
        self.brokerCode = brokerCode
        self.message = message
        self.isWhole = isWhole
        self.silence = silence
    }

    package var isAuthentication: Bool { reason == FH_WHY_AUTH_EXPIRED || reason == FH_WHY_AUTH_REJECTED }

    /// The reason in words, with what the adapter adds to it.
    package var sentence: String {
        let why =
            switch Int(reason) {
            case Int(FH_WHY_REQUESTED): "closed on request"
            case Int(FH_WHY_NETWORK): "the connection was lost"
            case Int(FH_WHY_AUTH_EXPIRED): "the access token has expired"
            case Int(FH_WHY_AUTH_REJECTED): "the broker has refused the credentials"
            case Int(FH_WHY_RATE_LIMITED): "the broker has asked us to slow down"
            case Int(FH_WHY_CONNECTION_LIMIT): "the account has too many connections"
            case Int(FH_WHY_PROTOCOL): "the broker sent what its protocol does not allow"
            case Int(FH_WHY_REPLACED): "another session of this account took over"
            case Int(FH_WHY_MAINTENANCE): "the broker is closed for maintenance"
            default: "no reason given"
            }
        return (isWhole ? message : message.isEmpty ? why : "\(why): \(message)")
            + (brokerCode == 0 ? "" : " (code \(brokerCode))")
    }
}

extension ConnectionEvent {
    /// With what the transport knows of the socket's end and the adapter was not told.
    package func explained(by end: SocketEnd?, without secrets: Redaction) -> ConnectionEvent {
        guard let end else { return self }
        var event = self
        if reason == FH_WHY_NETWORK, !end.hasOpened, end.failure != nil {
            // Of a connection that never was an adapter knows a close code that nobody has sent.
            event.message = end.sentence
            event.isWhole = true
        } else if message.isEmpty {
            event.message = end.sentence
        } else if !end.reason.isEmpty {
            event.message += "; the broker said: \"\(end.reason)\""
        } else if let failure = end.failure {
            event.message += " (\(failure))"
        }
        event.message = secrets.clean(event.message)
        return event
    }

    package var outageReason: Outage.Reason {
        if silence != nil { return .silence }
        return switch Int(reason) {
        case Int(FH_WHY_AUTH_EXPIRED), Int(FH_WHY_AUTH_REJECTED): .credentials
        case Int(FH_WHY_RATE_LIMITED): .rateLimited
        case Int(FH_WHY_CONNECTION_LIMIT): .connectionLimit
        case Int(FH_WHY_PROTOCOL): .protocolViolation
        case Int(FH_WHY_REPLACED): .replaced
        case Int(FH_WHY_MAINTENANCE): .maintenance
        default: .network
        }
    }
}

/// `fh_sub_result`, copied.
package struct SubscriptionResult: Sendable {
    package let handle: UInt32
    let outcome: UInt32
    package let mode: UInt16
    package let depth: Int
    package let status: fh_status
    let brokerCode: Int32
    package let message: String

    init(_ result: fh_sub_result, without secrets: Redaction) {
        handle = result.handle
        outcome = result.outcome
        mode = result.granted_mode
        depth = Int(result.granted_depth)
        status = result.status
        brokerCode = result.broker_code
        message = result.message.line(without: secrets)
    }

    package var isGranted: Bool {
        [UInt32(FH_SUB_ACKED), UInt32(FH_SUB_SENT_NO_ACK), UInt32(FH_SUB_DOWNGRADED)].contains(outcome)
    }
}
