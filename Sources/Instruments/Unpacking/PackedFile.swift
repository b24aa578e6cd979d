/// A file as it was downloaded: plain, gzip or zip, also one inside the other.
///
/// What it is shows by its first bytes: names and content types of brokers are not to be relied on.
public struct PackedFile: Sendable {
    /// One file of the content.
    public struct Member: Sendable {
        /// As the archive calls it; the packed file's own name if there is none.
        public let name: String
        public let bytes: [UInt8]
    }

    /// For messages, e.g. `NSE_symbols.txt.zip`.
    public let name: String
    let bytes: [UInt8]
    /// Bytes of the whole content at the most: a small archive must not fill the memory.
    let limit: Int

    /// - Parameter limit: Bytes of the unpacked content at the most; 512 MiB unless said otherwise.
    public init(name: String, bytes: [UInt8], limit: Int = 512 << 20) {
        self.name = name
        self.bytes = bytes
        self.limit = limit
    }

    /// The files in it: one, or as many as a zip archive holds. Folders and what macOS adds are left out.
    ///
    /// Blocks for as long as zlib takes: not for event loops.
    /// - Throws: ``MasterError`` with `unreadable` or `tooLarge`.
    public func members() throws(MasterError) -> [Member] {
        var members: [Member] = []
        do {
            try forEachMember { members.append($0) }
        } catch let error as MasterError {
            throw error
        } catch {
            throw Self.unreadable(name, "\(error)")
        }
        return members
    }

    /// Goes through the files in it, and holds one of them at a time. Each is measured before it is unpacked, so that an
    /// archive that grows too large costs no memory.
    func forEachMember(_ body: (Member) throws -> Void) throws { try forEachMember(bytes, depth: 0, body) }

    /// A server may compress what is packed already, hence two layers of gzip; more are no master.
    private func forEachMember(_ bytes: [UInt8], depth: Int, _ body: (Member) throws -> Void) throws {
        if depth < 2, bytes.starts(with: [0x1F, 0x8B]) {
            let content = try GzipStream(name: name, bytes: bytes).content(limit: limit)
            return try forEachMember(content, depth: depth + 1, body)
        }
        if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
            return try ZipArchive(name: name, bytes: bytes).forEachMember(limit: limit, body)
        }
        try body(Member(name: name, bytes: bytes))
    }

    /// The sentence for an archive that outgrows the limit.
    static func tooLarge(_ name: String, limit: Int) -> MasterError {
        let size = limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit) bytes"
        return MasterError(.tooLarge, "\(name) unpacks to more than \(size): that is no instrument master.")
    }

    /// The sentence for a file that is not whole.
    static func unreadable(_ name: String, _ reason: String) -> MasterError {
        MasterError(.unreadable, "\(name) cannot be unpacked: \(reason). Download it again.")
    }

    /// The sentence for a text that cannot be read.
    static func unreadable(_ name: String, of encoding: String) -> MasterError {
        MasterError(
            .unreadable,
            "The text of \(name) is \(encoding), and damaged or not read here. Save it as UTF-8, or download it again.")
    }
}
