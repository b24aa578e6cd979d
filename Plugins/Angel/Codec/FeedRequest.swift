/// One frame that subscribes or unsubscribes: one mode, the tokens grouped by segment.
///
/// The broker answers nothing when it goes well. When it does not, the error has the frame's ``correlation``.
struct FeedRequest {
    enum Action: Int {
        case unsubscribe = 0
        case subscribe = 1
    }

    let action: Action
    let mode: FeedMode
    /// Ten letters and digits, as the documentation wants them.
    let correlation: String
    private(set) var handles: [UInt32] = []
    private var tokens: [Segment: [String]] = [:]

    init(_ action: Action, _ mode: FeedMode, number: UInt64) {
        self.action = action
        self.mode = mode
        let digits = String(number % 100_000_000)
        correlation = "fh" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    mutating func add(_ line: FeedLine) {
        handles.append(line.handle)
        tokens[line.segment, default: []].append(line.token)
    }

    /// The frame, with the members in the order of the official clients.
    var text: String {
        var text = "{\"correlationID\":\"\(correlation)\",\"action\":\(action.rawValue),"
        text += "\"params\":{\"mode\":\(mode.rawValue),\"tokenList\":["
        let groups = tokens.sorted { $0.key.rawValue < $1.key.rawValue }.map { segment, tokens in
            let list = tokens.map { "\"\($0)\"" }.joined(separator: ",")
            return "{\"exchangeType\":\(segment.rawValue),\"tokens\":[\(list)]}"
        }
        return text + groups.joined(separator: ",") + "]}}"
    }
}

/// Changes of modes, gathered so that each mode needs one frame and not one for each instrument.
struct FeedChanges {
    private var lines: [FeedMode: [FeedLine]] = [:]

    var isEmpty: Bool { lines.isEmpty }
    /// Pairs of token and mode.
    var pairs: Int { lines.values.reduce(0) { $0 + $1.count } }

    mutating func add(_ modes: FeedModes, of line: FeedLine) {
        for mode in FeedMode.allCases where modes.contains(mode) { lines[mode, default: []].append(line) }
    }

    /// One frame for each mode, the lower modes first.
    func requests(_ action: FeedRequest.Action, number: inout UInt64) -> [FeedRequest] {
        lines.sorted { $0.key.rawValue < $1.key.rawValue }.map { mode, lines in
            number += 1
            var request = FeedRequest(action, mode, number: number)
            for line in lines { request.add(line) }
            return request
        }
    }
}
