import MarketData

/// `unsubscribe` and `unsubscribe_all`.
struct UnsubscribeRequest {
    enum What {
        case all
        /// An entry's own mode goes before `mode`; without either, every mode that the client holds is meant. (The Python
        /// proxy takes Quote then, so that most clients leak: client-protocol.md section 3.)
        case entries([WrittenInstrument], mode: JSONValue?)
    }

    let what: What
    /// Which of the user's brokers; nil for the usual one, or wherever the instrument is held.
    let broker: String?

    init(what: What, broker: String?) {
        self.what = what
        self.broker = broker
    }

    init(_ value: JSONValue) throws(Rejection) {
        broker = try Request.broker(of: value)
        if value["unsubscribe_all"]?.isTruthy == true {
            what = .all
        } else if let entries = try WrittenInstrument.entries(of: value) {
            // The one instrument that a request names itself has no entry of its own to fail.
            if value["symbols"]?.isTruthy != true, let mode = value["mode"] { _ = try Mode(field: mode) }
            what = .entries(entries, mode: value["mode"])
        } else {
            throw Rejection(.invalidParameters, "Either symbols or unsubscribe_all is required")
        }
    }
}
