import AdapterKit

// What comes from Kite: ticks in binary messages, everything else in text.
extension Zerodha {
    /// Longest text of Kite's that goes into a log line, in bytes.
    private static let textLimit = 200

    func takeTicks(_ frame: Frame) {
        var packets = PacketReader(frame.bytes)
        var ignored: Int64 = 0
        while let next = packets.next() {
            guard let subscription = subscriptions[UInt64(next.token)] else {
                if next.kind == .unknown { countUnknownPacket() } else { ignored += 1 }
                continue
            }
            let packet = next.reading(subscription)
            var tick = packet.tick(of: subscription, receivedAt: frame.receivedAt)
            if packets.isAtEnd { tick.flags.insert(.last) }
            if packet.kind == .full {
                packet.readBook(into: bids, asks)
                host.publish(tick, bids: bids, asks: asks)
            } else {
                host.publish(tick)
            }
        }
        if ignored > 0 { host.count(.framesIgnored, ignored) }
        if packets.isDamaged { host.count(.framesBad) }
    }

    private func countUnknownPacket() {
        host.count(.framesBad)
        guard !hasToldOfUnknownPackets else { return }
        hasToldOfUnknownPackets = true
        host.log(.warning, "packets of a length that Kite does not document are left out")
    }

    func takeText(_ bytes: Bytes) {
        var json = JSONScanner(bytes)
        var type: Bytes?
        var data: Bytes?
        if json.enterObject() {
            while let key = json.nextKey() {
                if key == "type" {
                    type = json.skipValue()
                } else if key == "data" {
                    data = json.skipValue()
                } else {
                    json.skipValue()
                }
            }
        }
        guard json.isFinished, let type else {
            host.count(.framesBad)
            host.log(.warning, "undecodable text message of \(bytes.count) bytes")
            return
        }
        if type == "\"order\"" {
            takeOrder(data ?? .empty)
        } else if type == "\"error\"" {
            host.log(.warning, "Kite reports an error: \(Self.readable(data))")
        } else if type == "\"message\"" {
            host.log(.info, "Kite says: \(Self.readable(data))")
        } else {
            host.count(.framesIgnored)
        }
    }

    private func takeOrder(_ data: Bytes) {
        // Every connection of a login gets every update; the host listens on one.
        guard wantsOrders else { return host.count(.framesIgnored) }
        guard let update = OrderPostback.update(data) else {
            host.count(.framesBad)
            host.log(.warning, "undecodable order update of \(data.count) bytes")
            return
        }
        publish(update)
    }

    private static func readable(_ value: Bytes?) -> String {
        guard let value, !value.isEmpty else { return "(no text)" }
        return JSONText(value.slice(from: 0, to: textLimit)).line
    }
}
