import AdapterKit

/// A market connection: WebSocket 2.0.
///
/// The broker confirms nothing, so a wish counts as confirmed when the first packet of its mode arrives, as sent when
/// none has come after ``patience``, and as refused when an error frame names its request in the meantime.
final class AngelFeed: AngelSocket {
    /// Errors come at once, and so does the first packet of whatever has ever traded.
    private static let patience = Duration.milliseconds(500)

    var lines = FeedLines()
    /// Frames that may still be refused, by the number of the `subscribe` call.
    var unanswered: [UInt64: [FeedRequest]] = [:]
    private var lastCall: UInt64 = 0
    private var lastFrame: UInt64 = 0
    /// A book that contradicts itself is worth one line in the log, not one for each packet.
    var hasWarnedOfSides = false

    let bids = LevelBuffer(capacity: 20)
    let asks = LevelBuffer(capacity: 20)

    init(_ context: AdapterContext) throws(AdapterError) {
        try super.init(context, endpoint: "endpoint")
    }

    override func headers(_ credentials: Credentials) throws(AdapterError) -> [(String, String)] {
        [
            // As the login has returned it, with or without "Bearer ": the broker takes both.
            ("Authorization", try Self.required(credentials.accessToken, "access_token")),
            ("x-api-key", try Self.required(credentials.apiKey, "api_key")),
            ("x-client-code", try Self.required(credentials.userID, "user_id")),
            ("x-feed-token", try Self.required(credentials.feedToken, "feed_token")),
        ]
    }

    override func reset() {
        lines.removeAll()
        unanswered.removeAll()
        hasWarnedOfSides = false
    }

    override func receive(_ frame: Frame) {
        if frame.opcode == .binary {
            take(frame.bytes, receivedAt: frame.receivedAt)
        } else if frame.opcode == .text, !isPong(frame) {
            takeText(frame.bytes)
        }
    }

    override func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        lastCall += 1
        var wanted: [Int: FeedModes] = [:]
        var order: [Int] = []
        for request in requests {
            guard let place = place(for: request) else { continue }
            // Of two wishes for one instrument the later one counts.
            if wanted.updateValue(modes(for: request), forKey: place) == nil { order.append(place) }
        }
        var additions = FeedChanges()
        var removals = FeedChanges()
        let pairsBefore = lines.pairs
        for place in order {
            guard let line = lines[place], let modes = wanted[place] else { continue }
            let added = modes.subtracting(line.modes)
            additions.add(added, of: line)
            removals.add(line.modes.subtracting(modes), of: line)
            lines.update(place) { line in
                line.previous = line.modes
                line.modes = modes
                line.awaited = added
                line.request = lastCall
                if added.contains(.depth20) { line.deepBookAt = 0 }
            }
            // Nothing new is asked for, so nothing can be refused.
            if added.isEmpty { settle(line.handle, .sent) }
        }
        // The new mode first, so that no tick is missed; unless the quota has no room for both.
        if pairsBefore + additions.pairs <= Angel.pairQuota {
            send(additions, removals)
        } else {
            send(removals, .unsubscribe)
            unanswered[lastCall] = send(additions, .subscribe)
        }
        if unanswered[lastCall]?.isEmpty == false { try startTimer(after: Self.patience, tag: lastCall) }
    }

    override func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        var removals = FeedChanges()
        for request in requests {
            guard let line = lines.remove(request.handle) else { continue }
            removals.add(line.modes, of: line)
        }
        send(removals, .unsubscribe)
    }

    override func timer(_ timer: TimerID, tag: UInt64, now: UInt64) {
        for handle in (unanswered.removeValue(forKey: tag) ?? []).flatMap(\.handles) {
            guard let place = lines.place(of: handle), let line = lines[place], line.request == tag,
                !line.awaited.isEmpty
            else { continue }
            lines.update(place) { $0.awaited = [] }
            settle(handle, .sent)
        }
    }

    /// Sends what is new and then takes back what is not wanted any more.
    private func send(_ additions: FeedChanges, _ removals: FeedChanges) {
        unanswered[lastCall] = send(additions, .subscribe)
        send(removals, .unsubscribe)
    }

    /// Sends one frame for each mode and returns them.
    @discardableResult
    func send(_ changes: FeedChanges, _ action: FeedRequest.Action) -> [FeedRequest] {
        let requests = changes.requests(action, number: &lastFrame)
        for request in requests {
            guard let socket else { return [] }
            guard send(request.text, on: socket).isSuccess else {
                // What the broker has would not be known any more; the host connects again and asks for everything.
                abandon("Angel One's socket takes no more requests")
                return []
            }
        }
        return requests
    }
}
