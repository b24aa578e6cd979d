import Adapters
import Foundation
import Logging
import Sessions

extension Settings {
    /// Limits that somebody has set; what is left at its default is the broker's to decide.
    var poolLimits: PoolLimits {
        var limits = PoolLimits()
        limits.maxSymbols = origins["pool.max_symbols"] == nil ? nil : pool.maxSymbols
        limits.maxConnections = origins["pool.max_connections"] == nil ? nil : pool.maxConnections
        limits.isPooling = pool.isEnabled
        limits.staleTickWarning = proxy.staleTickWarning
        return limits
    }
}

/// The adapters of this start.
enum PluginScan {
    /// Scans all folders. Blocks while files are probed.
    static func run(_ settings: Settings) -> AdapterRegistry {
        let environment = ProcessInfo.processInfo.environment
        var withoutPath = environment
        // The settings have it already, from whatever source it came.
        withoutPath["FEEDHOST_PLUGIN_PATH"] = nil
        let folders = PluginSearch.folders(
            explicit: settings.plugins.folders, environment: withoutPath, program: "/proc/self/exe")
        let allowed = settings.validBrokers.isEmpty ? nil : Set(settings.validBrokers)
        return AdapterRegistry.scan(
            .init(folders: folders, allowed: allowed, pins: settings.plugins.pins),
            probe: PluginProbe(environment: environment))
    }

    /// Says what was found.
    static func log(_ registry: AdapterRegistry, _ logger: Logger) {
        for record in registry.report {
            switch record.state {
            case .loaded:
                let what = record.broker.map { "adapter \($0)" } ?? "plugin \(record.id ?? "?")"
                logger.info("\(what) \(record.version ?? "") from \(record.path)")
            case .ignored: logger.debug("\(record.path): \(record.reason ?? "ignored")")
            case .disabled, .shadowed: logger.notice("\(record.path): \(record.reason ?? record.state.rawValue)")
            default: logger.warning("\(record.path) is not loaded: \(record.reason ?? record.state.rawValue)")
            }
        }
        if registry.brokers.isEmpty { logger.warning("\(nothingFound(registry))") }
    }

    /// What to say when no broker has an adapter.
    static func nothingFound(_ registry: AdapterRegistry) -> String {
        "no adapter was found, so no broker can be served but `external`; looked in \(registry.folders.map(\.path).joined(separator: ", ")). "
            + "Put an adapter's .so into one of these folders, or name another with --plugins"
    }

    /// The settings that each loaded adapter declares.
    static func declaredKeys(_ registry: AdapterRegistry) -> [String: [DeclaredKey]] {
        var declared: [String: [DeclaredKey]] = [:]
        for adapter in registry.loaded {
            declared[adapter.broker] = adapter.description.configKeys.map { key in
                let kind: DeclaredKey.Kind =
                    switch key.kind {
                    case .string: .text
                    case .int: .int
                    case .bool: .bool
                    case .duration: .duration
                    case .secret: .secret
                    case .url: .url
                    }
                return DeclaredKey(key.name, kind)
            }
        }
        return declared
    }
}
