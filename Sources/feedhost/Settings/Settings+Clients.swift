import Foundation
import StreamProxy

extension Settings {
    /// Who may connect, where, and how much of everything a client may have.
    struct Clients: Sendable {
        let coalesces: Bool
        let listeners: [ListenerAddress]
        let tls: TLSFiles?
        let origins: [OriginRule]
        let trustedProxies: [AddressRange]
        let eventLoops: Int
        let limits: ProxyLimits

        init(_ values: SettingResolver) {
            coalesces = values.bool("proxy.coalesce")
            // What cannot be read was told as a problem and has ended the start.
            listeners = values.list("proxy.listen").compactMap { try? ListenerAddress($0) }
            let files = (values.text("tls.certificate"), values.text("tls.key"))
            tls =
                if case (let certificate?, let key?) = files { TLSFiles(certificate: certificate, key: key) } else {
                    nil
                }
            origins = values.list("proxy.origins").compactMap { OriginRule($0) }
            trustedProxies = values.list("proxy.trusted_proxies").compactMap { AddressRange($0) }
            let loops = values.int("proxy.event_loops")
            eventLoops = loops > 0 ? loops : min(max(ProcessInfo.processInfo.activeProcessorCount - 1, 1), 64)
            limits = Self.limits(values)
        }

        private static func limits(_ values: SettingResolver) -> ProxyLimits {
            func limit(_ name: String) -> Int? {
                let number = values.int("limits.\(name)")
                return number > 0 ? number : nil
            }
            var limits = ProxyLimits()
            limits.connectionsPerAddress = limit("connections_per_address")
            limits.connectionsPerUser = limit("connections_per_user")
            limits.unauthenticated = limit("unauthenticated")
            limits.unauthenticatedPerAddress = limit("unauthenticated_per_address")
            limits.failedAuthentications = limit("failed_authentications")
            limits.requests = limit("requests")
            limits.subscriptions = limit("subscriptions")
            limits.instruments = limit("instruments")
            limits.countsLocalSockets =
                values.origins["limits.connections_per_address"] != nil
                || values.origins["limits.unauthenticated_per_address"] != nil
            return limits
        }

        /// What does not go together, as sentences.
        static func problems(_ values: SettingResolver) -> [String] {
            var problems: [String] = []
            let files = ["tls.certificate", "tls.key"].filter { values.text($0) != nil }
            if files.count == 1 {
                let missing = files[0] == "tls.key" ? "tls.certificate" : "tls.key"
                problems.append(
                    "\(values.origins[files[0]] ?? files[0]) is set, but \(missing) is not; TLS needs both.")
            }
            if files.isEmpty, values.list("proxy.listen").contains(where: { $0.hasPrefix("wss://") }) {
                problems.append(
                    "\(values.origins["proxy.listen"] ?? "proxy.listen"): wss:// needs tls.certificate and tls.key.")
            }
            return problems
        }
    }
}
