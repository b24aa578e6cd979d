/// One number that a room reports of itself, as it is when somebody reads it.
///
/// Names follow Prometheus: base units in the name (`_seconds`, `_bytes`), `_total` at the end of what only grows.
package struct Sample: Sendable, Hashable {
    package enum Kind: Sendable { case counter, gauge }

    /// Which of several numbers of one name this is. There are few names, each with fewer than a hundred values: a user, a
    /// key or a symbol is none.
    package enum Label: String, Sendable { case broker, adapter, mode, reason }

    package let name: String
    package let labels: [Label: String]
    package let kind: Kind
    /// A sentence for whoever looks at the number for the first time.
    package let help: String
    package let value: Double
    /// What the stats file and the log call it, with whatever tells it from others of its name; nil where they leave it out.
    /// These names are older, and those who read the file know them.
    package let figure: String?

    /// Something that only grows as long as the host runs.
    package static func counter(
        _ name: String, labels: [Label: String] = [:], _ value: Int, figure: String? = nil, _ help: String
    ) -> Sample {
        Sample(name: name, labels: labels, kind: .counter, help: help, value: Double(value), figure: figure)
    }

    /// Something that goes up and down.
    package static func gauge(
        _ name: String, labels: [Label: String] = [:], _ value: Int, figure: String? = nil, _ help: String
    ) -> Sample {
        Sample(name: name, labels: labels, kind: .gauge, help: help, value: Double(value), figure: figure)
    }

    /// The value of what is counted, which is whole.
    package var count: Int { Int(exactly: value) ?? 0 }
}

/// What a room lets be read of it. It is asked when somebody reads, and counts on its hot paths as it always has.
package protocol SampleSource: Sendable {
    func samples() async -> [Sample]
}
