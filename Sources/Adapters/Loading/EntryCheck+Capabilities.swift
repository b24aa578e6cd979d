import CFeedhostABI

extension EntryCheck {
    private static let maxExchanges = 64
    private static let maxLinkKinds = 16
    /// More levels than publish_depth() takes on a side.
    private static let maxLevels: UInt16 = 200
    private static let allModes = UInt32(FH_MODE_LTP | FH_MODE_QUOTE | FH_MODE_DEPTH)

    /// Copies the capabilities out of the plugin, with the contract's defaults filled in.
    static func capabilities(
        _ pointer: UnsafePointer<fh_capabilities>, id: String
    ) throws(PluginRefusal) -> Capabilities {
        try checkSize(pointer.pointee.size, atLeast: FirstSize.capabilities, what: "table of capabilities of \(id)")
        let raw = pointer.pointee
        guard raw.modes != 0, raw.modes & ~allModes == 0 else {
            throw PluginRefusal("declares the modes \(raw.modes) for \(id); 1, 2 and 4, added up, are known")
        }
        guard let orders = Capabilities.OrderStream(rawValue: raw.order_stream) else {
            throw PluginRefusal("declares the order stream \(raw.order_stream) for \(id); 0 to 3 are known")
        }
        let exchanges = try exchanges(raw.exchanges, id: id)
        return Capabilities(
            modeBits: raw.modes, flags: CapabilityFlags(rawValue: raw.flags), orderStream: orders,
            exchanges: exchanges, depthLevels: try depth(raw, exchanges: exchanges, id: id),
            links: try links(raw, orders: orders, id: id), timings: try timings(raw, id: id))
    }

    private static func exchanges(
        _ list: UnsafePointer<UnsafePointer<CChar>?>?, id: String
    ) throws(PluginRefusal) -> [String] {
        guard let list else { throw PluginRefusal("declares no list of exchanges for \(id)") }
        var exchanges: [String] = []
        while let pointer = list[exchanges.count] {
            guard exchanges.count < maxExchanges else {
                throw PluginRefusal("declares more than \(maxExchanges) exchanges for \(id): is the last one NULL?")
            }
            let name = try BorrowedText.required(pointer, what: "an exchange of \(id)", limit: 32)
            guard name.utf8.allSatisfy(BorrowedText.isExchangeByte) else {
                throw PluginRefusal("declares the exchange \"\(name)\" for \(id); A-Z, 0-9 and '_' are allowed")
            }
            guard !exchanges.contains(name) else { throw PluginRefusal("declares the exchange \(name) of \(id) twice") }
            exchanges.append(name)
        }
        guard !exchanges.isEmpty else { throw PluginRefusal("declares no exchange for \(id)") }
        return exchanges
    }

    private static func depth(
        _ raw: fh_capabilities, exchanges: [String], id: String
    ) throws(PluginRefusal) -> [String: [Int]] {
        guard raw.depth_count > 0 else { return [:] }
        guard let list = raw.depth, raw.depth_count <= maxExchanges + 1 else {
            throw PluginRefusal("declares \(raw.depth_count) depth entries for \(id), and no list that holds them")
        }
        var levels: [String: [Int]] = [:]
        for index in 0..<Int(raw.depth_count) {
            var entry = list[index]
            let exchange = try BorrowedText.required(
                entry.exchange, what: "a depth entry's exchange of \(id)", limit: 32)
            guard exchange == "*" || exchanges.contains(exchange) else {
                throw PluginRefusal("declares depth for \(exchange) in \(id), which is not among its exchanges")
            }
            guard levels[exchange] == nil else {
                throw PluginRefusal("declares the depth of \(exchange) in \(id) twice")
            }
            guard (1...6).contains(entry.count) else {
                throw PluginRefusal(
                    "declares \(entry.count) depth levels for \(exchange) in \(id); 1 to 6 are possible")
            }
            let values = withUnsafeBytes(of: &entry.levels) {
                Array($0.bindMemory(to: UInt16.self).prefix(Int(entry.count)))
            }
            let ascending = zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
            guard ascending, let least = values.first, least > 0, let most = values.last, most <= maxLevels else {
                throw PluginRefusal(
                    "declares the depth levels \(values) for \(exchange) in \(id); "
                        + "they must rise and lie between 1 and \(maxLevels)")
            }
            levels[exchange] = values.map(Int.init)
        }
        return levels
    }

    private static func links(
        _ raw: fh_capabilities, orders: Capabilities.OrderStream, id: String
    ) throws(PluginRefusal) -> [LinkKind] {
        guard raw.link_count > 0 else {
            let carries = raw.modes | (orders == .none ? 0 : UInt32(FH_CARRIES_ORDERS))
            return [
                LinkKind(
                    name: "market", carries: carries, unit: .none, quota: 0, deepQuota: 0, maxLinks: 1, maxDepth: 0,
                    batch: 0, perSecond: 0)
            ]
        }
        guard let list = raw.links, raw.link_count <= maxLinkKinds else {
            throw PluginRefusal("declares \(raw.link_count) kinds of connection for \(id), and no list that holds them")
        }
        var links: [LinkKind] = []
        for index in 0..<Int(raw.link_count) {
            let link = list[index]
            let name = try BorrowedText.required(link.name, what: "connection kind \(index) of \(id)", limit: 32)
            guard !links.contains(where: { $0.name == name }) else {
                throw PluginRefusal("declares the connection kind \(name) of \(id) twice")
            }
            guard link.carries != 0, link.carries & ~(allModes | UInt32(FH_CARRIES_ORDERS)) == 0 else {
                throw PluginRefusal(
                    "lets the connection kind \(name) of \(id) carry \(link.carries); 1, 2, 4, 8, added up, are known"
                )
            }
            guard let unit = LinkKind.Unit(rawValue: link.unit) else {
                throw PluginRefusal("counts the quota of \(name) of \(id) in unit \(link.unit); 0 to 2 are known")
            }
            links.append(
                LinkKind(
                    name: name, carries: link.carries, unit: unit, quota: Int(link.quota),
                    deepQuota: Int(link.deep_quota), maxLinks: max(1, Int(link.max_links)),
                    maxDepth: Int(link.max_depth), batch: Int(link.batch), perSecond: Int(link.per_second)))
        }
        let carried = links.reduce(0) { $0 | $1.carries }
        guard raw.modes & ~carried == 0 else {
            throw PluginRefusal("declares the modes \(raw.modes) for \(id), but its connections carry only \(carried)")
        }
        return links
    }

    private static func timings(_ raw: fh_capabilities, id: String) throws(PluginRefusal) -> Timings {
        func optional(_ value: UInt32) -> Int64? { value == 0 ? nil : Int64(value) }
        let base = optional(raw.backoff_base_ms) ?? 500
        let most = optional(raw.backoff_max_ms) ?? 60_000
        guard base <= most else {
            throw PluginRefusal("declares a first backoff of \(base) ms for \(id), longer than the longest, \(most) ms")
        }
        return Timings(
            ackTimeout: optional(raw.ack_timeout_ms) ?? 3_000,
            keepAlive: raw.keep_alive_ms == UInt32.max ? nil : optional(raw.keep_alive_ms) ?? 30_000,
            webSocketPing: optional(raw.ws_ping_ms),
            webSocketPongTimeout: optional(raw.ws_pong_timeout_ms) ?? 10_000,
            appHeartbeat: optional(raw.app_heartbeat_ms), dataSilence: optional(raw.data_silence_ms),
            offHoursSilence: optional(raw.off_hours_silence_ms), backoffBase: base, backoffMax: most)
    }
}
