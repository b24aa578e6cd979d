import CFeedhostABI

/// How a socket of an adapter's ended, with what the adapter is not told: it gets a close code and the answer to a refused
/// upgrade.
package struct SocketEnd: Sendable, Hashable {
    let id: fh_id
    /// `HOST:PORT`.
    let place: String
    /// Whether it was ever open.
    package let hasOpened: Bool
    let code: UInt16
    /// What the broker has said with its close frame; one line.
    package let reason: String
    /// What went wrong on this side of the wire, without the address.
    package let failure: String?

    init(id: fh_id, url: TransportURL?, hasOpened: Bool, _ close: WebSocketClose) {
        self.id = id
        self.hasOpened = hasOpened
        code = close.code
        let address = url.map { "\($0)" } ?? ""
        place = url.map { String("\($0)".dropFirst($0.scheme.rawValue.utf8.count + 3)) } ?? "the broker"
        reason = String(
            close.reason.unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
        failure = close.failure.map { failure in
            let prefix = "\(address): "
            let text =
                failure.message.hasPrefix(prefix) ? failure.message.dropFirst(prefix.count) : failure.message[...]
            return Self.uncapitalised(text)
        }
    }

    /// For the log and for clients.
    package var sentence: String {
        if let failure {
            return hasOpened ? "\(place): \(failure)" : "could not connect to \(place): \(failure)"
        }
        guard hasOpened else { return "could not connect to \(place)" }
        guard code != 1_006 else { return "\(place) ended it without a close frame" }
        return "\(place) closed it with code \(code)" + (reason.isEmpty ? "" : ": \"\(reason)\"")
    }

    /// `Connection refused` goes on a sentence; `TLS failed` stays as it is.
    private static func uncapitalised(_ text: Substring) -> String {
        guard let first = text.first, text.dropFirst().first?.isLowercase == true else { return String(text) }
        return first.lowercased() + text.dropFirst()
    }
}
