import Logging
import NIOSSL
import Synchronization

/// The certificate in use, and a look at its files now and then: new connections get what is there, those that exist keep
/// what they have. A pair that cannot be used is reported once, and the one before it stays.
final class CertificateWatch: Sendable {
    private struct State {
        var context: NIOSSLContext
        /// Of the files that were read last, usable or not.
        var version: TLSFiles.Version
        /// Set while the files last read cannot be used and nobody has been told.
        var untold: String?
    }

    static let interval = Duration.seconds(1)

    private let files: TLSFiles
    private let counters: ProxyCounters
    private let logger: Logger
    private let state: Mutex<State>

    /// - Throws: ``TLSFiles/Unusable``.
    init(_ files: TLSFiles, _ counters: ProxyCounters, _ logger: Logger) throws {
        self.files = files
        self.counters = counters
        self.logger = logger
        // Looked at before they are read: what changes meanwhile is read again.
        let version = TLSFiles.Version(files)
        state = Mutex(State(context: try files.load(), version: version))
        counters.certificateLoads.add()
    }

    /// For the next connection. Any thread.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Looks until the task is cancelled. Never on an event loop.
    func run() async {
        while true {
            do { try await Task.sleep(for: Self.interval) } catch { return }
            look()
        }
    }

    /// Takes the files over if they have changed.
    func look() {
        let version = TLSFiles.Version(files)
        let (isNew, untold) = state.withLock { state in
            defer {
                state.version = version
                state.untold = nil
            }
            return (state.version != version, state.untold)
        }
        guard isNew else {
            // Still the same a moment later: nobody is in the middle of writing it.
            if let untold { logger.error("the new TLS certificate is not used, the one before it stays: \(untold)") }
            return
        }
        do {
            let context = try files.load()
            state.withLock { $0.context = context }
            counters.certificateLoads.add()
            logger.notice("new connections get the new TLS certificate of \(files.certificate)")
        } catch {
            state.withLock { $0.untold = "\(error)" }
        }
    }
}
