import CFeedhostABI

/// Memory for the tables behind the entry point. It is never freed: the host reads it for as long as the process lives.
enum StaticTables {
    static func text(_ string: String) -> UnsafePointer<CChar> {
        let bytes = string.utf8
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (offset, byte) in bytes.enumerated() { copy[offset] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        return UnsafePointer(copy)
    }

    static func optionalText(_ string: String?) -> UnsafePointer<CChar>? {
        guard let string else { return nil }
        return text(string)
    }

    static func value<T>(_ value: T) -> UnsafePointer<T> {
        let copy = UnsafeMutablePointer<T>.allocate(capacity: 1)
        copy.initialize(to: value)
        return UnsafePointer(copy)
    }

    static func array<T>(_ values: [T]) -> UnsafePointer<T>? {
        guard !values.isEmpty else { return nil }
        let copy = UnsafeMutablePointer<T>.allocate(capacity: values.count)
        for (offset, value) in values.enumerated() { (copy + offset).initialize(to: value) }
        return UnsafePointer(copy)
    }
}

extension AdapterDescriptor {
    func makeTable() -> UnsafePointer<fh_descriptor> {
        var table = fh_descriptor()
        table.size = UInt32(MemoryLayout<fh_descriptor>.size)
        table.id = StaticTables.text(id)
        table.name = StaticTables.text(name)
        table.vendor = StaticTables.text(vendor)
        table.version = StaticTables.text(version)
        table.url = StaticTables.optionalText(url)
        table.license = StaticTables.optionalText(license)
        table.broker = StaticTables.text(broker)
        table.capabilities = capabilities.makeTable()
        table.config_keys = ConfigKey.makeList(configKeys)
        table.credential_keys = ConfigKey.makeList(credentialKeys)
        return StaticTables.value(table)
    }
}

extension Capabilities {
    func makeTable() -> UnsafePointer<fh_capabilities> {
        var table = fh_capabilities()
        table.size = UInt32(MemoryLayout<fh_capabilities>.size)
        table.modes = modes.rawValue
        table.flags = traits.rawValue
        table.order_stream = orderStream.rawValue
        table.exchanges = StaticTables.array(exchanges.map { Optional(StaticTables.text($0)) } + [nil])
        table.depth = StaticTables.array(depth.map { $0.makeRecord() })
        table.depth_count = UInt32(depth.count)
        table.links = StaticTables.array(links.map { $0.makeRecord() })
        table.link_count = UInt32(links.count)
        table.ack_timeout_ms = Self.milliseconds(acknowledgementTimeout)
        table.keep_alive_ms = Self.milliseconds(keepAlive)
        table.ws_ping_ms = Self.milliseconds(pingInterval)
        table.ws_pong_timeout_ms = Self.milliseconds(pongTimeout)
        table.app_heartbeat_ms = Self.milliseconds(heartbeat)
        table.data_silence_ms = Self.milliseconds(silenceLimit)
        table.off_hours_silence_ms = Self.milliseconds(offHoursSilenceLimit)
        table.backoff_base_ms = Self.milliseconds(backoffBase)
        table.backoff_max_ms = Self.milliseconds(backoffMaximum)
        return StaticTables.value(table)
    }

    private static func milliseconds(_ duration: Duration?) -> UInt32 {
        guard let duration else { return 0 }
        return UInt32(clamping: duration.wholeMicroseconds / 1_000)
    }
}

extension DepthLevels {
    fileprivate func makeRecord() -> fh_depth_cap {
        var record = fh_depth_cap()
        record.exchange = StaticTables.text(exchange)
        record.count = UInt16(levels.count)
        withUnsafeMutableBytes(of: &record.levels) { room in
            let room = room.assumingMemoryBound(to: UInt16.self)
            for (offset, level) in levels.prefix(room.count).enumerated() { room[offset] = UInt16(clamping: level) }
        }
        return record
    }
}

extension Link {
    fileprivate func makeRecord() -> fh_link {
        var record = fh_link()
        record.name = StaticTables.text(name)
        record.carries = carries.rawValue
        record.unit = unit.rawValue
        record.quota = UInt32(clamping: quota)
        record.deep_quota = UInt32(clamping: deepQuota)
        record.max_links = UInt32(clamping: maximumLinks)
        record.max_depth = UInt32(clamping: maximumDepth)
        record.batch = UInt32(clamping: batch)
        record.per_second = UInt32(clamping: callsPerSecond)
        return record
    }
}

extension ConfigKey {
    fileprivate static func makeList(_ keys: [ConfigKey]) -> UnsafePointer<fh_config_key>? {
        guard !keys.isEmpty else { return nil }
        return StaticTables.array(keys.map { $0.makeRecord() } + [fh_config_key()])
    }

    private func makeRecord() -> fh_config_key {
        var record = fh_config_key()
        record.name = StaticTables.text(name)
        record.default_value = StaticTables.optionalText(defaultValue)
        record.help = StaticTables.text(help)
        record.type = kind.rawValue
        record.required = isRequired ? 1 : 0
        return record
    }
}
