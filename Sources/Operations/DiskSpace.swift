import Foundation
import Glibc

/// What is left on the disk of a folder, for this user.
public struct DiskSpace: Sendable, Hashable {
    /// What somebody should hear.
    public enum Trouble: Sendable, Hashable {
        /// Nothing more can be written.
        case full
        /// As a text with its unit.
        case low(String)
    }

    /// Bytes.
    public let free: UInt64
    /// Files that can be made; nil where the file system does not count them.
    public let freeFiles: UInt64?
    /// Of the file system: folders with the same number share one.
    public let device: UInt64

    /// Below this it is worth a word: a day's log may have 256 MiB, the masters of all brokers more.
    public static let low: UInt64 = 1 << 30
    /// Below this SQLite cannot work: what is kept free for the system is not this user's.
    public static let least: UInt64 = 1 << 20

    init(free: UInt64, freeFiles: UInt64? = nil, device: UInt64 = 0) {
        self.free = free
        self.freeFiles = freeFiles
        self.device = device
    }

    /// - Parameter folder: One that is not there yet counts as the next one above it.
    /// - Returns: Nil where nothing is known.
    public static func at(_ folder: String) -> DiskSpace? {
        var path = folder.isEmpty ? "." : folder
        while access(path, F_OK) != 0, errno == ENOENT {
            let above = (path as NSString).deletingLastPathComponent
            if above == path { break }
            path = above.isEmpty ? "." : above
        }
        var space = statvfs()
        var status = stat()
        guard statvfs(path, &space) == 0, stat(path, &status) == 0, space.f_blocks > 0 else { return nil }
        return DiskSpace(
            free: UInt64(space.f_bavail) * UInt64(space.f_frsize),
            freeFiles: space.f_files > 0 ? UInt64(space.f_favail) : nil, device: UInt64(status.st_dev))
    }

    public var trouble: Trouble? {
        if free < Self.least || freeFiles == 0 { return .full }
        return free < Self.low ? .low("\(free >> 20) MiB") : nil
    }

    /// `12.3 GiB`, for people.
    public var text: String { String(format: "%.1f GiB", Double(free) / Double(1 << 30)) }
}
