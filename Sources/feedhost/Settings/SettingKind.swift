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
    /// Some of a few words, separated by commas; none is allowed.
    case choices([String])
    /// One of a few words, or `plugin:` and a name.
    case provider([String])
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
    /// URLs of listeners, separated by commas.
    case listeners
    /// Rules for web pages, separated by commas.
    case origins
    /// Addresses and networks, separated by commas.
    case networks
    /// One IP address, or nothing.
    case address
    /// An HTTP proxy, or nothing.
    case proxy
    /// What goes past the proxy, separated by commas.
    case proxyExceptions
    /// A whole number; `auto` is read as 0.
    case countOrAuto(ClosedRange<Int>)

    /// Several values: layers hold them as an array.
    var separator: Character? {
        switch self {
        case .brokers, .brokerMap, .choices, .listeners, .origins, .networks, .proxyExceptions: ","
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
        case .choices(let words): "some of \(words.joined(separator: ", "))"
        case .provider(let words): "\(words.joined(separator: ", ")) or plugin:NAME"
        case .databaseURL: "a URL such as sqlite:///db/openalgo.db"
        case .endpoint: "tcp://HOST:PORT, ipc://PATH or nothing"
        case .broker: "a broker: lowercase letters, digits and _"
        case .brokers: "brokers (lowercase letters, digits and _) separated by commas"
        case .paths: "folders separated by :"
        case .brokerMap: "BROKER=NAME pairs"
        case .listeners: "ws://HOST:PORT, wss://HOST:PORT and unix:/PATH, separated by commas"
        case .origins: "origins such as https://trade.example.com, *.example.com and same-host, separated by commas"
        case .networks: "IP addresses and networks such as 10.0.0.0/8, separated by commas"
        case .address: "an IP address"
        case .proxy:
            "http://HOST:PORT, with USER:PASSWORD@ before HOST if the proxy asks for it (https:// and socks5:// proxies are not supported), or nothing"
        case .proxyExceptions: "hosts, domains, IP addresses and networks separated by commas, or *"
        case .countOrAuto(let range): "a whole number from \(range.lowerBound) to \(range.upperBound), or auto"
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
