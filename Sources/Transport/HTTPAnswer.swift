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

    /// True for a web page: what proxies, CDNs and firewalls on the way answer with, and no broker's API.
    var isPage: Bool {
        let types = fields.filter { $0.name.lowercased() == "content-type" }
        if types.contains(where: { $0.value.lowercased().contains("html") }) { return true }
        return body.readableBytesView.first { ![0x20, 0x09, 0x0D, 0x0A].contains($0) } == UInt8(ascii: "<")
    }

    /// True when somebody has said something that is no web page. Whether it is about the credentials the adapter knows.
    var hasWords: Bool { body.readableBytes > 0 && !isPage }

    /// What `fh_response.status` says of an answer that came: other statuses are for the adapter to judge. A 401 or 403
    /// that is only a web page, or empty, may be anybody's.
    var outcome: fh_status {
        switch status {
        case 401, 403: fh_status(hasWords ? FH_E_AUTH : FH_E_NETWORK)
        case 429: fh_status(FH_E_LIMIT)
        default: fh_status(FH_OK)
        }
    }

    /// The same for an upgrade: nothing but 101 is a success.
    var upgradeOutcome: fh_status {
        if status == 101 { return fh_status(FH_OK) }
        return outcome == fh_status(FH_OK) ? fh_status(FH_E_NETWORK) : outcome
    }
}
