import Foundation
import Operations

/// Reads the configuration's files.
struct SettingsFile {
    let folder: String
    /// Nobody writes a megabyte of settings by hand: that is another file.
    private static let limit = 1 << 20

    /// Nil when there is none and none is required.
    func text(_ name: String, required: Bool) throws(SettingsError) -> String? {
        let url = URL(fileURLWithPath: name, relativeTo: URL(fileURLWithPath: folder, isDirectory: true))
        let code = FileTrouble.examine(url.path)
        // Without being asked for, no file is needed; and a folder `.env` is somebody's virtual environment.
        if code != 0, code != EACCES, !required { return nil }
        if code == ENOENT || code == ENOTDIR { throw SettingsError(["There is no file \(name)."]) }
        let bytes: [UInt8]
        do throws(WholeFile.Failure) {
            guard code == 0 else { throw WholeFile.Failure(code: code) }
            bytes = try WholeFile.bytes(url.path, limit: Self.limit)
        } catch {
            throw SettingsError(["\(name) \(FileTrouble.reading(url.path, error.code))."])
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
