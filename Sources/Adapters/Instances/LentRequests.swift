import CFeedhostABI
import MarketData

extension [SubscriptionRequest] {
    /// Lends them as C records for one call.
    func withRequests(_ body: (UnsafeBufferPointer<fh_sub_request>) -> fh_status) -> fh_status {
        let texts = map { request in
            [
                request.instrument.exchange, request.instrument.symbol, request.listing?.brokerExchange ?? "",
                request.listing?.brokerToken ?? "",
            ].map { StableText($0) }
        }
        let instruments = zip(self, texts).map { request, texts in
            fh_instrument(
                size: UInt32(MemoryLayout<fh_instrument>.size), handle: request.handle, exchange: texts[0].str,
                symbol: texts[1].str, broker_exchange: texts[2].str, broker_token: texts[3].str,
                price_exp: request.listing?.priceExponent ?? 0, qty_exp: 0, reserved: (0, 0, 0, 0, 0, 0),
                tick_size: request.listing?.tickSize ?? 0, lot_size: request.listing?.lotSize ?? 0)
        }
        return withExtendedLifetime(texts) {
            instruments.withUnsafeBufferPointer { instruments in
                guard let first = instruments.baseAddress else { return fh_status(FH_OK) }
                let requests = enumerated().map { index, request in
                    fh_sub_request(
                        instrument: first + index, mode: request.mode.abi, depth: UInt16(clamping: request.depth),
                        reserved: 0)
                }
                return requests.withUnsafeBufferPointer(body)
            }
        }
    }
}
