import NIOCore
import NIOHTTP1

/// What a fault has done, for whoever asked for it.
struct FaultResult: Encodable {
    var fault: String
    /// Connections concerned.
    var connections: Int?
    /// After a `roll`.
    var accessToken: String?
    var feedToken: String?
    /// After an `order`.
    var orderID: String?

    enum CodingKeys: String, CodingKey {
        case fault, connections
        case accessToken = "access_token"
        case feedToken = "feed_token"
        case orderID = "order_id"
    }
}

extension Simulation {
    /// - Throws: When a member is missing or names nothing.
    func perform(_ fault: Fault) throws(SimulatorError) -> FaultResult {
        var result = FaultResult(fault: fault.name.rawValue)
        let body = fault.body
        switch fault.name {
        case .drop: result.connections = each(body) { $0.drop() }
        case .close:
            result.connections = each(body) { $0.close(code: body.code ?? 1_000, reason: body.reason ?? "") }
        case .mute:
            let mute = { (connection: VenueConnection) in
                connection.isMuted = true
                connection.sendsPongsWhenMuted = body.pongs ?? false
            }
            result.connections = passing(body, mute, then: { $0.isMuted = false })
        case .unmute: result.connections = each(body) { $0.isMuted = false }
        case .stall: result.connections = passing(body, { $0.stall() }, then: { $0.resume() })
        case .resumeSockets: result.connections = each(body) { $0.resume() }
        case .evict: result.connections = each(body) { self.venue.evict($0) }
        case .send, .raw, .malformed: result.connections = try inject(fault)
        case .refuse:
            let headers = (body.headers ?? [:]).map { ($0.key, $0.value) }
            let status = HTTPResponseStatus(statusCode: try fault.required(body.status, "status"))
            var answer = PlainAnswer.text(status, body.text ?? "\(status.reasonPhrase)\n")
            answer.headers += headers
            refusal = (answer, body.times ?? .max)
        case .accept: refusal = nil
        case .roll: result = roll(fault, result)
        case .order: result.orderID = try post(fault)
        case .tick:
            let index = try instrument(of: fault)
            let change = try fault.decode(TickChange.self)
            var quote = market.quotes[index]
            try change.apply(to: &quote, exponent: market.instruments[index].segment.priceExponent)
            market.change(index) { $0 = quote }
            emit(index)
        case .emit: for _ in 0..<max(1, body.rounds ?? 1) { emit() }
        case .pause: isPaused = true
        case .resume: isPaused = false
        case .rate:
            let ticks = try fault.required(body.ticks, "ticks")
            guard ticks >= 0 else { throw SimulatorError("rate: ticks is below 0.") }
            rate = ticks
        case .heartbeats: sendsHeartbeats = try fault.required(body.on, "on")
        }
        return result
    }

    private func targets(_ body: Fault.Body) -> [VenueConnection] {
        connections.filter {
            $0.isOpen && (body.connection == nil || body.connection == $0.id)
                && (body.socket == nil || body.socket == $0.kind)
        }
    }

    private func each(_ body: Fault.Body, _ act: (VenueConnection) -> Void) -> Int {
        let targets = targets(body)
        for connection in targets { act(connection) }
        return targets.count
    }

    /// Something that ends by itself when the fault says `seconds`.
    private func passing(
        _ body: Fault.Body, _ act: (VenueConnection) -> Void, then undo: @escaping (VenueConnection) -> Void
    ) -> Int {
        let targets = targets(body)
        for connection in targets {
            act(connection)
            guard let seconds = body.seconds, (0...86_400).contains(seconds) else { continue }
            schedule(milliseconds: Int64(seconds * 1_000)) { undo(connection) }
        }
        return targets.count
    }

    private func inject(_ fault: Fault) throws(SimulatorError) -> Int {
        let body = fault.body
        switch fault.name {
        case .raw:
            let bytes = try fault.bytes()
            return each(body) { $0.sendRaw(bytes) }
        case .malformed:
            let kind = try fault.required(body.kind, "kind")
            if let bytes = FrameBytes.malformed[kind] { return each(body) { $0.sendRaw(bytes) } }
            guard let message = venue.malformed[kind] else {
                let kinds = (Array(FrameBytes.malformed.keys) + Array(venue.malformed.keys)).sorted()
                throw SimulatorError("malformed: no kind \(kind). There are: \(kinds.joined(separator: ", ")).")
            }
            return each(body) { $0.send(message, as: .raw) }
        default:
            if let text = body.text { return each(body) { $0.send(text, as: .raw) } }
            guard body.hex != nil else { throw SimulatorError("\(fault.name.rawValue): the body needs text or hex.") }
            let bytes = try fault.bytes()
            return each(body) { $0.send(ByteBuffer(bytes: bytes), as: .raw) }
        }
    }

    private func roll(_ fault: Fault, _ result: FaultResult) -> FaultResult {
        var result = result
        credentials.roll(to: fault.body.token)
        result.accessToken = credentials.accessToken
        result.feedToken = credentials.feedToken
        result.connections = connections.count
        for connection in connections {
            switch fault.body.sockets ?? .drop {
            case .drop: connection.drop()
            case .mute: connection.isMuted = true
            case .keep: break
            }
        }
        return result
    }

    private func instrument(of fault: Fault) throws(SimulatorError) -> Int {
        let name = try fault.required(fault.body.instrument, "instrument")
        guard let index = instrument(named: name) else {
            throw SimulatorError("\(fault.name.rawValue): no instrument \(name); GET /_sim/instruments lists them.")
        }
        return index
    }

    private func post(_ fault: Fault) throws(SimulatorError) -> String {
        let index = try instrument(of: fault)
        let plan = try fault.decode(OrderPlan.self)
        let instrument = market.instruments[index]
        let exponent = instrument.segment.priceExponent
        guard !instrument.segment.isIndex else { throw SimulatorError("order: an index cannot be traded.") }
        guard plan.side == "BUY" || plan.side == "SELL" else { throw SimulatorError("order: side is BUY or SELL.") }
        func mantissa(_ value: Double?, _ fallback: Int64) throws(SimulatorError) -> Int64 {
            guard let value else { return fallback }
            guard let mantissa = DecimalText.mantissa(value, exponent: exponent) else {
                throw SimulatorError("order: \(value) is no price.")
            }
            return mantissa
        }
        let price = try mantissa(plan.price, market.quotes[index].lastPrice)
        var order = SimulatedOrder(
            id: nextOrderID(), instrument: index, stage: .received, quantity: plan.quantity ?? instrument.lotSize * 2,
            price: price, time: market.clock())
        guard (1...Walk.largestQuantity).contains(order.quantity) else {
            throw SimulatorError("order: quantity is 1 to \(Walk.largestQuantity).")
        }
        guard (0...3_600_000).contains(plan.intervalMilliseconds) else {
            throw SimulatorError("order: interval_ms is 0 to 3600000.")
        }
        order.isBuy = plan.side == "BUY"
        order.kind = plan.life == .trigger && plan.type == .limit ? .stopLimit : plan.type
        order.product = plan.product
        order.tag = plan.tag
        order.triggerPrice = try mantissa(plan.triggerPrice, plan.life == .trigger ? price : 0)
        for (place, stage) in plan.stages(of: order, tickSize: instrument.tickSize).enumerated() {
            guard place > 0, plan.intervalMilliseconds > 0 else {
                publish(stage)
                continue
            }
            schedule(milliseconds: plan.intervalMilliseconds * Int64(place)) { [weak self] in self?.publish(stage) }
        }
        return order.id
    }

    private func publish(_ stage: SimulatedOrder) {
        var order = stage
        order.time = market.clock()
        venue.publish(order)
    }
}

extension Fault {
    func required<Value>(_ value: Value?, _ member: String) throws(SimulatorError) -> Value {
        guard let value else { throw SimulatorError("\(name.rawValue): the body needs \(member).") }
        return value
    }

    /// The member `hex`.
    func bytes() throws(SimulatorError) -> [UInt8] {
        let digits = try required(body.hex, "hex").filter { !$0.isWhitespace }
        let values = digits.compactMap(\.hexDigitValue)
        guard values.count == digits.count, values.count.isMultiple(of: 2) else {
            throw SimulatorError("\(name.rawValue): hex is pairs of hexadecimal digits.")
        }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }
}
