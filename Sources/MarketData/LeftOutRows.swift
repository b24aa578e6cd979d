/// The rows of a master that are left out, counted by reason, with the first of each.
public struct LeftOutRows: Sendable, Hashable {
    /// How a reason counts.
    public enum Kind: Int, Sendable, Hashable {
        /// Rows that could not be understood: many of them speak against the file.
        case fault = 1
        /// Rows that are as they should be, and that clients have no name for.
        case foreign = 2
        /// Instruments that the master has more than once.
        case again = 3
        /// Instruments whose name is another one's, and that have no other name.
        case nameTaken = 4
    }

    /// One of the rows.
    public struct Example: Sendable, Hashable, Codable {
        /// The broker's name of the file; empty if that is not known.
        public var file: String
        /// From 1; 0 = unknown.
        public var line: UInt64
        /// The row, or its beginning; may be empty.
        public var text: String

        public init(file: String, line: UInt64, text: String) {
            self.file = file
            self.line = line
            self.text = text
        }
    }

    /// The rows that are left out for one reason.
    public struct Reason: Sendable, Hashable {
        /// A few words.
        public let text: String
        public let kind: Kind
        /// Rows.
        public var count: Int
        /// The first of them.
        public var examples: [Example]

        public init(text: String, kind: Kind, count: Int, examples: [Example]) {
            self.text = text
            self.kind = kind
            self.count = count
            self.examples = examples
        }
    }

    /// Examples that are kept of a reason.
    public static let examplesKept = 5
    /// Reasons that are told apart; whoever makes up more has them added to the last.
    public static let reasonsKept = 64

    /// In the order of their first rows.
    public private(set) var reasons: [Reason]

    public init(_ reasons: [Reason] = []) { self.reasons = reasons }

    /// All rows.
    public var count: Int { reasons.reduce(0) { $0 + $1.count } }

    /// Rows of one kind.
    public func count(_ kind: Kind) -> Int { reasons.reduce(0) { $0 + ($1.kind == kind ? $1.count : 0) } }

    /// Counts rows.
    /// - Parameter example: Asked for only while more are wanted.
    public mutating func add(
        _ text: String, _ kind: Kind, count: Int = 1, example: @autoclosure () -> Example? = nil
    ) {
        var place = reasons.firstIndex { $0.text == text && $0.kind == kind }
        if place == nil, reasons.count == Self.reasonsKept { place = reasons.count - 1 }
        if place == nil { reasons.append(Reason(text: text, kind: kind, count: 0, examples: [])) }
        let index = place ?? reasons.count - 1
        reasons[index].count += count
        if reasons[index].examples.count < Self.examplesKept, let example = example() {
            reasons[index].examples.append(example)
        }
    }

    /// Counts what another file has left out.
    public mutating func add(_ other: LeftOutRows) {
        for reason in other.reasons {
            add(reason.text, reason.kind, count: reason.count, example: reason.examples.first)
            for example in reason.examples.dropFirst() { add(reason.text, reason.kind, count: 0, example: example) }
        }
    }
}

/// What an adapter says of a master file that it has read.
public struct MasterReport: Sendable, Hashable {
    public var leftOut: LeftOutRows
    /// Sentences that say why the file is not to be trusted; none is best.
    public var doubts: [String]

    public init(leftOut: LeftOutRows = LeftOutRows(), doubts: [String] = []) {
        self.leftOut = leftOut
        self.doubts = doubts
    }
}
