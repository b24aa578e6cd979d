import Glibc

/// A folder that may hold plugins.
public struct PluginFolder: Sendable, Hashable {
    /// Absolute.
    public let path: String
    /// Named by the user, so that its absence is worth a line.
    public let isExplicit: Bool

    public init(path: String, isExplicit: Bool) {
        self.path = path
        self.isExplicit = isExplicit
    }
}

/// Where plugins are looked for, in order: an earlier folder shadows a later one.
public enum PluginSearch {
    /// - Parameters:
    ///   - explicit: The values of `--plugins`.
    ///   - environment: Read for `FEEDHOST_PLUGIN_PATH` (colon-separated), `XDG_DATA_HOME` and `HOME`.
    ///   - directory: What relative paths start from; nil for the working directory.
    ///   - program: The host's own binary, beside which its bundled adapters may lie; nil for none.
    /// - Returns: All folders, whether they exist or not; two that are the same real folder count once, at the first
    ///   place.
    public static func folders(
        explicit: [String] = [], environment: [String: String], directory: String? = nil,
        program: String? = nil
    ) -> [PluginFolder] {
        let start = directory ?? workingDirectory()
        let variable = (environment["FEEDHOST_PLUGIN_PATH"] ?? "").split(separator: ":").map(String.init)
        var folders = (explicit.filter { !$0.isEmpty } + variable).map {
            PluginFolder(path: absolute($0, from: start), isExplicit: true)
        }
        var usual = [absolute("plugins.d", from: start)]
        // The XDG rules: an empty or relative value counts as unset.
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
            usual.append("\(data)/feedhost/plugins.d")
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            usual.append("\(home)/.local/share/feedhost/plugins.d")
        }
        usual += ["/usr/local/lib/feedhost/plugins.d", "/usr/lib/feedhost/plugins.d"]
        if let program = program.flatMap(realPath), let slash = program.lastIndex(of: "/") {
            usual.append("\(program[..<slash])/plugins.d")
        }
        folders += usual.map { PluginFolder(path: trimmed($0), isExplicit: false) }
        var seen: Set<String> = []
        return folders.filter { seen.insert(realPath($0.path) ?? $0.path).inserted }
    }

    /// The path without links and dots; nil if there is nothing.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func workingDirectory() -> String { realPath(".") ?? "/" }

    private static func absolute(_ path: String, from start: String) -> String {
        if path.hasPrefix("/") { return trimmed(path) }
        let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return trimmed("\(start)/\(relative)")
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
