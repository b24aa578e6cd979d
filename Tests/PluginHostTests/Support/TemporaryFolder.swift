import Foundation

/// A folder that only its owner can write, removed when the test ends.
final class TemporaryFolder {
    let path: String

    init() throws {
        // The real path, or every comparison with what the code resolved would fail where /tmp is a link.
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = "\(base)/feedhost-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8] = [], mode: Int = 0o644) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755])
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try chmod(name, mode)
        return file
    }

    func chmod(_ name: String, _ mode: Int) throws {
        let file = name.isEmpty ? path : "\(path)/\(name)"
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    func folder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: "\(path)/\(name)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        return "\(path)/\(name)"
    }
}
