import Foundation

/// Reads the configuration's files.
struct SettingsFile {
    let folder: String
    /// Nobody writes a megabyte of settings by hand: that is another file.
    private static let limit = 1 << 20

    /// Nil when there is none and none is required.
    func text(_ name: String, required: Bool) throws(SettingsError) -> String? {
        let url = URL(fileURLWithPath: name, relativeTo: URL(fileURLWithPath: folder, isDirectory: true))
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            if required { throw SettingsError(["There is no file \(name)."]) }
            return nil
        }
        if isFolder.boolValue {
            // A folder `.env` is somebody's virtual environment.
            if required { throw SettingsError(["\(name) is a folder, not a file."]) }
            return nil
        }
        guard let bytes = try? Data(contentsOf: url) else {
            throw SettingsError(["\(name) cannot be read by this user."])
        }
        guard bytes.count <= Self.limit else {
            throw SettingsError(["\(name) is larger than 1 MiB: that is no configuration."])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsError(["\(name) is not UTF-8 text; save it as UTF-8."])
        }
        return text
    }
}
