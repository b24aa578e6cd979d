import MarketData
import NIOCore

/// The part of leaving that needs no loop: giving references back, and writing the acknowledgement.
struct UnsubscribeWork: Sendable {
    enum Entry: Sendable {
        case left(Instrument)
        case failed(SymbolEntry, Rejection)
    }

    let session: any MarketSession
    let requestID: JSONValue?
    var entries: [Entry] = []
    var routes: [RouteKey] = []

    /// - Returns: The whole reply.
    func run() async -> ByteBuffer {
        if !routes.isEmpty { await session.unsubscribe(routes) }
        var successful: [JSONValue] = []
        var failed: [JSONValue] = []
        for entry in entries {
            switch entry {
            case .left(let written): successful.append(Replies.left(written, broker: session.broker))
            case .failed(let entry, let rejection):
                failed.append(Replies.failed(entry, rejection, broker: session.broker))
            }
        }
        let reply = Replies.unsubscribed(successful, failed: failed, broker: session.broker)
        return reply.adding("request_id", requestID).jsonBytes
    }
}
