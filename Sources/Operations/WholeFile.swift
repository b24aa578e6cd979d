import Foundation

/// Reads a file to its end, whatever kind it is.
///
/// Foundation's own readers take the first piece that the kernel hands out for the whole where a file has no size
/// (tables under `/proc`: 27 lines of 16,000), and refuse pipes (`--config <(vault …)`).
public enum WholeFile {
    /// - Parameters:
    ///   - path: relative paths start from the working directory
    ///   - limit: in bytes; of a larger file one byte more than this is read
    /// - Throws: ``Failure`` with the `errno` of the system's refusal.
    public static func bytes(_ path: String, limit: Int = Int.max - 1) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = read(descriptor, &piece, min(piece.count, limit + 1 - bytes.count))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Failure(code: errno) }
            if count == 0 { break }
            bytes.append(contentsOf: piece[..<count])
        }
        return bytes
    }

    public struct Failure: Error {
        /// As `errno`.
        public let code: Int32

        public init(code: Int32) { self.code = code }
    }
}
