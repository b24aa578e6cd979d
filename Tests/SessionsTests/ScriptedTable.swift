import CFeedhostABI
import MarketData
import Synchronization
import TestSupport

@testable import Adapters
@testable import Sessions

/// The C table of all scripted brokers. The pointer of an instance is kept alive by its broker.
///
/// `@unchecked Sendable`: written once, then only read.
struct ScriptedTable: @unchecked Sendable {
    static let shared = ScriptedTable()
    let pointer: UnsafePointer<fh_adapter>
    let orders: UnsafePointer<fh_orders>

    private init() {
        let table = UnsafeMutablePointer<fh_adapter>.allocate(capacity: 1)
        table.initialize(
            to: fh_adapter(
                size: UInt32(MemoryLayout<fh_adapter>.size), reserved: 0, create: scriptedCreate,
                connect: scriptedConnect, subscribe: scriptedSubscribe, unsubscribe: scriptedUnsubscribe,
                disconnect: scriptedDisconnect, destroy: scriptedDestroy, extension: scriptedExtension))
        pointer = UnsafePointer(table)
        let orders = UnsafeMutablePointer<fh_orders>.allocate(capacity: 1)
        orders.initialize(
            to: fh_orders(
                size: UInt32(MemoryLayout<fh_orders>.size), reserved: 0, start: scriptedStartOrders,
                stop: scriptedStopOrders))
        self.orders = UnsafePointer(orders)
    }
}

private func instance(_ pointer: OpaquePointer?) -> ScriptedInstance? {
    pointer.map { Unmanaged<ScriptedInstance>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
}

private func scriptedCreate(
    _ params: UnsafePointer<fh_create_params>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> fh_status {
    guard let params = params?.pointee, let broker = ScriptedBroker.named(params.adapter_id.text) else {
        return fh_status(FH_E_INVALID)
    }
    let status = broker.script.withLock { $0.createStatus }
    guard status == FH_OK else { return fh_status(status) }
    let made = broker.make(params)
    out?.pointee = OpaquePointer(Unmanaged.passUnretained(made).toOpaque())
    broker.calls.add(
        .create(instance: made.number, link: Int(params.link), connection: Int(params.connection_index)))
    return fh_status(FH_OK)
}

private func scriptedConnect(
    _ pointer: OpaquePointer?, _ generation: UInt64, _ credentials: UnsafePointer<fh_credentials>?
) -> fh_status {
    guard let instance = instance(pointer), let credentials = credentials?.pointee else {
        return fh_status(FH_E_INVALID)
    }
    var values = [
        "user_id": credentials.user_id.text, "api_key": credentials.api_key.text,
        "api_secret": credentials.api_secret.text, "access_token": credentials.access_token.text,
        "feed_token": credentials.feed_token.text,
    ].filter { !$0.value.isEmpty }
    for field in UnsafeBufferPointer(start: credentials.fields, count: Int(credentials.field_count)) {
        values[field.name.text] = field.value.text
    }
    instance.broker.calls.add(
        .connect(instance: instance.number, generation: generation, version: credentials.version, values))
    let answer = instance.broker.script.withLock { $0.connects.isEmpty ? $0.connect : $0.connects.removeFirst() }
    return fh_status(answer(instance, generation))
}

private func seen(_ requests: UnsafePointer<fh_sub_request>?, _ count: UInt32) -> [SeenWish] {
    UnsafeBufferPointer(start: requests, count: Int(count)).compactMap { request in
        guard let instrument = request.instrument?.pointee else { return nil }
        return SeenWish(
            handle: instrument.handle, name: "\(instrument.exchange.text):\(instrument.symbol.text)",
            mode: Mode(highestOf: UInt32(request.mode)) ?? .ltp, depth: Int(request.depth),
            listing: SeenListing(instrument))
    }
}

private func scriptedSubscribe(
    _ pointer: OpaquePointer?, _ request: UInt64, _ requests: UnsafePointer<fh_sub_request>?, _ count: UInt32
) -> fh_status {
    guard let instance = instance(pointer) else { return fh_status(FH_E_INVALID) }
    let wishes = seen(requests, count)
    instance.broker.calls.add(.subscribe(instance: instance.number, request: request, wishes))
    let answer = instance.broker.script.withLock {
        $0.subscribes.isEmpty ? $0.subscribe : $0.subscribes.removeFirst()
    }
    return fh_status(answer(instance, request, wishes))
}

private func scriptedUnsubscribe(
    _ pointer: OpaquePointer?, _ request: UInt64, _ requests: UnsafePointer<fh_sub_request>?, _ count: UInt32
) -> fh_status {
    guard let instance = instance(pointer) else { return fh_status(FH_E_INVALID) }
    let handles = seen(requests, count).map(\.handle)
    instance.forget(handles)
    instance.broker.calls.add(.unsubscribe(instance: instance.number, request: request, handles))
    return fh_status(FH_OK)
}

private func scriptedDisconnect(_ pointer: OpaquePointer?, _ generation: UInt64) -> fh_status {
    guard let instance = instance(pointer) else { return fh_status(FH_E_INVALID) }
    instance.forget()
    instance.broker.calls.add(.disconnect(instance: instance.number, generation: generation))
    return fh_status(FH_OK)
}

private func scriptedDestroy(_ pointer: OpaquePointer?) {
    guard let instance = instance(pointer) else { return }
    instance.end()
    instance.broker.calls.add(.destroy(instance: instance.number))
}

private func scriptedExtension(_ pointer: OpaquePointer?, _ id: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
    guard let instance = instance(pointer), let id, String(cString: id) == "feedhost.orders/1",
        instance.broker.script.withLock({ $0.offersOrders })
    else { return nil }
    return UnsafeRawPointer(ScriptedTable.shared.orders)
}

private func scriptedStartOrders(_ pointer: OpaquePointer?) -> fh_status {
    guard let instance = instance(pointer) else { return fh_status(FH_E_INVALID) }
    instance.broker.calls.add(.startOrders(instance: instance.number))
    return fh_status(
        instance.broker.script.withLock { $0.orderStarts.isEmpty ? Int(FH_OK) : $0.orderStarts.removeFirst() })
}

private func scriptedStopOrders(_ pointer: OpaquePointer?) -> fh_status {
    guard let instance = instance(pointer) else { return fh_status(FH_E_INVALID) }
    instance.broker.calls.add(.stopOrders(instance: instance.number))
    return fh_status(FH_OK)
}
