import CFeedhostABI

/// What became of a wish.
public enum SubscriptionOutcome: Hashable, Sendable {
    /// The broker has confirmed it.
    case acknowledged
    /// It was sent, and this broker confirms nothing.
    case sent
    /// Granted with a lower mode or fewer levels than asked; `depth` is 0 unless the mode is ``Mode/depth``.
    case downgraded(to: Mode, depth: Int, message: String = "")
    /// Refused. The message is for the person who reads it.
    case rejected(Status, message: String = "", brokerCode: Int32 = 0)
}

/// The wishes that wait for an outcome, and the outcomes that wait to be told.
///
/// One table for all requests: a wish is known by its instrument's handle, and a newer wish takes the place of an older
/// one.
struct PendingSubscriptions {
    private struct Wish {
        var request: UInt64
        var mode: Mode
        var depth: Int
    }

    private struct Result {
        var record: fh_sub_result
        var message: String
    }

    private var wishes: [UInt32: Wish] = [:]
    private var results: [UInt64: [Result]] = [:]

    mutating func add(_ requests: [SubscriptionRequest], request: UInt64) {
        for wish in requests {
            wishes[wish.handle] = Wish(request: request, mode: wish.mode, depth: wish.depth)
        }
    }

    mutating func remove(_ handle: UInt32) {
        wishes[handle] = nil
    }

    mutating func removeAll() {
        wishes.removeAll()
        results.removeAll()
    }

    /// The instruments of `request` that have no outcome yet, in ascending order.
    func unsettled(request: UInt64) -> [UInt32] {
        wishes.filter { $0.value.request == request }.keys.sorted()
    }

    /// Notes an outcome; `false` if nothing waits for it.
    mutating func settle(_ handle: UInt32, _ outcome: SubscriptionOutcome) -> Bool {
        guard let wish = wishes.removeValue(forKey: handle) else { return false }
        var record = fh_sub_result()
        var text = ""
        record.handle = handle
        record.granted_mode = wish.mode.rawValue
        record.granted_depth = UInt16(clamping: wish.depth)
        switch outcome {
        case .acknowledged:
            record.outcome = UInt32(FH_SUB_ACKED)
        case .sent:
            record.outcome = UInt32(FH_SUB_SENT_NO_ACK)
        case .downgraded(let mode, let depth, let message):
            record.outcome = UInt32(FH_SUB_DOWNGRADED)
            record.granted_mode = mode.rawValue
            record.granted_depth = mode == .depth ? UInt16(clamping: depth) : 0
            text = message
        case .rejected(let status, let message, let code):
            record.outcome = UInt32(FH_SUB_REJECTED)
            record.granted_mode = 0
            record.granted_depth = 0
            record.status = status.isSuccess ? Status.internalFault.rawValue : status.rawValue
            record.broker_code = code
            text = message
        }
        results[wish.request, default: []].append(Result(record: record, message: text))
        return true
    }

    /// Tells the host of all noted outcomes, one call for each request.
    mutating func report(to host: Host) {
        guard !results.isEmpty else { return }
        let due = results
        results.removeAll()
        for (request, results) in due.sorted(by: { $0.key < $1.key }) {
            // All messages lie one behind the other in one buffer, which lives until the host has read them.
            let texts = results.flatMap { $0.message.utf8 }
            texts.withUnsafeBufferPointer { texts in
                var start = 0
                let records = results.map { result in
                    var record = result.record
                    let end = start + result.message.utf8.count
                    record.message = fh_str(UnsafeBufferPointer(rebasing: texts[start..<end]))
                    start = end
                    return record
                }
                host.table.pointee.report_subscriptions?(host.context, request, records, UInt32(records.count))
            }
        }
    }
}
