import Foundation

@testable import feedhost

/// A folder with configuration files, removed with the object.
final class SettingsFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("feedhost-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func load(_ environment: [String: String] = [:], _ change: (inout SettingsInput) -> Void = { _ in }) throws
        -> Settings
    {
        var input = SettingsInput()
        input.folder = path
        input.environment = ["HOME": "/home/somebody"].merging(environment) { $1 }
        change(&input)
        return try Settings.load(input)
    }

    /// What loading complains about.
    func problems(
        _ environment: [String: String] = [:], _ change: (inout SettingsInput) -> Void = { _ in }
    ) -> [String] {
        do {
            _ = try load(environment, change)
            return []
        } catch {
            return (error as? SettingsError)?.problems ?? ["\(error)"]
        }
    }
}
