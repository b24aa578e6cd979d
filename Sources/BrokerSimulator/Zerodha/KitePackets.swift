import NIOCore

/// The newest packet of each instrument, made once for all connections and modes.
struct KitePackets {
    private var kept: [(version: UInt64, bytes: ByteBuffer)?]
    /// Packets of one message: enough to share a frame, few enough for a client's buffers.
    private static let batch = 500

    init(count: Int) { kept = Array(repeating: nil, count: count) }

    /// The messages for these subscriptions: a count, then length and packet one after the other.
    mutating func messages(_ entries: [Subscription], of market: Market) -> [(bytes: ByteBuffer, packets: Int)] {
        stride(from: 0, to: entries.count, by: Self.batch).map { start in
            let part = entries[start..<min(start + Self.batch, entries.count)]
            var message = ByteBuffer()
            message.reserveCapacity(2 + part.count * 186)
            message.writeInteger(UInt16(part.count))
            for entry in part {
                var packet = packet(entry, of: market)
                message.writeInteger(UInt16(packet.readableBytes))
                message.writeBuffer(&packet)
            }
            return (message, part.count)
        }
    }

    private mutating func packet(_ entry: Subscription, of market: Market) -> ByteBuffer {
        let index = entry.instrument
        let instrument = market.instruments[index]
        let mode = KiteMode(rawValue: entry.mode) ?? .full
        let length = KitePacket.length(mode, isIndex: instrument.segment.isIndex)
        let version = market.quotes[index].version
        var full: ByteBuffer
        if let kept = kept[index], kept.version == version {
            full = kept.bytes
        } else {
            full = KitePacket.full(market.quotes[index], of: instrument)
            kept[index] = (version, full)
        }
        return full.readSlice(length: length) ?? full
    }
}
