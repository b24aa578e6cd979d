import Logging

/// What a setting may hold.
enum SettingKind: Sendable, Hashable {
    case text
    /// Text of a least length.
    case longText(Int)
    case int(ClosedRange<Int>)
    case bool
    case port
    case host
    case seconds(ClosedRange<Double>)
    case level
    case logFormat
    case time
    /// One of a few words.
    case choice([String])
    case databaseURL
    /// Where ZeroMQ binds.
    case endpoint
    /// One broker key.
    case broker
    /// Broker keys, separated by commas.
    case brokers
    /// Folders, separated by colons.
    case paths
    /// `BROKER=TEXT`, separated by commas.
    case brokerMap

    /// Several values: layers hold them as an array.
    var separator: Character? {
        switch self {
        case .brokers, .brokerMap: ","
        case .paths: ":"
        default: nil
        }
    }

    /// For the end of an error and for the reference.
    var allowed: String {
        switch self {
        case .text: "any text"
        case .longText(let least): "a text of at least \(least) characters"
        case .int(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .bool: "true or false"
        case .port: "a port from 1 to 65535, or 0 for a free one"
        case .host: "an IP address or a host name"
        case .seconds(let range):
            "seconds from \(Self.short(range.lowerBound)) to \(Self.short(range.upperBound)), such as 15 or 1.5"
        case .level: "trace, debug, info, notice, warning, error, critical or one of Python's names"
        case .logFormat: "text, json or a Python logging pattern with %(message)s"
        case .time: "a time HH:MM from 00:00 to 23:59"
        case .choice(let words): words.joined(separator: " or ")
        case .databaseURL: "a URL such as sqlite:///db/openalgo.db"
        case .endpoint: "tcp://HOST:PORT, ipc://PATH or nothing"
        case .broker: "a broker: lowercase letters, digits and _"
        case .brokers: "brokers (lowercase letters, digits and _) separated by commas"
        case .paths: "folders separated by :"
        case .brokerMap: "BROKER=NAME pairs"
        }
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
}

/// A value that has been checked.
enum SettingValue: Sendable, Hashable {
    case text(String)
    case int(Int)
    case bool(Bool)
    case seconds(Double)
    case level(Logger.Level)
    case logFormat(LogFormat)
    case time(TimeOfDay)
    case list([String])
    case map([String: String])
}

/// How log lines look.
enum LogFormat: Sendable, Hashable {
    case text
    case json
    /// OpenAlgo's `LOG_FORMAT`: accepted so that its `.env` can be used, written as text.
    case python(String)
}

/// A time of day without a zone.
struct TimeOfDay: Sendable, Hashable {
    let hour: Int
    let minute: Int
}
