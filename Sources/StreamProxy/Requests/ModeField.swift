import MarketData

extension Mode {
    /// Reads the `mode` of a request: 1 to 3, or a label in any case.
    init(field: JSONValue) throws(Rejection) {
        switch field {
        case .string(let label):
            guard let mode = Mode(label: label) else {
                throw Rejection(
                    .invalidMode,
                    "Invalid mode '\(label.excerpt)'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)")
            }
            self = mode
        case .number where field.pythonType == "int":
            guard let number = field.int, let raw = UInt8(exactly: number), let mode = Mode(rawValue: raw) else {
                throw Rejection(
                    .invalidMode, "Invalid mode \(field.pythonText); expected 1 (LTP), 2 (Quote), or 3 (Depth)")
            }
            self = mode
        default:
            throw Rejection(.invalidMode, "Mode must be int or str, got \(field.pythonType)")
        }
    }
}
