import AdapterKit
import CFeedhostABI

private func host(_ context: OpaquePointer?) -> InMemoryHost? {
    context.map { Unmanaged<InMemoryHost>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
}

private func string(_ text: fh_str) -> String {
    String(decoding: bytes(text), as: UTF8.self)
}

private func bytes(_ text: fh_str) -> [UInt8] {
    guard let start = text.ptr else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: Int(text.len)))
}

private func levels(_ start: UnsafePointer<fh_level>?, _ count: UInt32) -> [PublishedLevel] {
    UnsafeBufferPointer(start: start, count: Int(count)).map {
        PublishedLevel(price: $0.px, quantity: $0.qty, orders: $0.orders)
    }
}

extension PublishedOrder {
    fileprivate init(_ order: fh_order) {
        func number(_ value: Int64, _ bit: Int) -> Int64? { order.known & UInt32(bit) != 0 ? value : nil }
        self.init(
            orderID: string(order.order_id), status: string(order.status),
            brokerExchange: string(order.broker_exchange), brokerSymbol: string(order.broker_symbol),
            brokerToken: string(order.broker_token), action: string(order.action),
            priceType: string(order.price_type), product: string(order.product), reason: string(order.reason),
            priceExponent: order.price_exp, quantityExponent: order.qty_exp,
            quantity: number(order.quantity, FH_O_QUANTITY), filled: number(order.filled, FH_O_FILLED),
            pending: number(order.pending, FH_O_PENDING), price: number(order.price, FH_O_PRICE),
            trigger: number(order.trigger, FH_O_TRIGGER), average: number(order.average, FH_O_AVERAGE),
            exchangeTime: order.ts_exchange == .max ? nil : order.ts_exchange)
    }
}

private let hostName: StaticString = "in-memory"
private let hostVersion: StaticString = "1"

extension InMemoryHost {
    static func makeHostTable() -> fh_host {
        var table = fh_host()
        table.size = UInt32(MemoryLayout<fh_host>.size)
        table.abi_major = UInt16(FH_ABI_MAJOR)
        table.abi_minor = UInt16(FH_ABI_MINOR)
        table.name = UnsafeRawPointer(hostName.utf8Start).assumingMemoryBound(to: CChar.self)
        table.version = UnsafeRawPointer(hostVersion.utf8Start).assumingMemoryBound(to: CChar.self)
        table.log = { context, _, message in host(context)?.log.append(string(message)) }
        table.publish_ticks = { context, ticks, count in
            guard let host = host(context) else { return Status.invalid.rawValue }
            host.tickCount += Int(count)
            if host.recordsTicks {
                for record in UnsafeBufferPointer(start: ticks, count: Int(count)) {
                    host.ticks.append(PublishedTick(record: record))
                }
            }
            return Status.ok.rawValue
        }
        table.publish_depth = { context, tick, bids, bidCount, asks, askCount in
            guard let host = host(context), let tick else { return Status.invalid.rawValue }
            host.tickCount += 1
            if host.recordsTicks {
                host.ticks.append(
                    PublishedTick(record: tick.pointee, bids: levels(bids, bidCount), asks: levels(asks, askCount)))
            }
            return Status.ok.rawValue
        }
        table.report_connection = { context, event in
            guard let event else { return }
            host(context)?.connections.append(
                ConnectionEvent(
                    state: event.pointee.state, reason: event.pointee.reason, retryAfter: event.pointee.retry_after_ms,
                    generation: event.pointee.generation, message: string(event.pointee.message)))
        }
        table.report_subscriptions = { context, request, results, count in
            guard let host = host(context) else { return }
            host.resultCalls += 1
            for result in UnsafeBufferPointer(start: results, count: Int(count)) {
                host.results.append(
                    SubscriptionResult(
                        request: request, handle: result.handle, outcome: result.outcome, mode: result.granted_mode,
                        depth: result.granted_depth, status: Status(rawValue: result.status),
                        message: string(result.message)))
            }
        }
        table.report_traffic = { _, _, _, _ in }
        table.find_by_token = { _, _, _ in 0 }
        table.config = { context, key in host(context)?.setting(string(key)) ?? fh_str() }
        table.metric_add = { context, metric, delta in host(context)?.metrics[metric, default: 0] += delta }
        table.now_ns = { context in host(context)?.now ?? 0 }
        table.extension = { context, id in
            guard let host = host(context) else { return nil }
            return switch id.map({ String(cString: $0) }) {
            case "feedhost.transport/1": UnsafeRawPointer(host.transportTable)
            case "feedhost.orders/1": UnsafeRawPointer(host.orderTable)
            default: nil
            }
        }
        return table
    }

    static func makeOrderTable() -> fh_order_sink {
        var table = fh_order_sink()
        table.size = UInt32(MemoryLayout<fh_order_sink>.size)
        table.publish = { context, order in
            guard let host = host(context), let order, order.pointee.order_id.len > 0, order.pointee.status.len > 0
            else {
                return Status.invalid.rawValue
            }
            host.orders.append(PublishedOrder(order.pointee))
            return Status.ok.rawValue
        }
        return table
    }

    static func makeTransportTable() -> fh_transport {
        var table = fh_transport()
        table.size = UInt32(MemoryLayout<fh_transport>.size)
        table.open = { context, request, socket in
            guard let host = host(context), let request, let socket else { return Status.invalid.rawValue }
            guard host.openStatus.isSuccess else { return host.openStatus.rawValue }
            socket.pointee = host.nextID()
            let fields = UnsafeBufferPointer(start: request.pointee.fields, count: Int(request.pointee.field_count))
            host.sockets.append(
                RecordedSocket(
                    id: socket.pointee, tag: request.pointee.user, url: string(request.pointee.url),
                    headers: fields.map { [string($0.name), string($0.value)] }))
            return Status.ok.rawValue
        }
        table.send = { context, socket, _, payload in
            guard let host = host(context), let index = host.sockets.firstIndex(where: { $0.id == socket }) else {
                return Status.invalid.rawValue
            }
            host.sockets[index].sent.append(bytes(payload))
            host.sockets[index].sentAt.append(host.now)
            return Status.ok.rawValue
        }
        table.close = { context, socket, code in
            guard let host = host(context), let index = host.sockets.firstIndex(where: { $0.id == socket }) else {
                return
            }
            host.sockets[index].closeCode = code
        }
        table.fetch = { context, request, id in
            guard let host = host(context), let request, let id else { return Status.invalid.rawValue }
            id.pointee = host.nextID()
            host.fetches.append(
                RecordedFetch(
                    id: id.pointee, tag: request.pointee.user, method: request.pointee.method,
                    url: string(request.pointee.url), body: bytes(request.pointee.body)))
            return Status.ok.rawValue
        }
        table.timer = { context, tag, delay, interval, timer in
            guard let host = host(context), let timer else { return Status.invalid.rawValue }
            timer.pointee = host.nextID()
            host.timers[timer.pointee] = VirtualTimer(
                id: timer.pointee, tag: tag, due: host.now + UInt64(delay) * 1_000, interval: UInt64(interval) * 1_000)
            return Status.ok.rawValue
        }
        table.cancel = { context, id in host(context)?.timers[id] = nil }
        return table
    }

    /// The text stays where it is until the host goes, as the contract demands.
    fileprivate func setting(_ key: String) -> fh_str {
        guard let value = settings[key] else { return fh_str() }
        let buffer: UnsafeMutableBufferPointer<CChar>
        if let known = settingBuffers[key] {
            buffer = known
        } else {
            buffer = .allocate(capacity: max(1, value.utf8.count))
            _ = buffer.initialize(from: value.utf8.map { CChar(bitPattern: $0) })
            settingBuffers[key] = buffer
        }
        return fh_str(ptr: buffer.baseAddress.map { UnsafePointer($0) }, len: UInt64(value.utf8.count))
    }
}
