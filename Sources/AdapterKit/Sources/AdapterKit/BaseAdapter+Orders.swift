import CFeedhostABI

// Order updates: the adapter's half of `feedhost.orders/1`.
extension BaseAdapter {
    /// Hands an order update to the host, unless nobody wants any now. Copied; from inside a hook only.
    @discardableResult
    public func publish(_ update: OrderUpdate) -> Status {
        guard wantsOrders else { return .ok }
        guard let orderSink, let publish = orderSink.pointee.publish else { return .unsupported }
        return update.withRecord { Status(rawValue: publish(host.context, $0)) }
    }
}

// Unchecked: written once when it is made, only read afterwards, never freed.
struct OrdersTable: @unchecked Sendable {
    static let shared = OrdersTable()
    let pointer = StaticTables.value(makeOrdersTable())
}

private func makeOrdersTable() -> fh_orders {
    var table = fh_orders()
    table.size = UInt32(MemoryLayout<fh_orders>.size)
    table.start = { instance in
        guard let adapter = BaseAdapter.of(instance) else { return Status.invalid.rawValue }
        guard adapter.state == .ready else { return Status.wrongState.rawValue }
        guard !adapter.wantsOrders else { return Status.ok.rawValue }
        adapter.wantsOrders = true
        do throws(AdapterError) {
            try adapter.startOrders()
            return Status.ok.rawValue
        } catch {
            adapter.wantsOrders = false
            adapter.host.log(.warning, "order updates: \(error.message)")
            return error.failure.rawValue
        }
    }
    table.stop = { instance in
        guard let adapter = BaseAdapter.of(instance) else { return Status.invalid.rawValue }
        guard adapter.wantsOrders else { return Status.ok.rawValue }
        adapter.wantsOrders = false
        if adapter.state == .ready { adapter.stopOrders() }
        return Status.ok.rawValue
    }
    return table
}

extension BaseAdapter {
    static func of(_ instance: OpaquePointer?) -> BaseAdapter? {
        instance.map { Unmanaged<BaseAdapter>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }
}

extension BaseAdapter {
    /// The table, for a connection that can bring order updates.
    var ordersTable: UnsafeRawPointer? {
        let capabilities = descriptor.capabilities
        guard capabilities.orderStream != .none else { return nil }
        let carriesOrders =
            capabilities.links.isEmpty
            || (capabilities.links.indices.contains(link) && capabilities.links[link].carries.contains(.orders))
        return carriesOrders ? UnsafeRawPointer(OrdersTable.shared.pointer) : nil
    }
}
