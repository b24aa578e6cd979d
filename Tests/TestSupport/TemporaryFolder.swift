import Foundation

/// A folder that only its owner can write, removed when the test ends.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        // The real path, or every comparison with what the code resolved would fail where /tmp is a link.
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = "\(base)/feedhost-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8] = [], mode: Int = 0o644) throws -> String {
        let file = file(name)
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755])
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try chmod(name, mode)
        return file
    }

    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    package func chmod(_ name: String, _ mode: Int) throws {
        let file = name.isEmpty ? path : file(name)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    package func folder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: file(name), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        return file(name)
    }

    /// The names of the files that hold `text`.
    package func files(holding text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
            try Data(contentsOf: URL(fileURLWithPath: file(name))).range(of: Data(text.utf8)) != nil
        }.sorted()
    }

    package func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: file(name))
        guard let number = attributes[.posixPermissions] as? NSNumber else { throw CocoaError(.fileReadUnknown) }
        return number.intValue
    }
}
