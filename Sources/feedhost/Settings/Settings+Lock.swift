import Accounts
import CoreFoundation
import Foundation
import Operations

extension Settings {
    /// Beside our own store, never beside OpenAlgo's database, which is not ours to write to: then it is named after that.
    var lockPath: String {
        let folder = (store as NSString).deletingLastPathComponent
        guard isOnOpenAlgo, let installation = try? openAlgo.installation() else { return Self.real(store) + ".lock" }
        // FNV-1a: the same in every process.
        let name = Self.real(installation.database).utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return "\(folder.isEmpty ? "." : folder)/openalgo-\(String(name, radix: 16)).lock"
    }

    /// Takes the store for this host alone.
    /// - Returns: Nil when several may share it, or when there can be no lock.
    /// - Throws: ``StartError`` that names the host that has it.
    func lockStore(_ say: (String) -> Void) throws -> HostLock? {
        guard !sharesStore else { return nil }
        let folder = (lockPath as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(
            atPath: folder.isEmpty ? "." : folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        do {
            return try HostLock.take(lockPath)
        } catch let error as HostLock.Held {
            let holder = error.process.map { "another host (process \($0))" } ?? "another host"
            let what = isOnOpenAlgo ? "OpenAlgo's users and tokens" : "the store \(store)"
            throw StartError(
                "\(holder) already runs on \(what): two would log in at the brokers twice. Stop it, name another store (--store), or say --shared-store."
            )
        } catch {
            say("whether another host runs on the store cannot be told: \(error)")
            return nil
        }
    }

    /// Without symbolic links; a file that is not there yet as it is, in its real folder.
    private static func real(_ path: String) -> String {
        if let found = realpath(path, nil) {
            defer { free(found) }
            return String(cString: found)
        }
        let folder = (path as NSString).deletingLastPathComponent
        guard let found = realpath(folder.isEmpty ? "." : folder, nil) else { return path }
        defer { free(found) }
        return String(cString: found) + "/" + (path as NSString).lastPathComponent
    }
}
