/// What a file that is no ELF looks like, so that the person sees at once which mistake it was.
enum FileKind {
    private static let signatures: [(bytes: [UInt8], sentence: String)] = [
        ([0xCF, 0xFA, 0xED, 0xFE], "it looks like a macOS library (Mach-O)"),
        ([0xCA, 0xFE, 0xBA, 0xBE], "it looks like a macOS universal library (Mach-O)"),
        (Array("MZ".utf8), "it looks like a Windows library (PE)"),
        (Array("!<arch>\n".utf8), "it looks like a static library (ar archive)"),
        (Array("!<thin>\n".utf8), "it looks like a static library (ar archive)"),
        (Array("#!".utf8), "it looks like a script"),
        ([0x1F, 0x8B], "it looks like a gzip file"),
        (Array("PK\u{3}\u{4}".utf8), "it looks like a zip file"),
        ([0x42, 0x43, 0xC0, 0xDE], "it looks like LLVM bitcode"),
        (Array("version https://git-lfs".utf8), "it is a Git LFS pointer: fetch the real file with git lfs pull"),
    ]

    /// - Parameter start: The first bytes of the file, at least one.
    static func guess(_ start: [UInt8]) -> String {
        for (bytes, sentence) in signatures where start.starts(with: bytes) { return sentence }
        if start.allSatisfy({ $0 == 0 }) { return "it begins with zeros only" }
        let printable = start.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 9 || $0 == 10 || $0 == 13 }
        if printable { return "it looks like text" }
        let digits = start.prefix(4).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0\(text)" : text
        }
        return "it begins with the bytes \(digits.joined(separator: " "))"
    }
}
