import Glibc

extension ELFImage {
    /// Opens, checks and closes the file.
    static func check(path: String) throws(PluginRefusal) {
        // Not blocking, in case the regular file of a moment ago has become a pipe.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw PluginRefusal("cannot be opened: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw PluginRefusal("is not a regular file")
        }
        try ELFImage(size: UInt64(max(0, status.st_size))) { offset, count in
            guard let start = off_t(exactly: offset) else { return [] }
            return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                while filled < count, let base = buffer.baseAddress {
                    let got = pread(file, base + filled, count - filled, start + off_t(filled))
                    if got > 0 { filled += got } else if got == 0 || errno != EINTR { return }
                }
            }
        }.check()
    }
}
