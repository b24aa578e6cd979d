import CFeedhostABI
import Synchronization

/// One broker of a plugin: what it is, and how to make a connection object.
public struct AdapterRegistration: Sendable {
    let descriptor: AdapterDescriptor
    /// The files of the broker's instrument master.
    public let masters: [MasterFile]
    let masterNames: StaticNames
    let make: @Sendable (AdapterContext) throws(AdapterError) -> BaseAdapter

    /// Joins a descriptor with the files of the broker's instrument master, if it has one, and the initialiser of its
    /// class.
    public init(
        _ descriptor: AdapterDescriptor, masters: [MasterFile] = [],
        make: @escaping @Sendable (AdapterContext) throws(AdapterError) -> BaseAdapter
    ) {
        self.descriptor = descriptor
        self.masters = masters
        masterNames = StaticNames(masters.map(\.name))
        self.make = make
    }
}

/// Texts that are lent for the life of the process.
///
/// Unchecked: the pointers lead to memory that is written before the initialiser returns and is never changed or freed
/// after it.
struct StaticNames: @unchecked Sendable {
    private let texts: [fh_str]

    init(_ names: [String]) {
        texts = names.map { fh_str(ptr: StaticTables.text($0), len: UInt64($0.utf8.count)) }
    }

    subscript(index: Int) -> fh_str? { texts.indices.contains(index) ? texts[index] : nil }
}

/// The table behind the one symbol that a plugin exports. Made once, never freed.
///
/// The whole entry point of a plugin:
///
/// ```swift
/// import AdapterKit
/// import CFeedhostABI
///
/// private let entry = AdapterEntry([Acme.registration])
///
/// @c @implementation
/// public func feedhost_adapter_entry_v1() -> UnsafePointer<fh_entry>? { entry.table }
/// ```
///
/// Unchecked: the pointer leads to memory that is written before the initialiser returns and is never changed or freed
/// after it.
public struct AdapterEntry: @unchecked Sendable {
    /// What the entry point returns.
    public let table: UnsafePointer<fh_entry>

    /// Makes the tables of all `adapters` and keeps them for the life of the process.
    public init(_ adapters: [AdapterRegistration]) {
        for adapter in adapters { Self.registrations.withLock { $0[adapter.descriptor.id] = adapter } }
        var entry = fh_entry()
        entry.magic = FH_MAGIC
        entry.size = UInt32(MemoryLayout<fh_entry>.size)
        entry.abi_major = UInt16(FH_ABI_MAJOR)
        entry.abi_minor = UInt16(FH_ABI_MINOR)
        entry.min_host_minor = 0
        entry.layout = fh_layout(
            ptr: UInt16(MemoryLayout<UnsafeRawPointer>.size), tick: UInt16(MemoryLayout<fh_tick>.size),
            level: UInt16(MemoryLayout<fh_level>.size), str: UInt16(MemoryLayout<fh_str>.size))
        entry.descriptors = StaticTables.array(adapters.map { Optional($0.descriptor.makeTable()) } + [nil])
        entry.adapter = { id in
            guard let id, AdapterEntry.registration(String(cString: id)) != nil else { return nil }
            return AdapterEntry.shared.pointer
        }
        table = StaticTables.value(entry)
    }

    static func registration(_ id: String) -> AdapterRegistration? {
        registrations.withLock { $0[id] }
    }

    /// Whether any broker of this plugin has an instrument master.
    static var hasMasters: Bool { registrations.withLock { $0.values.contains { !$0.masters.isEmpty } } }

    /// C functions cannot capture, so `create` finds its class here, by the descriptor's id.
    private static let registrations = Mutex<[String: AdapterRegistration]>([:])
    private static let shared = SharedTable()

    /// One C table serves every class: what differs is behind the instance.
    // Unchecked: written once when it is made, only read afterwards, never freed.
    private struct SharedTable: @unchecked Sendable {
        let pointer = StaticTables.value(makeAdapterTable())
    }
}
