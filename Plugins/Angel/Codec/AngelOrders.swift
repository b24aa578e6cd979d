import AdapterKit

/// The order status socket. It sends updates of all orders of the account by itself, as soon as it is open.
final class AngelOrders: AngelSocket {
    init(_ context: AdapterContext) throws(AdapterError) {
        try super.init(context, endpoint: "orders_endpoint")
    }

    override func headers(_ credentials: Credentials) throws(AdapterError) -> [(String, String)] {
        var token = try Self.required(credentials.accessToken, "access_token")
        // Some logins return the scheme with the token.
        if token.lowercased().hasPrefix("bearer ") {
            token = try Self.required(String(token.dropFirst(7)), "access_token")
        }
        return [("Authorization", "Bearer \(token)")]
    }

    /// The documentation of this socket calls 401 an invalid token and 403 an expired one.
    override var forbidden: DisconnectReason { .authenticationExpired }

    override func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        throw AdapterError(.unsupported, "the order connection carries no market data")
    }

    override func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {}

    override func receive(_ frame: Frame) {
        // The same JSON comes as text or as bytes.
        guard frame.opcode == .text || frame.opcode == .binary, !isPong(frame) else { return }
        guard let message = OrderMessage(frame.bytes) else {
            host.count(.framesBad)
            return host.log(.warning, "unknown message of \(frame.bytes.count) bytes on the order socket")
        }
        if let reason = message.refusal { return refused(reason, message) }
        guard !message.isGreeting else { return }
        guard let update = message.update else {
            host.count(.framesIgnored)
            return host.log(
                .warning, "an order update with the unknown status \(JSONText.unescaped(message.status)) was left out")
        }
        publish(update)
    }

    private func refused(_ reason: DisconnectReason, _ message: OrderMessage) {
        let code = JSONText.unescaped(message.statusCode)
        disconnected(
            reason, message: "Angel One's order socket answered \(code): \(JSONText.unescaped(message.fault))",
            brokerCode: Int32(code) ?? 0)
        disconnect()
    }
}
