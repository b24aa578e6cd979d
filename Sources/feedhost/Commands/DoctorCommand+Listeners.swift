import Accounts
import Foundation
import MarketBus
import Operations
import StreamProxy

extension DoctorCommand {
    /// A certificate that ends sooner is worth a note, in days: the usual ones are renewed 30 days before their end.
    private static let soon = 14

    /// Where clients connect besides the main port.
    func checkListeners(_ settings: Settings, _ findings: inout Findings) {
        let source = settings.origins["proxy.listen"] ?? "proxy.listen"
        var known = [ListenerAddress.Place.tcp(host: settings.proxy.host, port: settings.proxy.port.number)]
        for listener in settings.clients.listeners {
            let what = "listener"
            if known.contains(where: { $0.collides(with: listener.place) }) {
                findings.bad(what, "\(listener) (\(source)): another listener has that place; choose another")
                continue
            }
            known.append(listener.place)
            let trouble =
                switch listener.place {
                case .tcp(let host, let port): PlaceCheck.tcp(host: host, port: port)
                case .unix(let path, _): PlaceCheck.unixSocket(path: path)
                }
            switch trouble {
            case nil: findings.good(what, "\(listener) is free")
            case .taken(let holder):
                findings.bad(
                    what,
                    "\(listener) (\(source)) is taken by \(holder ?? "another process"); stop it or choose another place"
                )
            case .unusable(let why): findings.bad(what, "\(listener) (\(source)): \(why)")
            }
        }
    }

    /// The certificate of `wss://`, if there is one.
    func checkCertificate(_ settings: Settings, now: Date = Date(), _ findings: inout Findings) {
        guard let files = settings.clients.tls else { return }
        let found = files.condition()
        if let trouble = found.trouble { findings.bad("certificate", "\(trouble)") }
        if let validity = found.validity {
            let (start, end) = (validity.lowerBound, validity.upperBound)
            let seconds = Int(now.timeIntervalSince1970)
            let days = (end - seconds) / 86_400
            if seconds < start {
                findings.bad(
                    "certificate", "\(files.certificate) counts from \(Self.date(start)) on; clients refuse it")
            } else if end <= seconds {
                if found.trouble == nil { findings.bad("certificate", "\(files.certificate) has expired") }
            } else if days < Self.soon {
                findings.hint(
                    "certificate",
                    "\(files.certificate) ends on \(Self.date(end)), in \(days) days; a renewed one is taken without a restart"
                )
            } else if found.trouble == nil {
                findings.good("certificate", "\(files.certificate) and \(files.key), until \(Self.date(end))")
            }
        }
        if found.isKeyOpenToAll {
            findings.hint(
                "certificate", "every user of this machine can read \(files.key); mend it with: chmod o-r \(files.key)")
        }
        if !settings.clients.listeners.contains(where: \.isTLS) {
            findings.hint("certificate", "no listener is wss://, so it is not used; proxy.listen makes one")
        }
    }

    /// The keys of the bus, if there are any.
    func checkBusKeys(_ settings: Settings, _ findings: inout Findings) {
        do {
            guard let curve = try BusKeys.curve(settings.bus) else { return }
            let (count, problems) = curve.examineClients()
            for problem in problems { findings.bad("bus keys", problem) }
            if count > 0 {
                findings.good("bus keys", "\(count) may connect (\(curve.clients))")
            } else {
                findings.hint(
                    "bus keys",
                    "nobody may connect to the bus: there is no usable public key (*.key) in \(curve.clients)")
            }
        } catch {
            findings.bad("bus keys", "\(error)")
        }
    }

    private static func date(_ seconds: Int) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601.year().month().day())
    }
}

extension ListenerAddress.Place {
    /// Whether both cannot be had at once, as far as their texts tell.
    fileprivate func collides(with other: Self) -> Bool {
        switch (self, other) {
        case (.tcp(let host, let port), .tcp(let otherHost, let otherPort)):
            let anywhere: Set = ["0.0.0.0", "::"]
            return port != 0 && port == otherPort
                && (host == otherHost || anywhere.contains(host) || anywhere.contains(otherHost))
        case (.unix(let path, _), .unix(let otherPath, _)): return path == otherPath
        default: return false
        }
    }
}
