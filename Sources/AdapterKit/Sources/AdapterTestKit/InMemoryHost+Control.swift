import AdapterKit
import CFeedhostABI

/// One wish of a test.
public struct Wish: Hashable, Sendable {
    /// Of the instrument.
    public var handle: UInt32
    /// OpenAlgo exchange.
    public var exchange: String
    /// OpenAlgo symbol.
    public var symbol: String
    /// `FH_MODE_*`.
    public var mode: Int
    /// Levels.
    public var depth: Int
    /// The broker's name of the segment, as the host finds it in the instrument master.
    public var brokerExchange = ""
    /// The broker's token.
    public var brokerToken = ""
}

// What the host asks of an adapter.
extension InMemoryHost {
    /// A wish with a handle that stays the same for the same instrument.
    ///
    /// - Parameters:
    ///   - mode: `FH_MODE_*`
    ///   - token: the broker's segment and token, for adapters with an instrument master
    public func wish(
        _ exchange: String, _ symbol: String, _ mode: Int, depth: Int = 0,
        token: (exchange: String, token: String) = ("", "")
    ) -> Wish {
        let name = "\(exchange):\(symbol)"
        let handle = handles[name] ?? UInt32(handles.count + 1)
        handles[name] = handle
        return Wish(
            handle: handle, exchange: exchange, symbol: symbol, mode: mode, depth: depth,
            brokerExchange: token.exchange,
            brokerToken: token.token)
    }

    /// Connects with `fields` as credentials; those that the C interface has a place for, such as `api_key` and
    /// `access_token`, go there, the others are handed over by name.
    @discardableResult
    public func connect(accessToken: String = "", fields: [String: String] = [:]) -> Status {
        generation += 1
        var memory = BorrowedTexts()
        var credentials = fh_credentials()
        credentials.size = UInt32(MemoryLayout<fh_credentials>.size)
        credentials.expires_at = .max
        credentials.access_token = memory.lend(accessToken)
        var others: [fh_field] = []
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            let text = memory.lend(value)
            switch name {
            case "user_id": credentials.user_id = text
            case "api_key": credentials.api_key = text
            case "api_secret": credentials.api_secret = text
            case "access_token": credentials.access_token = text
            case "feed_token": credentials.feed_token = text
            default: others.append(fh_field(name: memory.lend(name), value: text))
            }
        }
        let status = others.withUnsafeBufferPointer { others in
            credentials.fields = others.baseAddress
            credentials.field_count = UInt32(others.count)
            return adapter.pointee.connect?(instance, generation, &credentials) ?? Status.unsupported.rawValue
        }
        memory.release()
        return Status(rawValue: status)
    }

    /// Asks for order updates, if this connection can bring them.
    @discardableResult
    public func startOrders() -> Status { callOrders(\.start) }

    /// Wants no order updates any more.
    @discardableResult
    public func stopOrders() -> Status { callOrders(\.stop) }

    private func callOrders(_ call: KeyPath<fh_orders, (@convention(c) (OpaquePointer?) -> Int32)?>) -> Status {
        let table = adapter.pointee.extension?(instance, "feedhost.orders/1")?.assumingMemoryBound(to: fh_orders.self)
        guard let call = table?.pointee[keyPath: call] else { return .unsupported }
        return Status(rawValue: call(instance))
    }

    /// Subscribes in one call.
    @discardableResult
    public func subscribe(_ wishes: [Wish]) -> Status {
        request += 1
        return withRequests(wishes) { requests, count in
            adapter.pointee.subscribe?(instance, request, requests, count) ?? Status.unsupported.rawValue
        }
    }

    /// Unsubscribes in one call.
    @discardableResult
    public func unsubscribe(_ wishes: [Wish]) -> Status {
        request += 1
        return withRequests(wishes) { requests, count in
            adapter.pointee.unsubscribe?(instance, request, requests, count) ?? Status.unsupported.rawValue
        }
    }

    /// Ends the connection.
    @discardableResult
    public func disconnect() -> Status {
        let status = adapter.pointee.disconnect?(instance, generation) ?? Status.unsupported.rawValue
        timers.removeAll()
        return Status(rawValue: status)
    }

    private func withRequests(
        _ wishes: [Wish], _ body: (UnsafePointer<fh_sub_request>?, UInt32) -> Int32
    ) -> Status {
        var memory = BorrowedTexts()
        let instruments = UnsafeMutablePointer<fh_instrument>.allocate(capacity: max(1, wishes.count))
        var requests: [fh_sub_request] = []
        for (offset, wish) in wishes.enumerated() {
            var instrument = fh_instrument()
            instrument.size = UInt32(MemoryLayout<fh_instrument>.size)
            instrument.handle = wish.handle
            instrument.exchange = memory.lend(wish.exchange)
            instrument.symbol = memory.lend(wish.symbol)
            instrument.broker_exchange = memory.lend(wish.brokerExchange)
            instrument.broker_token = memory.lend(wish.brokerToken)
            (instruments + offset).initialize(to: instrument)
            requests.append(
                fh_sub_request(
                    instrument: instruments + offset, mode: UInt16(wish.mode), depth: UInt16(wish.depth), reserved: 0))
        }
        let status = requests.withUnsafeBufferPointer { body($0.baseAddress, UInt32($0.count)) }
        // Overwritten before it goes, so that an adapter that kept a pointer is found out.
        UnsafeMutableRawPointer(instruments).initializeMemory(
            as: UInt8.self, repeating: 0xA5, count: max(1, wishes.count) * MemoryLayout<fh_instrument>.size)
        instruments.deallocate()
        memory.release()
        return Status(rawValue: status)
    }
}

/// Texts that an adapter may read during one call and that are wiped after it.
struct BorrowedTexts {
    private var buffers: [UnsafeMutableBufferPointer<UInt8>] = []

    mutating func lend(_ text: String) -> fh_str {
        let bytes = Array(text.utf8)
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
        _ = buffer.initialize(from: bytes)
        buffers.append(buffer)
        return fh_str(
            ptr: buffer.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) },
            len: UInt64(bytes.count))
    }

    mutating func release() {
        for buffer in buffers {
            buffer.initialize(repeating: 0xA5)
            buffer.deallocate()
        }
        buffers.removeAll()
    }
}
