import Logging
import Operations

extension FeedHost {
    /// Settings that take effect without a restart.
    private static let living: Set = ["log.level"]

    /// SIGHUP: takes over what can be taken over while clients are connected, and says what that was and what cannot.
    /// - Parameter load: Reads the settings from where they were read at the start.
    func readAgain(_ load: @Sendable () throws -> Settings) async {
        LogOutput.reopen()
        var done = ["log files"]
        if renewCertificate() { done.append("the TLS certificate") }
        await lookAtAccounts()
        done.append("users and keys")
        do {
            let new = try load()
            LogOutput.level = new.log.level
            let changed = new.changed(from: settings)
            let waiting = changed.filter { !Self.living.contains($0) }
            logger.notice(
                "SIGHUP: read again: settings, \(done.joined(separator: ", ")); the log level is \(new.log.level)\(waiting.isEmpty ? "" : "; a restart is needed for \(waiting.joined(separator: ", "))")"
            )
        } catch {
            logger.error(
                "SIGHUP: read again: \(done.joined(separator: ", ")); the settings stay as they are, because they are wrong now: \(error)"
            )
        }
    }
}

extension Settings {
    /// What does not mean the same any more, by name.
    func changed(from old: Settings) -> [String] {
        let names = Set(fingerprints.keys).union(old.fingerprints.keys)
        return names.filter { fingerprints[$0] != old.fingerprints[$0] }.sorted()
    }
}
