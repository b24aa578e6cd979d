import MarketData
import Secrets

/// What one adapter says about itself, copied out of its memory.
public struct BrokerDescription: Sendable, Hashable, Codable {
    /// Reverse DNS, e.g. `in.example.zerodha`.
    public let id: String
    /// For people, e.g. "Zerodha Kite".
    public let name: String
    /// Who made the adapter.
    public let vendor: String
    /// Of the adapter.
    public let version: String
    /// Home page.
    public let url: String?
    /// SPDX id.
    public let license: String?
    /// OpenAlgo broker key, e.g. `zerodha`.
    public let broker: String
    public let capabilities: Capabilities
    /// Settings, as in `BROKER.name=value`.
    public let configKeys: [AdapterKey]
    /// What `connect()` wants to be given.
    public let credentialKeys: [AdapterKey]

    /// False for a plugin that provides accounts and nothing else. Its ``broker`` then only names its settings.
    public var servesBroker: Bool { capabilities != .none }

    /// The adapter's settings, its defaults where none are given.
    /// - Parameter given: By bare name. All are handled as secrets: an endpoint may have a password in it.
    public func settings(given: [String: Secret]) -> [String: Secret] {
        var settings: [String: Secret] = [:]
        for key in configKeys { settings[key.name] = key.defaultValue.map { Secret($0) } }
        return settings.merging(given) { $1 }
    }
}

/// One setting or one credential that an adapter declares.
public struct AdapterKey: Sendable, Hashable, Codable {
    /// `FH_CFG_*`.
    public enum Kind: UInt32, Sendable, Hashable, Codable {
        case string = 1
        case int = 2
        case bool = 3
        case duration = 4
        case secret = 5
        case url = 6
    }

    public let name: String
    public let kind: Kind
    public let defaultValue: String?
    /// One line: meaning, unit and range.
    public let help: String
    public let required: Bool
}

/// The contract's version that an adapter was built with.
public struct ABIVersion: Sendable, Hashable, Codable, CustomStringConvertible {
    public let major: UInt16
    public let minor: UInt16

    public var description: String { "\(major).\(minor)" }
}

/// What the probe tells about a file.
public struct PluginFacts: Sendable, Hashable, Codable {
    public let abi: ABIVersion
    /// One file may carry several.
    public let brokers: [BrokerDescription]
    /// Ids of those that have an instrument master (`feedhost.instruments/1`).
    public var masters: Set<String> = []
    /// Ids of those that provide accounts (`feedhost.auth/1`).
    public var providers: Set<String> = []
}
