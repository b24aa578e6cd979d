import Foundation

/// The checkout that the tests were built from.
package enum Repository {
    /// The folder with `Package.swift`, however deep the file lies that asks.
    package static let root: String = {
        var folder = URL(fileURLWithPath: #filePath)
        repeat {
            folder.deleteLastPathComponent()
        } while folder.path != "/"
            && !FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path)
        return folder.path
    }()
}
