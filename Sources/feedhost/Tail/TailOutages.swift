import Foundation

/// What keeps ticks from coming now, by broker, and the host itself.
struct TailOutages {
    struct Host {
        let text: String
        let since: Date
        let next: Date
    }

    private struct Broker {
        let message: String
        let since: Date?
        let next: Date?
    }

    /// Nil while it is connected.
    var host: Host?
    private var brokers: [String: Broker] = [:]
    /// A notice that nothing takes back, and until when it is worth showing.
    private var passing: (text: String, until: Date)?

    var isEmpty: Bool { host == nil && brokers.isEmpty && passing == nil }

    /// A `notice` of the protocol. One that this program does not know is shown for a while.
    mutating func take(_ message: [String: Any]) {
        let broker = TailTexts.text(message["broker"])
        let text = TailTexts.text(message["message"])
        switch message["code"] as? String {
        case "BROKER_DISCONNECTED", "BROKER_LOGGED_OUT", "BROKER_STOPPED":
            brokers[broker] = Broker(
                message: text, since: TailTexts.time(message["since"]), next: TailTexts.time(message["next_attempt"]))
        case "BROKER_CONNECTED":
            brokers[broker] = nil
            passing = (text, Date() + 5)
        default: passing = (text, Date() + 10)
        }
    }

    /// One line for each, most urgent first.
    mutating func lines(now: Date = Date()) -> [String] {
        if let until = passing?.until, until < now { passing = nil }
        var lines: [String] = []
        if let host {
            lines.append("! \(Self.times(host.since, host.next, now)): \(host.text)")
        }
        for (name, broker) in brokers.sorted(by: { $0.key < $1.key }) {
            lines.append("! \(name) \(Self.times(broker.since, broker.next, now)): \(broker.message)")
        }
        if let passing { lines.append(passing.text) }
        return lines
    }

    /// `down since 09:15:02 (12 s), next attempt in 3 s`; short first, because windows are narrow.
    private static func times(_ since: Date?, _ next: Date?, _ now: Date) -> String {
        let down = since.map { " since \(TailTexts.clock($0)) (\(max(0, Int(now.timeIntervalSince($0)))) s)" } ?? ""
        let attempt = next.map { next in
            let wait = Int(next.timeIntervalSince(now).rounded(.up))
            return wait > 0 ? ", next attempt in \(wait) s" : ", trying now"
        }
        return "down\(down)\(attempt ?? "")"
    }
}
