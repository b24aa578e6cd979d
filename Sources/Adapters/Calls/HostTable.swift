import CFeedhostABI
import MarketData
import Secrets
import Transport

/// `fh_host`, `fh_order_sink` and `fh_raw_publish`: the functions that adapters call. Free functions, because a closure in a global would
/// carry an actor's isolation to the adapter's threads.
package enum HostTable {
    /// Of the running host.
    static let version = StableText(FeedhostVersion.text)
    private static let name = StableText("feedhost")

    // Built once, never changed, never freed: adapters keep the pointers.
    package nonisolated(unsafe) static let host: UnsafePointer<fh_host> = {
        let table = UnsafeMutablePointer<fh_host>.allocate(capacity: 1)
        table.initialize(
            to: fh_host(
                size: UInt32(MemoryLayout<fh_host>.size), abi_major: UInt16(FH_ABI_MAJOR),
                abi_minor: UInt16(FH_ABI_MINOR), name: name.cString, version: version.cString, log: hostLog,
                publish_ticks: hostPublishTicks, publish_depth: hostPublishDepth,
                report_connection: hostReportConnection, report_subscriptions: hostReportSubscriptions,
                report_traffic: hostReportTraffic, find_by_token: hostFindByToken, config: hostConfig,
                metric_add: hostMetricAdd, now_ns: hostNow, extension: hostExtension))
        return UnsafePointer(table)
    }()

    nonisolated(unsafe) static let rawPublish: UnsafePointer<fh_raw_publish> = {
        let table = UnsafeMutablePointer<fh_raw_publish>.allocate(capacity: 1)
        table.initialize(
            to: fh_raw_publish(
                size: UInt32(MemoryLayout<fh_raw_publish>.size), reserved: 0, publish: hostRawPublish))
        return UnsafePointer(table)
    }()

    nonisolated(unsafe) static let orderSink: UnsafePointer<fh_order_sink> = {
        let table = UnsafeMutablePointer<fh_order_sink>.allocate(capacity: 1)
        table.initialize(
            to: fh_order_sink(
                size: UInt32(MemoryLayout<fh_order_sink>.size), reserved: 0, publish: hostPublishOrder))
        return UnsafePointer(table)
    }()
}

private func hostLog(_ context: OpaquePointer?, _ level: Int32, _ message: fh_str) {
    HostContext.of(context)?.log(level: level, message)
}

private func hostPublishTicks(_ context: OpaquePointer?, _ ticks: UnsafePointer<fh_tick>?, _ count: UInt32) -> fh_status
{
    guard let context = HostContext.of(context), let ticks else { return fh_status(FH_E_INVALID) }
    let now = WallClock.now()
    context.sawTraffic(now)
    let taken = context.feed.publish(
        UnsafeBufferPointer(start: ticks, count: Int(count)), now: now, mayWait: { context.isOnOwnThread })
    return taken == Int(count) ? fh_status(FH_OK) : fh_status(FH_E_LIMIT)
}

private func hostPublishDepth(
    _ context: OpaquePointer?, _ tick: UnsafePointer<fh_tick>?, _ bids: UnsafePointer<fh_level>?, _ bidCount: UInt32,
    _ asks: UnsafePointer<fh_level>?, _ askCount: UInt32
) -> fh_status {
    guard let context = HostContext.of(context), let tick, bids != nil || bidCount == 0, asks != nil || askCount == 0
    else { return fh_status(FH_E_INVALID) }
    let now = WallClock.now()
    context.sawTraffic(now)
    let taken = context.feed.publish(
        tick, bids: UnsafeBufferPointer(start: bids, count: Int(bidCount)),
        asks: UnsafeBufferPointer(start: asks, count: Int(askCount)), now: now, mayWait: { context.isOnOwnThread })
    return taken ? fh_status(FH_OK) : fh_status(FH_E_LIMIT)
}

private func hostReportConnection(_ context: OpaquePointer?, _ event: UnsafePointer<fh_conn_event>?) {
    // What is shorter than the first version has no fields to read behind its end.
    guard let context = HostContext.of(context), let event,
        Int(event.pointee.size) >= ConnectionEvent.firstSize
    else { return }
    context.report(.connection(ConnectionEvent(event, without: context.concealment.redaction)))
}

private func hostReportSubscriptions(
    _ context: OpaquePointer?, _ request: UInt64, _ results: UnsafePointer<fh_sub_result>?, _ count: UInt32
) {
    guard let context = HostContext.of(context), let results, count > 0 else { return }
    let secrets = context.concealment.redaction
    let copies = UnsafeBufferPointer(start: results, count: Int(count)).map { SubscriptionResult($0, without: secrets) }
    context.report(.subscriptions(request: request, copies))
}

private func hostReportTraffic(_ context: OpaquePointer?, _ frames: UInt32, _ bytes: UInt64, _ heartbeats: UInt32) {
    HostContext.of(context)?.sawTraffic(WallClock.now())
}

private func hostFindByToken(_ context: OpaquePointer?, _ exchange: fh_str, _ token: fh_str) -> UInt32 {
    HostContext.of(context)?.find(exchange: exchange.text, token: token.text) ?? 0
}

private func hostConfig(_ context: OpaquePointer?, _ key: fh_str) -> fh_str {
    HostContext.of(context)?.setting(key.text) ?? fh_str(ptr: nil, len: 0)
}

private func hostMetricAdd(_ context: OpaquePointer?, _ metric: UInt32, _ delta: Int64) {
    HostContext.of(context)?.counters.add(metric: metric, delta)
}

private func hostNow(_ context: OpaquePointer?) -> UInt64 { WallClock.now() }

private func hostExtension(_ context: OpaquePointer?, _ id: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
    guard let id else { return nil }
    return switch String(cString: id) {
    case "feedhost.transport/1": UnsafeRawPointer(TransportLane.table)
    case "feedhost.orders/1": UnsafeRawPointer(HostTable.orderSink)
    case "feedhost.raw-publish/1": UnsafeRawPointer(HostTable.rawPublish)
    default: nil
    }
}

private func hostPublishOrder(_ context: OpaquePointer?, _ order: UnsafePointer<fh_order>?) -> fh_status {
    guard let context = HostContext.of(context), let order,
        let report = OrderReport(order, without: context.concealment.redaction)
    else { return fh_status(FH_E_INVALID) }
    context.sawTraffic(WallClock.now())
    context.report(.order(report))
    return fh_status(FH_OK)
}

private func hostRawPublish(
    _ context: OpaquePointer?, _ instrument: UInt32, _ mode: UInt32, _ json: fh_str
) -> fh_status {
    guard let context = HostContext.of(context), instrument != 0, mode.nonzeroBitCount == 1,
        let mode = Mode(highestOf: mode)
    else { return fh_status(FH_E_INVALID) }
    context.sawTraffic(WallClock.now())
    return context.feed.publish(
        raw: json.bytes, instrument: instrument, mode: mode, mayWait: { context.isOnOwnThread })
        ? fh_status(FH_OK) : fh_status(FH_E_LIMIT)
}
