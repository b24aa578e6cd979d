import CFeedhostABI

/// A file's entry that has passed every check.
struct CheckedEntry {
    /// One broker of the file with its functions.
    struct Broker {
        let description: BrokerDescription
        let table: UnsafePointer<fh_adapter>
    }
    let abi: ABIVersion
    let brokers: [Broker]

    var facts: PluginFacts { PluginFacts(abi: abi, brokers: brokers.map(\.description)) }

    /// Those that may provide accounts. Who serves no broker does: the check has asked.
    var possibleProviders: [Broker] {
        brokers.filter { $0.description.servesBroker && $0.table.pointee.extension != nil }
    }

    /// Those that may have an instrument master: who takes any symbol has none, and is not asked.
    var possibleMasters: [Broker] {
        possibleProviders.filter { !$0.description.capabilities.flags.contains(.anySymbol) }
    }
}

/// Compares what a plugin's entry function returned with the contract. Runs in the probe first, where a wild pointer
/// costs nothing, and once more in the host.
enum EntryCheck {
    /// Sizes of the growable tables in ABI 1.0: the least that an adapter can bring. They stay when the tables grow.
    enum FirstSize {
        static let entry: UInt32 = 40
        static let descriptor: UInt32 = 88
        static let capabilities: UInt32 = 88
        static let adapter: UInt32 = 64
    }
    /// No table of this contract is anywhere near as large: a size above it is a wild number.
    private static let largestTable: UInt32 = 65_536
    private static let maxBrokers = 64

    /// - Throws: A refusal that names the first mismatch, with both values.
    static func check(_ entry: UnsafePointer<fh_entry>?) throws(PluginRefusal) -> CheckedEntry {
        guard let entry else { throw PluginRefusal("its entry function returned nothing") }
        // Field by field, in the order in which each becomes readable: the prefix is the same in every major version.
        guard entry.pointee.magic == FH_MAGIC else {
            throw PluginRefusal("has the magic number \(hex(entry.pointee.magic)); \(hex(FH_MAGIC)) is wanted")
        }
        let abi = ABIVersion(major: entry.pointee.abi_major, minor: entry.pointee.abi_minor)
        guard abi.major == FH_ABI_MAJOR else {
            throw PluginRefusal(
                "speaks ABI \(abi); this host speaks \(FH_ABI_MAJOR).\(FH_ABI_MINOR): the major versions must be equal")
        }
        let wanted = entry.pointee.min_host_minor
        guard wanted <= FH_ABI_MINOR else {
            throw PluginRefusal(
                "needs a host with ABI \(FH_ABI_MAJOR).\(wanted) or later; this host has \(FH_ABI_MAJOR).\(FH_ABI_MINOR)"
            )
        }
        try checkLayout(entry.pointee.layout)
        try checkSize(entry.pointee.size, atLeast: FirstSize.entry, what: "entry table")
        guard let list = entry.pointee.descriptors else { throw PluginRefusal("has no list of descriptors") }
        guard let lookUp = entry.pointee.adapter else { throw PluginRefusal("has no function adapter() in its entry") }
        var brokers: [CheckedEntry.Broker] = []
        while let descriptor = list[brokers.count] {
            guard brokers.count < maxBrokers else {
                throw PluginRefusal("has more than \(maxBrokers) descriptors: is the list's last element NULL?")
            }
            let description = try describe(descriptor, number: brokers.count + 1)
            guard !brokers.contains(where: { $0.description.id == description.id }) else {
                throw PluginRefusal("names the id \(description.id) twice")
            }
            guard !brokers.contains(where: { $0.description.broker == description.broker }) else {
                throw PluginRefusal("names the broker \(description.broker) twice")
            }
            let table = try checkTable(
                description.id.withCString { lookUp($0) }, id: description.id, servesBroker: description.servesBroker)
            brokers.append(CheckedEntry.Broker(description: description, table: table))
        }
        guard !brokers.isEmpty else { throw PluginRefusal("carries no broker: its list of descriptors is empty") }
        return CheckedEntry(abi: abi, brokers: brokers)
    }

    static func checkSize(_ size: UInt32, atLeast least: UInt32, what: String) throws(PluginRefusal) {
        guard size >= least else { throw PluginRefusal("its \(what) has \(size) bytes; at least \(least) are wanted") }
        guard size <= largestTable else { throw PluginRefusal("its \(what) claims to have \(size) bytes") }
    }

    private static func checkLayout(_ layout: fh_layout) throws(PluginRefusal) {
        let pairs = [
            ("pointers", layout.ptr, MemoryLayout<UnsafeRawPointer>.size),
            ("fh_tick", layout.tick, MemoryLayout<fh_tick>.size),
            ("fh_level", layout.level, MemoryLayout<fh_level>.size),
            ("fh_str", layout.str, MemoryLayout<fh_str>.size),
        ]
        let wrong = pairs.filter { Int($0.1) != $0.2 }
        guard !wrong.isEmpty else { return }
        let list = wrong.map { "\($0.0) has \($0.1) bytes and should have \($0.2)" }.joined(separator: "; ")
        throw PluginRefusal("was built with another memory layout: \(list)")
    }

    private static func checkTable(
        _ table: UnsafePointer<fh_adapter>?, id: String, servesBroker: Bool
    ) throws(PluginRefusal) -> UnsafePointer<fh_adapter> {
        guard let table else { throw PluginRefusal("its adapter() returns nothing for its own id \(id)") }
        try checkSize(table.pointee.size, atLeast: FirstSize.adapter, what: "table of functions for \(id)")
        guard servesBroker else {
            guard table.pointee.extension?(nil, ExtensionID.accounts) != nil else {
                throw PluginRefusal(
                    "has no capabilities in the descriptor of \(id), and no accounts either (\(ExtensionID.accounts)): it must offer one of the two"
                )
            }
            return table
        }
        // extension() may be missing: an adapter without optional abilities need not write it.
        let missing = [
            ("create", table.pointee.create == nil), ("connect", table.pointee.connect == nil),
            ("subscribe", table.pointee.subscribe == nil), ("unsubscribe", table.pointee.unsubscribe == nil),
            ("disconnect", table.pointee.disconnect == nil), ("destroy", table.pointee.destroy == nil),
        ].filter(\.1).map { "\($0.0)()" }
        guard missing.isEmpty else {
            throw PluginRefusal("its table of functions for \(id) lacks \(missing.joined(separator: ", "))")
        }
        return table
    }

    private static func hex(_ number: UInt32) -> String { "0x" + String(number, radix: 16) }
}
