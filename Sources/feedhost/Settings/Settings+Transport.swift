import MarketData
import NIOCore
import Operations
import Transport

extension Settings {
    /// How connections to brokers leave this machine.
    struct Transport: Sendable {
        /// PEM file; nil: what the system trusts.
        let caFile: String?
        /// Where the file is named, for messages.
        let caOrigin: String
        private let standard: OutboundRoute
        private let ofBroker: [String: OutboundRoute]

        init(_ values: SettingResolver) {
            caFile = values.text("transport.ca_file")
            caOrigin = values.origins["transport.ca_file"] ?? "transport.ca_file"
            var standard = OutboundRoute()
            // What cannot be read was told as a problem and has ended the start.
            standard.family = values.text("transport.family").flatMap { AddressFamily(rawValue: $0) }
            standard.source = values.text("transport.source").flatMap { try? SocketAddress(ipAddress: $0, port: 0) }
            standard.proxies.secure = values.text("transport.proxy").flatMap { try? ProxyAddress($0) }
            standard.proxies.all = values.text("transport.proxy_all").flatMap { try? ProxyAddress($0) }
            standard.proxies.exceptions = values.list("transport.no_proxy").compactMap { ProxyException($0) }
            self.standard = standard

            let families = values.map("transport.broker_family")
            let sources = values.map("transport.broker_source")
            let proxies = values.map("transport.broker_proxy")
            var ofBroker: [String: OutboundRoute] = [:]
            for broker in Set(families.keys).union(sources.keys).union(proxies.keys) {
                var route = standard
                if let family = families[broker] {
                    route.family = AddressFamily(rawValue: family.lowercased())
                    // The host's own source address may be of the other family.
                    if sources[broker] == nil { route.source = route.source(within: route.family) }
                }
                if let source = sources[broker] { route.source = try? SocketAddress(ipAddress: source, port: 0) }
                if let proxy = proxies[broker] {
                    route.proxies = ProxyRules()
                    route.proxies.all = proxy == "direct" ? nil : try? ProxyAddress(proxy)
                }
                ofBroker[broker] = route
            }
            self.ofBroker = ofBroker
        }

        /// Reads the file of certificate authorities.
        /// - Throws: ``StartError`` when it cannot be read, or holds none.
        func routes() throws -> OutboundRoutes {
            var routes = OutboundRoutes(standard: standard, ofBroker: ofBroker)
            guard let caFile else { return routes }
            do {
                try routes.trust(onlyFile: caFile)
            } catch {
                throw StartError(
                    "\(caOrigin): \(caFile) is no readable PEM file with certificates, so no broker could be trusted. Name the right file, or remove the setting to trust what the system trusts."
                )
            }
            return routes
        }

        /// What does not go together, as sentences.
        static func problems(_ values: SettingResolver) -> [String] {
            var problems: [String] = []
            func name(_ key: String) -> String { values.origins[key] ?? key }
            func check(_ key: String, _ allowed: String, isSecret: Bool = false, _ isRight: (String) -> Bool) {
                for (broker, value) in values.map(key).sorted(by: { $0.key < $1.key }) where !isRight(value) {
                    let shown = isSecret ? "the value" : "\"\(value)\""
                    problems.append("\(name(key)): \(shown) for \(broker) is wrong; allowed: \(allowed).")
                }
            }
            check("transport.broker_family", "any, ipv4 or ipv6") {
                ["any", "ipv4", "ipv6"].contains($0.lowercased())
            }
            check("transport.broker_source", SettingKind.address.allowed) {
                (try? SocketAddress(ipAddress: $0, port: 0)) != nil
            }
            check("transport.broker_proxy", "direct or \(SettingKind.proxy.allowed)", isSecret: true) {
                $0 == "direct" || (try? ProxyAddress($0)) != nil
            }
            func contradict(_ family: String?, _ source: String?) -> Bool {
                guard let family = family.flatMap({ AddressFamily(rawValue: $0.lowercased()) }), let source,
                    let address = try? SocketAddress(ipAddress: source, port: 0)
                else { return false }
                return (address.protocol == .inet6) != (family == .ipv6)
            }
            if contradict(values.text("transport.family"), values.text("transport.source")) {
                problems.append(
                    "\(name("transport.source")) is not of the family that \(name("transport.family")) allows.")
            }
            let families = values.map("transport.broker_family")
            for (broker, source) in values.map("transport.broker_source").sorted(by: { $0.key < $1.key })
            where contradict(families[broker] ?? values.text("transport.family"), source) {
                problems.append(
                    "\(name("transport.broker_source")): \(source) is not of the family that is set for \(broker).")
            }
            return problems
        }
    }
}

extension OutboundRoute {
    /// The source address, if it is of this family.
    fileprivate func source(within family: AddressFamily?) -> SocketAddress? {
        guard let source, let family else { return source }
        return (source.protocol == .inet6) == (family == .ipv6) ? source : nil
    }
}
