import MarketData
import NIOCore

/// The part of leaving that needs no loop: giving references back, and writing the acknowledgement.
struct UnsubscribeWork: Sendable {
    enum Entry: Sendable {
        case left(Instrument, broker: String)
        case failed(WrittenInstrument, Rejection)
    }

    /// The request's.
    let broker: String
    let requestID: JSONValue?
    var entries: [Entry] = []
    var leases: [Lease] = []

    /// - Parameter time: For giving back, which goes on afterwards if need be: references are counted, and order does not
    ///   matter to them.
    /// - Returns: The whole reply.
    func run(_ directory: any SessionDirectory, within time: Duration) async -> ByteBuffer {
        await withDeadline(time, orElse: ()) { [leases] in await leases.release(directory) }
        var successful: [JSONValue] = []
        var failed: [JSONValue] = []
        for entry in entries {
            switch entry {
            case .left(let written, let broker): successful.append(Replies.left(written, broker: broker))
            case .failed(let entry, let rejection): failed.append(Replies.failed(entry, rejection, broker: broker))
            }
        }
        let reply = Replies.unsubscribed(successful, failed: failed, broker: broker)
        return reply.adding("request_id", requestID).jsonBytes
    }
}
