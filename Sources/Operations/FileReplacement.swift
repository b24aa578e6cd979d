import Foundation

/// Puts a file in the place of another in one step, so that a reader sees all of it or the former one.
public enum FileReplacement {
    /// Why it could not be written.
    public struct Failure: Error, CustomStringConvertible {
        /// What follows the file's name in a sentence, without its end: see ``FileTrouble``.
        public let description: String
    }

    /// Writes beside the file, then renames. Blocks for as long as the disk does.
    /// - Throws: ``Failure``; what was there before stays.
    public static func write(_ bytes: Data, to path: String) throws(Failure) {
        // Of this process alone: another one may be replacing the same file.
        let new = "\(path).\(getpid()).new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw Failure(description: FileTrouble.writing(path, errno)) }
        var code = write(bytes, to: descriptor)
        if close(descriptor) != 0, code == 0 { code = errno }
        if code == 0, rename(new, path) != 0 { code = errno }
        guard code != 0 else { return }
        unlink(new)
        throw Failure(description: FileTrouble.writing(path, code))
    }

    /// 0, or the `errno` of what failed.
    private static func write(_ bytes: Data, to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return errno }
                rest = rest.dropFirst(written)
            }
            return 0
        }
    }
}
