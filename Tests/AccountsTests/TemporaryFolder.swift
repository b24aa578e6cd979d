import Foundation

@testable import Accounts

/// A folder of its own for a test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("feedhost-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func store(
        _ name: String = "store.db", key: MasterKeySource? = nil, now: Int64 = 1_700_000_000
    ) throws -> AccountStore {
        try AccountStore(path: file(name), create: true, key: key, now: { now })
    }

    /// The names of the files that hold `text`.
    func files(holding text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
            try Data(contentsOf: URL(fileURLWithPath: file(name))).range(of: Data(text.utf8)) != nil
        }.sorted()
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }

    func mode(_ name: String) throws -> Int {
        try permissions(FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions])
    }
}

/// The permissions attribute as a number, or a test failure.
private func permissions(_ value: Any?) throws -> Int {
    guard let number = value as? NSNumber else { throw CocoaError(.fileReadUnknown) }
    return number.intValue
}
