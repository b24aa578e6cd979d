import Foundation

/// What `--ready-file` holds as long as clients can connect: how to reach this host, for scripts.
package struct ReadyFile: Codable, Sendable {
    package let pid: Int32
    /// Where clients connect.
    package let websocket: String
    /// Everywhere that clients connect, the above first: `ws://`, `wss://` and `unix:` addresses.
    package let listeners: [String]
    /// Where publishers connect.
    package let bus: String
    /// Where subscribers connect.
    package let publisher: String
    package let brokers: [String]

    package init(
        pid: Int32, websocket: String, listeners: [String], bus: String, publisher: String, brokers: [String]
    ) {
        self.pid = pid
        self.websocket = websocket
        self.listeners = listeners
        self.bus = bus
        self.publisher = publisher
        self.brokers = brokers
    }
}

/// The place of a ready file, and who has it: the host that wrote the file keeps it locked. One that was killed does not.
package enum ReadyPlace {
    /// The file while it is this host's.
    package final class Hold: Sendable {
        private let path: String
        private let descriptor: Int32

        fileprivate init(path: String, descriptor: Int32) {
            self.path = path
            self.descriptor = descriptor
        }

        /// Takes the file away, unless somebody has put another in its place.
        package func remove() {
            if HostLock.isSame(descriptor, path) { unlink(path) }
        }

        deinit { close(descriptor) }
    }

    /// Takes away what a host that was killed has left: it would tell scripts of an address where nobody is.
    /// - Throws: ``StartError`` when the host lives whose file it is.
    package static func clear(_ path: String) throws {
        // Another kind of file is not ours to touch; writing the ready file will tell.
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else { throw held(path) }
        if HostLock.isSame(descriptor, path) { unlink(path) }
    }

    /// Writes the file in one step: whoever sees it sees all of it.
    package static func write(_ ready: ReadyFile, to path: String) throws -> Hold {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try Array(encoder.encode(ready))
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer { unlink(draft) }
        // A file system without locks: then nobody can hold the file against us either.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else {
            let error = failure(path, count < 0 ? errno : ENOSPC)
            close(descriptor)
            throw error
        }
        let hold = Hold(path: path, descriptor: descriptor)
        // A link, which never takes the place of a file: another host may have been faster.
        for _ in 0..<10 {
            if link(draft, path) == 0 { return hold }
            guard errno == EEXIST else { break }
            try clear(path)
            // A device or a pipe stays, and so does a folder.
            if access(path, F_OK) == 0 { break }
        }
        guard rename(draft, path) == 0 else { throw failure(path) }
        return hold
    }

    private static func held(_ path: String) -> StartError {
        let ready = FileManager.default.contents(atPath: path).flatMap {
            try? JSONDecoder().decode(ReadyFile.self, from: $0)
        }
        let holder = ready.map { "another host (process \($0.pid))" } ?? "another host"
        return StartError("The ready file \(path) is that of \(holder), which runs. Stop it, or name another file.")
    }

    private static func failure(_ path: String, _ code: Int32 = errno) -> StartError {
        StartError("The ready file \(path) \(FileTrouble.writing(path, code)).")
    }
}
