import Foundation
import MarketData
import NIOCore
import Transport

/// How a connection to the host has ended, in words, and whether it is worth another.
struct TailEnd: Sendable {
    /// Without its full stop.
    let reason: String
    /// Whether the host, or the network, may do better in a while.
    let isPassing: Bool
    /// Whether looking at who answers there may tell more.
    private let isObscure: Bool
    private let url: TransportURL

    init(_ close: WebSocketClose, _ url: TransportURL) {
        self.url = url
        if let refusal = close.refusal {
            let why =
                switch refusal.status {
                case 403: "; it does not let this program in"
                case 429: "; it has too many connections from here"
                case 500...: "; it is not well, or starts"
                default: "; no WebSocket of Feedhost is there"
                }
            reason = "\(url): the server has answered HTTP \(refusal.status)\(why)"
            isPassing = refusal.status == 429 || refusal.status >= 500
            isObscure = refusal.status == 400 && url.scheme == .ws
        } else if let failure = close.failure {
            reason = failure.message
            isPassing = true
            isObscure = url.unixSocket == nil
        } else {
            let text = close.reason.isEmpty ? "" : ", \(CellWidth.clean(close.reason))"
            reason = "\(url): the host has closed the connection (\(close.code)\(text))"
            // 4500 and above say "stay away"; the three below name a fault of this program.
            isPassing = close.code < 4500 && ![1002, 1007, 1009].contains(close.code)
            isObscure = false
        }
    }

    /// The reason, and for what cannot be seen in it what a look at the other side has shown; with what to do.
    func explained(on loop: any EventLoop) async -> String {
        guard isObscure, let found = try? await PeerLook.at(url, on: loop).get() else { return reason }
        switch (url.scheme, found) {
        case (.wss, .plain):
            return "\(url): whoever listens there does not speak TLS; write ws:// if that is the host's plain listener"
        case (.wss, .tls(let certificate?)): return "\(url): \(trouble(certificate))"
        case (.ws, .tls):
            return
                "\(url): whoever listens there speaks TLS; write wss:// (and --ca FILE if its authority is not known here)"
        case (_, .unreachable):
            return "\(reason); start the host with `feedhost serve`, or name another address with --url"
        default: return reason
        }
    }

    private func trouble(_ certificate: PeerLook.Certificate, now: Int = Int(Date().timeIntervalSince1970)) -> String {
        if certificate.ends <= now {
            return "the host's certificate has expired (on \(Self.date(certificate.ends))); it needs a new one"
        }
        if certificate.begins > now {
            return
                "the host's certificate counts from \(Self.date(certificate.begins)) on; is the clock of this machine right?"
        }
        if !certificate.isFor(url.host) {
            let names = CellWidth.clean(certificate.names.prefix(5).joined(separator: ", "))
            return
                "the host's certificate is for \(names.isEmpty ? "no name at all" : names), not for \(url.host); write one of its names in --url"
        }
        return
            "the host's certificate is signed by nobody whom this machine trusts; give the authority's certificate with --ca FILE"
    }

    private static func date(_ seconds: Int) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601.year().month().day())
    }
}
