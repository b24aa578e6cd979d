import MarketData

/// `unsubscribe` and `unsubscribe_all`.
enum UnsubscribeRequest {
    case all
    /// An entry's own mode goes before `mode`; without either, every mode that the client holds is meant. (The Python
    /// proxy takes Quote then, so that most clients leak: client-protocol.md section 3.)
    case entries([SymbolEntry], mode: JSONValue?)

    init(_ value: JSONValue) throws(Rejection) {
        if value["unsubscribe_all"]?.isTruthy == true {
            self = .all
        } else if let entries = try SymbolEntry.entries(of: value) {
            self = .entries(entries, mode: value["mode"])
        } else {
            throw Rejection(.invalidParameters, "Either symbols or unsubscribe_all is required")
        }
    }
}
