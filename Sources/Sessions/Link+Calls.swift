import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Transport

/// Calls into the adapter, and what it is lent for them.
extension Link {
    func connect(_ credentials: BrokerCredentials, generation: UInt64) -> fh_status {
        LentCredentials.withPointer(credentials) { pointer in
            lane.enter("connect") { adapter.table.pointee.connect(instance, generation, pointer) }
        }
    }

    /// Ends the connection. Nothing of it arrives afterwards.
    func disconnect(generation: UInt64) {
        _ = lane.enter("disconnect") { adapter.table.pointee.disconnect(instance, generation) }
        lane.closeAll()
    }

    /// Ends the instance. The link must not be used afterwards.
    func destroy(generation: UInt64) {
        timer?.cancel()
        pacing?.cancel()
        disconnect(generation: generation)
        lane.enter("destroy") { adapter.table.pointee.destroy(instance) }
        lane.detach()
    }

    func subscribe(request: UInt64, _ lines: [Line]) -> fh_status {
        withRequests(lines) { requests in
            lane.enter("subscribe") {
                adapter.table.pointee.subscribe(instance, request, requests.baseAddress, UInt32(requests.count))
            }
        }
    }

    func unsubscribe(request: UInt64, _ lines: [Line]) {
        let status = withRequests(lines) { requests in
            lane.enter("unsubscribe") {
                adapter.table.pointee.unsubscribe(instance, request, requests.baseAddress, UInt32(requests.count))
            }
        }
        if status != FH_OK {
            context.logger.warning("unsubscribe of \(lines.count) instruments: \(Link.describe(status))")
        }
    }

    /// Lends the lines as C records for one call.
    private func withRequests(
        _ lines: [Line], _ body: (UnsafeBufferPointer<fh_sub_request>) -> fh_status
    ) -> fh_status {
        let texts = lines.map { line in
            [
                line.instrument.exchange, line.instrument.symbol, line.listing?.brokerExchange ?? "",
                line.listing?.brokerToken ?? "",
            ].map { StableText($0) }
        }
        let instruments = zip(lines, texts).map { line, texts in
            fh_instrument(
                size: UInt32(MemoryLayout<fh_instrument>.size), handle: line.handle, exchange: texts[0].str,
                symbol: texts[1].str, broker_exchange: texts[2].str, broker_token: texts[3].str,
                price_exp: line.listing?.priceExponent ?? 0, qty_exp: 0, reserved: (0, 0, 0, 0, 0, 0),
                tick_size: line.listing?.tickSize ?? 0, lot_size: line.listing?.lotSize ?? 0)
        }
        return withExtendedLifetime(texts) {
            instruments.withUnsafeBufferPointer { instruments in
                guard let first = instruments.baseAddress else { return fh_status(FH_OK) }
                let requests = lines.enumerated().map { index, line in
                    fh_sub_request(
                        instrument: first + index, mode: line.wanted.mode.abi,
                        depth: line.wanted.mode == .depth ? UInt16(clamping: line.wanted.depth) : 0, reserved: 0)
                }
                return requests.withUnsafeBufferPointer(body)
            }
        }
    }

    /// What a status means, for people.
    static func describe(_ status: fh_status) -> String {
        switch Int(status) {
        case Int(FH_OK): "it returned nothing"
        case Int(FH_E_INVALID): "a setting or argument is wrong; see the adapter's log lines"
        case Int(FH_E_UNSUPPORTED): "it does not support this"
        case Int(FH_E_NOMEM): "out of memory"
        case Int(FH_E_STATE): "not possible in its present state"
        case Int(FH_E_LIMIT): "a limit is reached"
        case Int(FH_E_AUTH): "the credentials are refused or missing"
        case Int(FH_E_NETWORK): "the network failed"
        case Int(FH_E_UNKNOWN_INSTRUMENT): "unknown instrument"
        case Int(FH_E_STOPPING): "it is shutting down"
        case Int(FH_E_TIMEOUT): "it timed out"
        case Int(FH_E_INTERNAL): "an internal error of the adapter"
        default: "status \(status)"
        }
    }
}
