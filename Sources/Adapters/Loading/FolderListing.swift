import Glibc

/// What lies in a plugin folder, sorted by name.
struct FolderListing {
    /// Names that end in `.so`, whatever they are.
    private(set) var candidates: [String] = []
    /// Other regular files, dot-files and `*.md` left out.
    private(set) var others: [String] = []

    /// - Throws: A refusal that says why the folder cannot be read; nil is returned when it is not there.
    static func read(_ folder: String) throws(PluginRefusal) -> FolderListing? {
        guard let stream = opendir(folder) else {
            let code = errno
            if code == ENOENT { return nil }
            throw PluginRefusal("the folder cannot be read: \(String(cString: strerror(code)))")
        }
        defer { closedir(stream) }
        var listing = FolderListing()
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(".") { continue }
            if name.hasSuffix(".so") {
                listing.candidates.append(name)
            } else if !name.hasSuffix(".md"), isRegular("\(folder)/\(name)") {
                listing.others.append(name)
            }
        }
        listing.candidates.sort()
        listing.others.sort()
        return listing
    }

    private static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
