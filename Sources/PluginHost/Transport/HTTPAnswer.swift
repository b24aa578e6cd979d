import CFeedhostABI
import NIOCore
import NIOHTTP1

/// The answer to a request, or to a WebSocket's upgrade.
public struct HTTPAnswer: Sendable {
    /// The HTTP status.
    public let status: Int
    public let fields: [HeaderField]
    public let body: ByteBuffer

    init(head: HTTPResponseHead, body: ByteBuffer = ByteBuffer()) {
        status = Int(head.status.code)
        fields = head.headers.map { HeaderField($0.name, $0.value) }
        self.body = body
    }

    /// What `fh_response.status` says of an answer that came: other statuses are for the adapter to judge.
    var outcome: fh_status {
        switch status {
        case 401, 403: fh_status(FH_E_AUTH)
        case 429: fh_status(FH_E_LIMIT)
        default: fh_status(FH_OK)
        }
    }

    /// The same for an upgrade: nothing but 101 is a success.
    var upgradeOutcome: fh_status {
        if status == 101 { return fh_status(FH_OK) }
        if outcome != fh_status(FH_OK) { return outcome }
        return fh_status(status >= 500 ? FH_E_NETWORK : FH_E_INVALID)
    }
}
