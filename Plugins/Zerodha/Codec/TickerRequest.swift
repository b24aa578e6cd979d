/// What a client can ask the ticker for, as the text that goes over the wire.
enum TickerRequest {
    /// Tokens a frame.
    static let limit = 200

    static func subscribe(_ tokens: [UInt32]) -> String {
        "{\"a\":\"subscribe\",\"v\":\(list(tokens))}"
    }

    static func unsubscribe(_ tokens: [UInt32]) -> String {
        "{\"a\":\"unsubscribe\",\"v\":\(list(tokens))}"
    }

    static func mode(_ mode: FeedMode, _ tokens: [UInt32]) -> String {
        "{\"a\":\"mode\",\"v\":[\"\(mode.name)\",\(list(tokens))]}"
    }

    /// `items` in pieces that one frame may hold.
    static func batches<Item>(_ items: [Item]) -> [ArraySlice<Item>] {
        stride(from: 0, to: items.count, by: limit).map { items[$0..<min($0 + limit, items.count)] }
    }

    private static func list(_ tokens: [UInt32]) -> String {
        "[" + tokens.map { "\($0)" }.joined(separator: ",") + "]"
    }
}
