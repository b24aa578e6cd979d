import Accounts
import Foundation
import Instruments
import Operations

extension DoctorCommand {
    /// Another host that has the store.
    func checkOtherHost(_ settings: Settings, _ findings: inout Findings) {
        guard let holder = HostLock.heldBy(settings.lockPath) else { return }
        let who = holder.process.map { "a host (process \($0))" } ?? "a host"
        let what = settings.isOnOpenAlgo ? "OpenAlgo's users and tokens" : settings.store
        if settings.sharesStore {
            findings.hint(
                "host", "\(who) runs on \(what), and --shared-store lets another one log in at the brokers beside it")
        } else {
            findings.bad(
                "host",
                "\(who) runs on \(what) already; before another one can start, stop it, name another store (--store) or say --shared-store"
            )
        }
    }

    /// Room for what the host writes.
    func checkDisk(_ settings: Settings, _ findings: inout Findings) {
        let folder = { (path: String) -> String in
            let folder = (path as NSString).deletingLastPathComponent
            return folder.isEmpty ? "." : folder
        }
        var places = [("the store", folder(settings.store))]
        let instruments = folder(MasterStore.path(beside: settings.store))
        if instruments != places[0].1 { places.append(("the instruments", instruments)) }
        if settings.log.toFile { places.append(("the log", settings.log.folder)) }
        var told: Set<UInt64> = []
        for (what, folder) in places {
            // Of each disk once.
            guard let space = DiskSpace.at(folder), told.insert(space.device).inserted else { continue }
            switch space.trouble {
            case .full:
                findings.bad(
                    "disk", "the disk of \(what) (\(folder)) is full; free some space there, or choose another folder")
            case .low(let left):
                findings.hint("disk", "\(left) are left for \(what) (\(folder)); free some space before it is full")
            case nil: findings.good("disk", "\(space.text) free for \(what) (\(folder))")
            }
        }
    }

    /// Files and sockets that may be open.
    func checkDescriptors(_ settings: Settings, _ findings: inout Findings) {
        let clients = settings.clients
        guard
            let (limit, needed) = ProcessLimits.descriptors(
                eventLoops: clients.eventLoops, listeners: clients.listeners.count)
        else { return }
        let how =
            "raise the limit: LimitNOFILE= in the systemd service, `ulimit -n 4096` in the shell, --ulimit nofile= of a container"
        if limit < needed {
            findings.bad("system", "at most \(limit) files and sockets, and the host needs \(needed) to start; \(how)")
        } else if limit < 4096 {
            findings.hint("system", "at most \(limit) files and sockets, which is few for many clients; \(how)")
        } else {
            findings.good("system", "up to \(limit) files and sockets")
        }
    }

    /// Against what was written down earlier: tokens, certificates and candles all hang on the time.
    func checkClock(_ settings: Settings, _ findings: inout Findings, now: Date = Date()) async {
        var stamps: [(what: String, at: Int64)] = []
        // Whatever is wrong with the stores themselves is told elsewhere.
        if FileManager.default.fileExists(atPath: settings.store),
            let store = try? settings.accountStore(create: false)
        {
            stamps += ((try? await store.users()) ?? []).map { ("user \($0.name)", $0.created) }
            stamps += ((try? await store.keys()) ?? []).flatMap { key in
                [("key \(key.id)", key.created)] + (key.lastUsed.map { [("the use of key \(key.id)", $0)] } ?? [])
            }
            stamps += ((try? await store.credentialRecords()) ?? []).map {
                ("the login of \($0.user) at \($0.broker)", $0.updated)
            }
            try? store.close()
        }
        if let masters = try? MasterStore.existing(path: MasterStore.path(beside: settings.store)) {
            stamps += ((try? await masters.records()) ?? []).map { ("the master of \($0.broker)", $0.syncedAt) }
            masters.close()
        }
        if let trouble = ClockCheck.trouble(now: Int64(now.timeIntervalSince1970), stamps: stamps) {
            findings.bad("clock", "\(trouble); set it, for example with `timedatectl set-ntp true`")
        } else {
            findings.good("clock", TextTable.time(Int64(now.timeIntervalSince1970)))
        }
    }
}
