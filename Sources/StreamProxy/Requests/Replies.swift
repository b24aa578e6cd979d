import MarketData

/// The replies, member for member in the order of the recorded ones.
enum Replies {
    /// An error frame has no `type`: clients tell it by that (client-protocol.md section 2).
    static func error(_ rejection: Rejection) -> JSONValue {
        let reply: JSONValue = [
            "status": "error", "code": .string(rejection.code.rawValue), "message": .string(rejection.message),
        ]
        return reply.adding("detail", rejection.detail.map { .string($0) })
    }

    static func notice(_ event: SessionEvent) -> JSONValue {
        let notice: JSONValue = [
            "type": "notice", "code": .string(event.code.rawValue), "message": .string(event.message),
            "broker": .string(event.broker),
        ]
        guard let outage = event.outage else { return notice }
        return
            notice
            .adding("reason", .string(outage.extent.reason.rawValue))
            .adding("since", .int(outage.since))
            .adding("next_attempt", outage.nextAttempt.map { .int($0) })
            .adding("connections", .int(outage.extent.connections))
            .adding("connections_down", .int(outage.extent.down))
            .adding("instruments", .int(outage.instruments))
            .adding("orders_stopped", .bool(outage.extent.stopsOrders))
    }

    static func authenticated(user: String, broker: String, modes: Set<Mode>) -> JSONValue {
        [
            "type": "auth", "status": "success", "message": "Authentication successful",
            "broker": .string(broker), "user_id": .string(user),
            "supported_features": [
                "ltp": .bool(modes.contains(.ltp)), "quote": .bool(modes.contains(.quote)),
                "depth": .bool(modes.contains(.depth)),
            ],
        ]
    }

    static func pong(serverTime: Int, timestamp: JSONValue?, pingID: JSONValue?) -> JSONValue {
        let reply: JSONValue = ["type": "pong", "status": "success", "server_timestamp": .int(serverTime)]
        return reply.adding("client_timestamp", timestamp).adding("_pingId", pingID)
    }

    static func brokerInfo(user: String, broker: String, adapterStatus: String) -> JSONValue {
        [
            "type": "broker_info", "status": "success", "broker": .string(broker),
            "adapter_status": .string(adapterStatus), "user_id": .string(user),
        ]
    }

    static func supportedBrokers(_ brokers: [String]) -> JSONValue {
        [
            "type": "supported_brokers", "status": "success", "brokers": .array(brokers.map { .string($0) }),
            "count": .int(brokers.count),
        ]
    }

    static func orders(subscribed: Bool) -> JSONValue {
        subscribed
            ? ["type": "subscribe_orders", "status": "success", "message": "Subscribed to order updates"]
            : ["type": "unsubscribe_orders", "status": "success", "message": "Unsubscribed from order updates"]
    }

    /// - Parameter isComplete: Whether no entry failed; otherwise it is `partial`, even if all of them did.
    static func subscribed(_ entries: [JSONValue], isComplete: Bool, broker: String) -> JSONValue {
        [
            "type": "subscribe", "status": isComplete ? "success" : "partial", "subscriptions": .array(entries),
            "message": "Subscription processing complete", "broker": .string(broker),
        ]
    }

    static func unsubscribed(_ successful: [JSONValue], failed: [JSONValue], broker: String) -> JSONValue {
        let status: JSONValue = failed.isEmpty ? "success" : successful.isEmpty ? "error" : "partial"
        return [
            "type": "unsubscribe", "status": status, "message": "Unsubscription processing complete",
            "successful": .array(successful), "failed": .array(failed), "broker": .string(broker),
        ]
    }

    static func granted(_ written: Instrument, _ mode: Mode, _ grant: WishOutcome.Grant, broker: String) -> JSONValue {
        let entry: JSONValue = [
            "symbol": .string(written.symbol), "exchange": .string(written.exchange), "status": "success",
            "mode": .string(mode.label), "depth": .int(grant.depth), "broker": .string(broker),
        ]
        return grant.pending ? entry.adding("pending", true) : entry
    }

    static func left(_ written: Instrument, broker: String) -> JSONValue {
        [
            "symbol": .string(written.symbol), "exchange": .string(written.exchange), "status": "success",
            "broker": .string(broker),
        ]
    }

    static func failed(_ entry: WrittenInstrument, _ rejection: Rejection, broker: String) -> JSONValue {
        [
            "symbol": entry.symbol, "exchange": entry.exchange, "status": "error",
            "message": .string(rejection.message), "broker": .string(broker),
            "code": .string(rejection.code.rawValue),
        ]
    }
}
