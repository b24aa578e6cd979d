import CFeedhostABI

/// A wish for one instrument. It replaces an earlier wish for the same instrument. Copied: keep it as long as you like.
public struct SubscriptionRequest: Hashable, Sendable {
    /// What ticks carry back; never 0, never used again for another instrument.
    public var handle: UInt32
    /// OpenAlgo exchange, e.g. `NSE`, `NSE_INDEX`.
    public var exchange: String
    /// OpenAlgo symbol, e.g. `RELIANCE`.
    public var symbol: String
    /// The broker's name of the segment; empty without an instrument master.
    public var brokerExchange: String
    /// The broker's token; empty without an instrument master.
    public var brokerToken: String
    /// The power of ten of ``tickSize``.
    public var priceExponent: Int8
    /// The power of ten of ``lotSize``.
    public var quantityExponent: Int8
    /// Smallest price step, mantissa; 0 if unknown.
    public var tickSize: Int64
    /// Units a lot, mantissa; 0 if unknown.
    public var lotSize: Int64
    /// The highest mode that any client wants.
    public var mode: Mode
    /// Levels wanted; 0 unless the mode is ``Mode/depth``.
    public var depth: Int

    init?(_ wish: fh_sub_request) {
        guard let instrument = wish.instrument,
            instrument.pointee.size >= UInt32(MemoryLayout<fh_instrument>.size), instrument.pointee.handle != 0
        else { return nil }
        handle = instrument.pointee.handle
        exchange = String(instrument.pointee.exchange)
        symbol = String(instrument.pointee.symbol)
        brokerExchange = String(instrument.pointee.broker_exchange)
        brokerToken = String(instrument.pointee.broker_token)
        priceExponent = instrument.pointee.price_exp
        quantityExponent = instrument.pointee.qty_exp
        tickSize = instrument.pointee.tick_size
        lotSize = instrument.pointee.lot_size
        mode = Mode(rawValue: wish.mode)
        depth = mode == .depth ? Int(wish.depth) : 0
    }

    static func list(_ start: UnsafePointer<fh_sub_request>?, count: UInt32) -> [SubscriptionRequest]? {
        var requests: [SubscriptionRequest] = []
        requests.reserveCapacity(Int(count))
        for wish in UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count)) {
            guard let request = SubscriptionRequest(wish) else { return nil }
            requests.append(request)
        }
        return requests
    }
}
