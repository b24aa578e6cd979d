import CFeedhostABI
import Logging
import MarketBus
import MarketData
import NIOCore

/// One adapter instance: one connection to the broker. Confined to its lane, the event loop on which the session's actor
/// runs; every call into the adapter is made from there, one after another.
final class Link {
    enum State {
        case idle
        case connecting
        case ready
        /// Waiting to connect again.
        case backingOff
        /// Given up until credentials or configuration change.
        case failed(FeedError)
    }

    let index: Int
    let kind: LinkKind
    let kindIndex: Int
    let adapter: LoadedAdapter
    let context: HostContext
    private let instance: OpaquePointer
    private let lane: TransportLane

    var state = State.idle
    /// Rises with every connect; events of older connections are ignored.
    var generation: UInt64 = 0
    var lines: [UInt32: Line] = [:]
    var backoff: Backoff
    /// Instruments to be sent with the next flush, in order.
    var dirty: [UInt32] = []
    /// Lines that the broker is to be told to end with the next flush.
    var leaving: [Line] = []
    /// Ends a wait: for the connect, for the next attempt.
    var timer: Scheduled<Void>?
    var pacing: Scheduled<Void>?
    /// When the link became ready, ns since the Unix epoch.
    var readySince: UInt64 = 0
    /// Hash of the credentials of the last connect, to know them again without keeping them; nil before the first.
    var fingerprint: Int?
    /// Refusals in a row.
    var authenticationFailures = 0
    /// Instruments a call.
    var batch: Int { kind.batch == 0 ? .max : kind.batch }
    var isConnected: Bool { if case .ready = state { true } else { false } }

    /// Makes the instance.
    /// - Throws: ``FeedError`` with `BROKER_INIT_ERROR` when the adapter does not make one.
    init(
        index: Int, kindIndex: Int, connectionIndex: Int, adapter: LoadedAdapter, context: HostContext,
        loop: any EventLoop
    ) throws {
        self.index = index
        self.kindIndex = kindIndex
        kind = adapter.capabilities.links[kindIndex]
        self.adapter = adapter
        self.context = context
        backoff = Backoff(
            base: adapter.capabilities.timings.backoffBase, longest: adapter.capabilities.timings.backoffMax)
        var options = TransportLane.Options()
        options.pingInterval = adapter.capabilities.timings.webSocketPing
        options.pongTimeout = adapter.capabilities.timings.webSocketPongTimeout
        let lane = TransportLane(loop: loop, context: context, options: options)
        self.lane = lane
        context.lane = lane

        let id = StableText(adapter.description.id)
        var params = fh_create_params(
            size: UInt32(MemoryLayout<fh_create_params>.size), link: UInt32(kindIndex),
            connection_index: UInt32(connectionIndex), reserved: 0, ctx: context.pointer, host: HostTable.host,
            adapter_id: id.str)
        var instance: OpaquePointer?
        // The text would otherwise be free to go as soon as its address has been read.
        let status = withExtendedLifetime(id) {
            lane.enter("create") { adapter.table.pointee.create(&params, &instance) }
        }
        guard status == FH_OK, let instance else {
            context.lane = nil
            throw FeedError(
                .brokerInit, "The adapter \(adapter.description.id) could not be started: \(Link.describe(status)).")
        }
        self.instance = instance
        let events = lane.enter("extension") { adapter.table.pointee.extension?(instance, "feedhost.transport/1") }
        lane.attach(instance: instance, events: events?.assumingMemoryBound(to: fh_transport_events.self))
    }

    // MARK: Calls into the adapter

    func connect(_ credentials: BrokerCredentials) -> fh_status {
        LentCredentials.withPointer(credentials) { pointer in
            lane.enter("connect") { adapter.table.pointee.connect(instance, generation, pointer) }
        }
    }

    /// Ends the connection. Nothing of it arrives afterwards.
    func disconnect() {
        _ = lane.enter("disconnect") { adapter.table.pointee.disconnect(instance, generation) }
        lane.closeAll()
    }

    /// Ends the instance. The link must not be used afterwards.
    func destroy() {
        timer?.cancel()
        pacing?.cancel()
        disconnect()
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
        let texts = lines.map { (StableText($0.instrument.exchange), StableText($0.instrument.symbol)) }
        let empty = fh_str(ptr: nil, len: 0)
        let instruments = zip(lines, texts).map { line, text in
            fh_instrument(
                size: UInt32(MemoryLayout<fh_instrument>.size), handle: line.handle, exchange: text.0.str,
                symbol: text.1.str, broker_exchange: empty, broker_token: empty, price_exp: 0, qty_exp: 0,
                reserved: (0, 0, 0, 0, 0, 0), tick_size: 0, lot_size: 0)
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

    /// Has the instrument sent with the next flush.
    func markDirty(_ handle: UInt32) {
        guard lines[handle]?.isDirty == false else { return }
        lines[handle]?.isDirty = true
        lines[handle]?.refusal = nil
        dirty.append(handle)
    }

    // MARK: Life signs

    /// True while the log has said that nothing comes.
    var isKnownSilent = false

    /// When the broker was last heard, ns since the Unix epoch.
    var lastHeard: UInt64 { max(lane.lastActivity, context.lastTrafficTime) }

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
