/// Up to eight bytes of text as one number, the first byte lowest: message types, exchanges and names of members are
/// compared as numbers.
enum PackedText {
    /// `text` as a number, or 0 if it is longer than eight bytes.
    static func pack(_ text: some StringProtocol) -> UInt64 {
        guard text.utf8.count <= 8 else { return 0 }
        var packed: UInt64 = 0
        for (offset, byte) in text.utf8.enumerated() { packed |= UInt64(byte) << UInt64(offset * 8) }
        return packed
    }
}

/// The types of messages that carry market data.
enum FeedKind {
    /// `tk`: everything known of a touchline; the answer to `t`.
    static let touchlineSnapshot: UInt64 = 0x6B74
    /// `tf`: what has changed in a touchline.
    static let touchlineDelta: UInt64 = 0x6674
    /// `dk`: everything known of a depth; the answer to `d`.
    static let depthSnapshot: UInt64 = 0x6B64
    /// `df`: what has changed in a depth.
    static let depthDelta: UInt64 = 0x6664

    static func isFeed(_ kind: UInt64) -> Bool {
        kind == touchlineDelta || kind == depthDelta || kind == touchlineSnapshot || kind == depthSnapshot
    }
}
