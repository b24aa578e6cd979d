import NIOCore

/// The newest packet of each instrument, made once for all connections and modes.
struct KitePackets {
    /// By place in the market; nil for what Kite does not carry.
    let listings: [KiteListing?]
    private var kept: [(version: UInt64, bytes: ByteBuffer)?]
    /// Packets of one message: enough to share a frame, few enough for a client's buffers.
    private static let batch = 500

    init(_ instruments: [SimulatedInstrument]) {
        listings = instruments.map(KiteListing.init)
        kept = Array(repeating: nil, count: instruments.count)
    }

    /// The messages for these subscriptions, of what Kite carries: a count, then length and packet one after the other.
    mutating func messages(_ entries: [Subscription], of market: Market) -> [(bytes: ByteBuffer, packets: Int)] {
        stride(from: 0, to: entries.count, by: Self.batch).map { start in
            let part = entries[start..<min(start + Self.batch, entries.count)]
            var message = ByteBuffer()
            message.reserveCapacity(2 + part.count * 186)
            var count: UInt16 = 0
            message.writeInteger(count)
            for entry in part {
                guard let listing = listings[entry.instrument] else { continue }
                var packet = packet(entry, listing, of: market)
                message.writeInteger(UInt16(packet.readableBytes))
                message.writeBuffer(&packet)
                count += 1
            }
            message.setInteger(count, at: 0)
            return (message, Int(count))
        }
    }

    private mutating func packet(_ entry: Subscription, _ listing: KiteListing, of market: Market) -> ByteBuffer {
        let index = entry.instrument
        let mode = KiteMode(rawValue: entry.mode) ?? .full
        let length = KitePacket.length(mode, isIndex: listing.isIndex)
        let version = market.quotes[index].version
        var full: ByteBuffer
        if let kept = kept[index], kept.version == version {
            full = kept.bytes
        } else {
            full = KitePacket.full(market.quotes[index], of: listing)
            kept[index] = (version, full)
        }
        return full.readSlice(length: length) ?? full
    }
}
