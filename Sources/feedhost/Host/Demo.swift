import Accounts
import Foundation
import MarketData
import Operations
import Secrets

/// A store for trying out: a user on the simulator, and a key. Gone when the program ends.
struct Demo: Sendable {
    static let user = "demo"
    static let broker = "simulator"

    let folder: URL
    var store: String { folder.appendingPathComponent("demo.db").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("feedhost-demo-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StartError("The demo's folder \(folder.path) cannot be made: \(error.localizedDescription).")
        }
    }

    /// Makes the user and the key.
    func populate() async throws -> Secret {
        let store = try AccountStore(path: store)
        try await store.addUser(Self.user, broker: Self.broker)
        let key = try await store.issueKey(user: Self.user, name: "demo")
        try? store.close()
        return key
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}
