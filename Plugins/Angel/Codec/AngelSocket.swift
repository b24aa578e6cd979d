import AdapterKit

/// What both kinds of connection have in common: one socket, opened with the credentials of the moment, kept alive by
/// text pings, and refused with HTTP answers.
class AngelSocket: BaseAdapter {
    private let endpoint: String
    private(set) var socket: SocketID?

    /// Reads the address from the setting `key`.
    init(_ context: AdapterContext, endpoint key: String) throws(AdapterError) {
        endpoint = context.host.config(key) ?? ""
        guard endpoint.hasPrefix("wss://") || endpoint.hasPrefix("ws://") else {
            throw AdapterError(.invalid, "\(key) must begin with ws:// or wss://")
        }
        try super.init(context)
    }

    /// The header fields of the upgrade.
    func headers(_ credentials: Credentials) throws(AdapterError) -> [(String, String)] { [] }

    /// Forgets everything that belongs to one connection.
    func reset() {}

    /// Why the broker answers 403.
    var forbidden: DisconnectReason { .authenticationRejected }

    override func connect(credentials: Credentials) throws(AdapterError) {
        reset()
        socket = try openSocket(endpoint, headers: try headers(credentials))
    }

    override func disconnect() {
        socket = nil
        reset()
    }

    override func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) {
        do throws(AdapterError) {
            try startHeartbeat(Array("ping".utf8), on: socket, every: Angel.heartbeat)
            ready()
        } catch {
            disconnected(.network, message: "no heartbeat: \(error.message)")
        }
    }

    override func closed(_ socket: SocketID, tag: UInt64, code: UInt32, refusal: Response?) {
        self.socket = nil
        reset()
        guard let refusal, let reason = reason(for: refusal) else {
            return lostConnection(code: code, refusal: refusal)
        }
        let message = "Angel One answered HTTP \(refusal.httpStatus)\(Self.explanation(refusal))"
        let brokerCode = Int32(clamping: refusal.httpStatus)
        guard reason == .connectionLimit else {
            return disconnected(reason, message: message, brokerCode: brokerCode)
        }
        disconnected(
            reason, message: message + "; at most three connections of a kind are allowed for a client code",
            retryAfter: max(refusal.retryAfter ?? .zero, Angel.limitPause), brokerCode: brokerCode)
    }

    /// Whether a message is the answer to our heartbeat.
    func isPong(_ frame: Frame) -> Bool { frame.bytes == "pong" }

    /// Ends a connection that is of no use any more; the host makes a new one.
    func abandon(_ why: String) {
        disconnected(.network, message: why)
        disconnect()
    }

    private func reason(for refusal: Response) -> DisconnectReason? {
        switch refusal.httpStatus {
        case 401 where Self.isOwn(refusal): .authenticationRejected
        case 403 where Self.isOwn(refusal): forbidden
        case 429: .connectionLimit
        default: nil
        }
    }

    /// Whether Angel One itself has refused: it says why in a header field of its own, whatever page its web server puts
    /// below, or in the envelope of its other answers. The same status without that comes from something on the way.
    private static func isOwn(_ refusal: Response) -> Bool {
        !explanation(refusal).isEmpty || refusal.says(["errorCode", "errorcode", "error-message"])
    }

    /// What Angel One says in its own header field, e.g. `Invalid Header - Invalid Feed Token`.
    private static func explanation(_ refusal: Response) -> String {
        guard let text = refusal.header("x-error-message") else { return "" }
        let printable = text.unicodeScalars.filter { (0x20...0x7E).contains($0.value) }.prefix(120)
        return printable.isEmpty ? "" : ": " + String(String.UnicodeScalarView(printable))
    }

    /// A credential that goes into a header field.
    ///
    /// - Throws: ``Status/authentication``, naming it, if it is missing or cannot be part of a header.
    static func required(_ value: String, _ name: String) throws(AdapterError) -> String {
        let spaces: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        var text = value[...]
        while let first = text.first, spaces.contains(first) { text.removeFirst() }
        while let last = text.last, spaces.contains(last) { text.removeLast() }
        guard !text.isEmpty else {
            throw AdapterError(.authentication, "Angel One needs \(name), and none is stored")
        }
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw AdapterError(
                .authentication, "\(name) holds characters that no token of Angel One has; store it again")
        }
        return String(text)
    }
}
