import CFeedhostABI
import Glibc

/// Maps a plugin and finds its entry. Nothing is ever unmapped: an unloaded Swift image crashes the next protocol cast.
enum PluginLibrary {
    /// The one symbol that an adapter exports.
    static let symbol = "feedhost_adapter_entry_v1"

    /// Runs the file's constructors; call it in the probe before the host.
    static func open(_ path: String) throws(PluginRefusal) -> CheckedEntry {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw LoaderMessage.refusal(dlerror().map { String(cString: $0) } ?? "", path: path)
        }
        guard let address = dlsym(handle, symbol) else {
            throw PluginRefusal("does not export \(symbol)(), so it is no Feedhost adapter")
        }
        typealias Entry = @convention(c) () -> UnsafePointer<fh_entry>?
        return try EntryCheck.check(unsafeBitCast(address, to: Entry.self)())
    }
}

/// The dynamic loader's messages, turned into sentences that name the symbol or the library.
enum LoaderMessage {
    static func refusal(_ message: String, path: String) -> PluginRefusal {
        let text = String(message.prefix(1_000))
        if let name = text.between("undefined symbol: ", endingAt: [" ", "\t", ",", "\n"]) {
            return PluginRefusal("needs the symbol \(name), which no library has")
        }
        if text.hasSuffix("cannot open shared object file: No such file or directory"),
            let library = text.split(separator: ":").first, library != path
        {
            return PluginRefusal("needs the library \(library), which is not installed")
        }
        if let version = text.between("version `", endingAt: ["'"]), text.contains("not found") {
            let library = text.split(separator: ":").first ?? "a library"
            return PluginRefusal("needs \(version) of \(library), which this system is too old for")
        }
        if text.contains("position-independent executable") {
            return PluginRefusal("is an executable, not a shared library; link it with -shared")
        }
        // The path is in the list already.
        let rest = text.hasPrefix("\(path): ") ? String(text.dropFirst(path.count + 2)) : text
        return PluginRefusal("cannot be loaded: \(rest.isEmpty ? "the loader gives no reason" : rest)")
    }
}

extension String {
    /// The text after `start`, up to the first of the stops.
    fileprivate func between(_ start: String, endingAt stops: Set<Character>) -> String? {
        guard let range = firstRange(of: start) else { return nil }
        let text = String(self[range.upperBound...].prefix { !stops.contains($0) })
        return text.isEmpty ? nil : text
    }
}
