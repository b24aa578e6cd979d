import Foundation

/// Why a file cannot be read or written, in words that a person can act on.
///
/// The reason is the system's own: a file behind a folder that may not be entered is never called a missing one.
public enum FileTrouble {
    /// Looks whether a file can be read, without opening it: what is written into a pipe can be read only once.
    /// - Returns: 0, or what `errno` would be; `EISDIR` for a folder.
    public static func examine(_ path: String) -> Int32 {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno }
        if status.st_mode & S_IFMT == S_IFDIR { return EISDIR }
        return access(path, R_OK) == 0 ? 0 : errno
    }

    /// - Parameters:
    ///   - path: as the user would write it; relative paths start from the working directory
    ///   - code: the `errno` of the attempt
    /// - Returns: What follows the file's name in a sentence, without its end: `does not exist`, `cannot be read: …`.
    public static func reading(_ path: String, _ code: Int32) -> String {
        switch code {
        case ENOENT, ENOTDIR: return "does not exist"
        case EISDIR: return "is a folder, not a file"
        case EACCES, EPERM:
            if let folder = closedFolder(above: path) {
                return "cannot be read: this user has no permission to look into the folder \(folder)"
            }
            return "cannot be read: this user has no permission to (`ls -l` shows who has)"
        default: return "cannot be read: \(String(cString: strerror(code)))"
        }
    }

    /// The same for a file that is made or replaced, which takes rights in its folder.
    public static func writing(_ path: String, _ code: Int32) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        switch code {
        case ENOENT, ENOTDIR: return "cannot be written: the folder \(folder.isEmpty ? "." : folder) does not exist"
        case EISDIR, EEXIST, ENOTEMPTY: return "cannot be written: it is a folder"
        case EACCES, EPERM:
            if let closed = closedFolder(above: path) {
                return "cannot be written: this user has no permission to look into the folder \(closed)"
            }
            return
                "cannot be written: this user has no permission to write in the folder \(folder.isEmpty ? "." : folder)"
        case ENOSPC, EDQUOT: return "cannot be written: the disk is full"
        case EROFS: return "cannot be written: the file system is read-only"
        default: return "cannot be written: \(String(cString: strerror(code)))"
        }
    }

    /// The first folder on the way to `path` that this user may not enter.
    static func closedFolder(above path: String) -> String? {
        var folders: [String] = []
        var folder = (path as NSString).deletingLastPathComponent
        while !folder.isEmpty {
            folders.append(folder)
            if folder == "/" { break }
            folder = (folder as NSString).deletingLastPathComponent
        }
        for folder in folders.reversed() where access(folder, X_OK) != 0 && errno == EACCES { return folder }
        return nil
    }
}
