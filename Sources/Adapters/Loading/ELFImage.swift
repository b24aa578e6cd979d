/// A shared library's headers, checked before anything maps the file: a truncated one is a bus error inside `dlopen`.
///
/// Reads a bounded part and trusts no offset.
struct ELFImage {
    /// The numbers of the ELF specification that are looked at.
    private enum Number {
        static let headerSize = 64
        static let programHeaderSize = 56
        static let sectionHeaderSize = 64
        static let maxProgramHeaders = 512
        static let load: UInt32 = 1
        static let dynamic: UInt32 = 2
        static let sharedObject: UInt16 = 3
    }

    /// Bytes of the file.
    let size: UInt64
    /// Reads that many bytes at an offset; fewer at the end.
    private let read: (_ offset: UInt64, _ count: Int) -> [UInt8]

    init(size: UInt64, read: @escaping (_ offset: UInt64, _ count: Int) -> [UInt8]) {
        self.size = size
        self.read = read
    }

    /// - Throws: A refusal with the first thing that is wrong.
    func check(machine: ELFMachine = .own) throws(PluginRefusal) {
        guard size > 0 else { throw PluginRefusal("the file is empty") }
        let start = read(0, 512)
        guard start.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            throw PluginRefusal("is not an ELF shared library; \(FileKind.guess(start))")
        }
        guard start.count >= Number.headerSize else {
            throw PluginRefusal("is truncated: \(size) bytes, and an ELF header alone has \(Number.headerSize)")
        }
        let header = LittleEndianBytes(start)
        switch header.byte(4) {
        case 2: break
        case 1: throw PluginRefusal("is a 32-bit library (\(ELFMachine(rawValue: header.u16(18)))); 64-bit is wanted")
        default: throw PluginRefusal("has an unknown ELF class \(header.byte(4))")
        }
        guard header.byte(5) == 1 else { throw PluginRefusal("is big-endian; little-endian is wanted") }
        let built = ELFMachine(rawValue: header.u16(18))
        guard built == machine else { throw PluginRefusal("is built for \(built); this machine is \(machine)") }
        try checkKind(header.u16(16))
        try checkProgramHeaders(header)
        try checkSectionTable(header)
    }

    private func checkKind(_ kind: UInt16) throws(PluginRefusal) {
        switch kind {
        case Number.sharedObject: return
        case 1: throw PluginRefusal("is an object file, not a shared library; link it with -shared")
        case 2: throw PluginRefusal("is an executable, not a shared library; link it with -shared")
        case 4: throw PluginRefusal("is a core dump, not a shared library")
        default: throw PluginRefusal("has ELF type \(kind), which is no shared library")
        }
    }

    private func checkProgramHeaders(_ header: LittleEndianBytes) throws(PluginRefusal) {
        let offset = header.u64(32)
        let entry = Int(header.u16(54))
        let count = Int(header.u16(56))
        guard entry == Number.programHeaderSize, (1...Number.maxProgramHeaders).contains(count) else {
            throw PluginRefusal("has a damaged ELF header: \(count) program headers of \(entry) bytes")
        }
        try checkInside(offset, UInt64(entry * count), what: "program headers")
        let table = LittleEndianBytes(read(offset, entry * count))
        guard table.count == entry * count else { throw PluginRefusal("is truncated: its program headers end early") }
        var loads = 0
        var dynamics = 0
        for base in stride(from: 0, to: table.count, by: entry) {
            let kind = table.u32(base)
            guard kind == Number.load || kind == Number.dynamic else { continue }
            let fileSize = table.u64(base + 32)
            try checkInside(table.u64(base + 8), fileSize, what: kind == Number.load ? "segments" : "dynamic section")
            guard fileSize <= table.u64(base + 40) else {
                throw PluginRefusal("has a damaged ELF segment: larger in the file than in memory")
            }
            if kind == Number.load { loads += 1 } else { dynamics += 1 }
        }
        guard loads > 0 else { throw PluginRefusal("has no loadable segment, so it is no shared library") }
        guard dynamics == 1 else {
            throw PluginRefusal(
                dynamics == 0
                    ? "has no dynamic section, so it is no shared library"
                    : "has a damaged ELF header: \(dynamics) dynamic sections")
        }
    }

    /// The section table is not needed to load, but it is what linkers write last, so it shows where a copy stopped.
    private func checkSectionTable(_ header: LittleEndianBytes) throws(PluginRefusal) {
        let offset = header.u64(40)
        guard offset != 0 else { return }
        let entry = UInt64(header.u16(58))
        guard entry == UInt64(Number.sectionHeaderSize) || header.u16(60) == 0 else {
            throw PluginRefusal("has a damaged ELF header: section headers of \(entry) bytes")
        }
        try checkInside(offset, entry * UInt64(header.u16(60)), what: "section table")
    }

    private func checkInside(_ offset: UInt64, _ length: UInt64, what: String) throws(PluginRefusal) {
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard !overflow else { throw PluginRefusal("has a damaged ELF header: its \(what) overflow") }
        guard end <= size else {
            throw PluginRefusal("is truncated: \(size) bytes, and its \(what) need \(end)")
        }
    }
}

/// Bytes read as little-endian numbers; the caller has checked the count.
struct LittleEndianBytes {
    private let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int { bytes.count }
    func byte(_ at: Int) -> UInt8 { bytes[at] }
    func u16(_ at: Int) -> UInt16 { UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
    func u32(_ at: Int) -> UInt32 { UInt32(u16(at)) | UInt32(u16(at + 2)) << 16 }
    func u64(_ at: Int) -> UInt64 { UInt64(u32(at)) | UInt64(u32(at + 4)) << 32 }
}
