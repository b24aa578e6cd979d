import CFeedhostABI

/// What the records hold: the producer's end and the consumer's end of one layout.
///
/// A tick is an `fh_tick`, behind it its bids and its asks. A raw message is its bytes.
extension TickRing {
    /// More levels a side than any venue shows; a count beyond it is a fault of the adapter.
    public static let maximumLevels = 200
    /// Bytes of one raw message.
    public static let maximumRaw = 64 * 1024

    /// What became of a record.
    public enum Put {
        case taken
        /// There is no room now.
        case full
        /// It is none: no instrument, impossible exponents, too many levels or bytes.
        case refused
    }

    /// A record as the consumer sees it, borrowed.
    public enum Record {
        case tick(UnsafePointer<fh_tick>, bids: UnsafeBufferPointer<fh_level>, asks: UnsafeBufferPointer<fh_level>)
        /// - Parameter mode: As it was written; the consumer checks it, and the bytes.
        case raw(UnsafeRawBufferPointer, mode: UInt32)
    }

    /// Producer.
    /// - Parameters:
    ///   - bids, asks: Nil when they are not handed over, whatever the tick says.
    ///   - now: Put in where the tick has no time of receipt; ns since the Unix epoch, UTC.
    @inlinable
    @inline(__always)
    public func put(
        _ tick: UnsafePointer<fh_tick>, bids: UnsafeBufferPointer<fh_level>?, asks: UnsafeBufferPointer<fh_level>?,
        now: UInt64
    ) -> Put {
        let bidCount = tick.pointee.fields & UInt64(FH_F_BIDS) != 0 ? bids?.count ?? 0 : 0
        let askCount = tick.pointee.fields & UInt64(FH_F_ASKS) != 0 ? asks?.count ?? 0 : 0
        guard bidCount <= TickRing.maximumLevels, askCount <= TickRing.maximumLevels, tick.pointee.instrument != 0,
            (-18...0).contains(tick.pointee.price_exp), (-18...0).contains(tick.pointee.qty_exp)
        else { return .refused }
        let header = Header(
            kind: Kind.tick.rawValue, bids: UInt16(bidCount), asks: UInt16(askCount),
            instrument: tick.pointee.instrument)
        let tickSize = MemoryLayout<fh_tick>.size
        let levelSize = MemoryLayout<fh_level>.stride
        let isTaken = push(header, bytes: tickSize + (bidCount + askCount) * levelSize) { place in
            place.copyMemory(from: tick, byteCount: tickSize)
            let copy = place.assumingMemoryBound(to: fh_tick.self)
            if copy.pointee.ts_recv == fh_ts_none() { copy.pointee.ts_recv = now }
            // A side that is announced but was not handed over would be read as an empty book.
            if bids == nil { copy.pointee.fields &= ~(UInt64(FH_F_BIDS) | UInt64(FH_F_ASKS)) }
            if bidCount > 0, let from = bids?.baseAddress {
                (place + tickSize).copyMemory(from: from, byteCount: bidCount * levelSize)
            }
            if askCount > 0, let from = asks?.baseAddress {
                (place + tickSize + bidCount * levelSize).copyMemory(from: from, byteCount: askCount * levelSize)
            }
        }
        return isTaken ? .taken : .full
    }

    /// Producer.
    @inlinable
    public func put(raw bytes: UnsafeRawBufferPointer, instrument: UInt32, mode: UInt32) -> Put {
        guard let start = bytes.baseAddress, bytes.count <= TickRing.maximumRaw else { return .refused }
        let header = Header(
            kind: Kind.raw.rawValue, instrument: instrument, length: UInt32(bytes.count), mode: mode)
        let isTaken = push(header, bytes: bytes.count) { $0.copyMemory(from: start, byteCount: bytes.count) }
        return isTaken ? .taken : .full
    }

    /// Consumer. What ``drain(limit:_:)`` has handed over.
    @inlinable
    @inline(__always)
    public static func record(_ header: Header, _ body: UnsafeRawPointer) -> Record {
        guard header.kind != Kind.raw.rawValue else {
            return .raw(UnsafeRawBufferPointer(start: body, count: Int(header.length)), mode: header.mode)
        }
        let levels = (body + MemoryLayout<fh_tick>.size).assumingMemoryBound(to: fh_level.self)
        return .tick(
            body.assumingMemoryBound(to: fh_tick.self),
            bids: UnsafeBufferPointer(start: levels, count: Int(header.bids)),
            asks: UnsafeBufferPointer(start: levels + Int(header.bids), count: Int(header.asks)))
    }
}
