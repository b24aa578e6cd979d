import CFeedhostABI

@testable import Adapters

/// A sound entry in memory, to be spoilt field by field. Its memory is never freed, as a plugin's is not.
final class EntryFixture {
    let entry: UnsafeMutablePointer<fh_entry>
    let descriptor: UnsafeMutablePointer<fh_descriptor>
    let capabilities: UnsafeMutablePointer<fh_capabilities>
    let depth: UnsafeMutablePointer<fh_depth_cap>
    let link: UnsafeMutablePointer<fh_link>
    let keys: UnsafeMutablePointer<fh_config_key>
    let descriptors: UnsafeMutablePointer<UnsafePointer<fh_descriptor>?>
    let exchanges: UnsafeMutablePointer<UnsafePointer<CChar>?>
    /// One for all fixtures: a C function cannot know which one asks.
    static var table: UnsafeMutablePointer<fh_adapter> { Table.shared.pointer }

    /// `@unchecked Sendable`: written once and only read; tests that spoil it make their own.
    private struct Table: @unchecked Sendable {
        static let shared = Table()
        let pointer = EntryFixture.allocate(fh_adapter())

        init() {
            pointer.pointee.size = UInt32(MemoryLayout<fh_adapter>.size)
            pointer.pointee.create = { _, _ in 0 }
            pointer.pointee.connect = { _, _, _ in 0 }
            pointer.pointee.subscribe = { _, _, _, _ in 0 }
            pointer.pointee.unsubscribe = { _, _, _, _ in 0 }
            pointer.pointee.disconnect = { _, _ in 0 }
            pointer.pointee.destroy = { _ in }
        }
    }

    init() {
        entry = Self.allocate(fh_entry())
        descriptor = Self.allocate(fh_descriptor())
        capabilities = Self.allocate(fh_capabilities())
        depth = Self.allocate(fh_depth_cap(), count: 2)
        link = Self.allocate(fh_link(), count: 2)
        keys = Self.allocate(fh_config_key(), count: 3)
        descriptors = Self.allocate(nil, count: 3)
        exchanges = Self.allocate(nil, count: 3)
        (descriptors[0], exchanges[0], exchanges[1]) = (UnsafePointer(descriptor), Self.text("NSE"), Self.text("BSE"))

        entry.pointee.magic = FH_MAGIC
        entry.pointee.size = UInt32(MemoryLayout<fh_entry>.size)
        entry.pointee.abi_major = UInt16(FH_ABI_MAJOR)
        entry.pointee.layout = fh_layout(ptr: 8, tick: 256, level: 24, str: 16)
        entry.pointee.descriptors = UnsafePointer(descriptors)
        entry.pointee.adapter = { _ in UnsafePointer(EntryFixture.table) }

        descriptor.pointee.size = UInt32(MemoryLayout<fh_descriptor>.size)
        descriptor.pointee.id = Self.text("in.example.zerodha")
        descriptor.pointee.name = Self.text("Zerodha Kite")
        descriptor.pointee.vendor = Self.text("Example")
        descriptor.pointee.version = Self.text("1.2.0")
        descriptor.pointee.broker = Self.text("zerodha")
        descriptor.pointee.capabilities = UnsafePointer(capabilities)
        descriptor.pointee.config_keys = UnsafePointer(keys)
        keys[0].name = Self.text("endpoint")
        keys[0].type = UInt32(FH_CFG_URL)
        keys[0].default_value = Self.text("wss://ws.example")

        capabilities.pointee.size = UInt32(MemoryLayout<fh_capabilities>.size)
        capabilities.pointee.modes = 7
        capabilities.pointee.exchanges = UnsafePointer(exchanges)
        capabilities.pointee.depth = UnsafePointer(depth)
        capabilities.pointee.depth_count = 1
        capabilities.pointee.links = UnsafePointer(link)
        capabilities.pointee.link_count = 1
        depth[0].exchange = Self.text("NSE")
        depth[0].levels = (5, 20, 30, 0, 0, 0)
        depth[0].count = 3
        link[0].name = Self.text("market")
        link[0].carries = 7
        link[0].quota = 3_000
    }

    func check() throws(PluginRefusal) -> CheckedEntry { try EntryCheck.check(UnsafePointer(entry)) }

    /// The refusal's sentence; nil when the entry is sound.
    func refusal() -> String? {
        do throws(PluginRefusal) { _ = try check() } catch { return error.reason }
        return nil
    }

    static func text(_ text: String) -> UnsafePointer<CChar> { bytes(Array(text.utf8)) }

    static func bytes(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        memory.initialize(repeating: 0, count: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { memory[index] = CChar(bitPattern: byte) }
        return UnsafePointer(memory)
    }

    private static func allocate<T>(_ value: T, count: Int = 1) -> UnsafeMutablePointer<T> {
        let memory = UnsafeMutablePointer<T>.allocate(capacity: count)
        memory.initialize(repeating: value, count: count)
        return memory
    }
}
