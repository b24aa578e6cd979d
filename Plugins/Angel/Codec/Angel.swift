import AdapterKit

/// Angel One, by its SmartAPI: market data, order updates and the instrument master.
///
/// Two kinds of connection, each with a class of its own: ``AngelFeed`` speaks WebSocket 2.0 (binary packets),
/// ``AngelOrders`` the order status socket (JSON).
public enum Angel {
    /// What goes into the entry point of the plugin.
    public static let registration = AdapterRegistration(descriptor, masters: [master]) {
        context throws(AdapterError) in
        context.link == ordersLink ? try AngelOrders(context) : try AngelFeed(context)
    }
}
