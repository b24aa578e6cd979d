import MarketData
import Testing

@testable import StreamProxy

@Suite struct ProxySamplesTests {
    @Test func namesOfTheStatsFileStay() {
        let counters = ProxyCounters()
        let names: Set = [
            "proxy_clients", "proxy_authenticated", "proxy_messages_in", "proxy_messages_out", "proxy_bytes_out",
            "proxy_conflated", "proxy_slow_notices", "proxy_slow_closed", "proxy_auth_failures", "proxy_bad_requests",
            "proxy_limited_address", "proxy_limited_unauthenticated", "proxy_limited_user",
            "proxy_limited_authentications", "proxy_limited_requests", "proxy_limited_subscriptions",
            "proxy_limited_instruments", "proxy_refused_origins", "proxy_tls_failures", "proxy_tls_certificate_loads",
            "proxy_accept_pauses", "proxy_deflate_windows", "proxy_deflate_windows_declined",
        ]
        #expect(Set(counters.samples().compactMap(\.figure)) == names)
        counters.count(.reservedBits)
        #expect(Set(counters.samples().compactMap(\.figure)) == names.union(["proxy_protocol_error_reservedBits"]))
    }

    @Test func eachIsThereOnceAndSaysWhatItIs() {
        let counters = ProxyCounters()
        counters.count(.opcode)
        counters.addressesLimited.add(2)
        counters.routes.add(7)
        let samples = counters.samples()
        func value(_ name: String, _ reason: String? = nil) -> Int? {
            samples.first { $0.name == name && $0.labels[.reason] == reason }?.count
        }
        #expect(value("feedhost_proxy_limited_total", "address") == 2)
        #expect(value("feedhost_proxy_protocol_errors_total", "opcode") == 1)
        #expect(value("feedhost_proxy_protocol_errors_total", "text") == 0)
        #expect(value("feedhost_proxy_streams") == 7)
        #expect(Set(samples.map { "\($0.name) \($0.labels)" }).count == samples.count)
        #expect(samples.allSatisfy { ($0.kind == .counter) == $0.name.hasSuffix("_total") && !$0.help.isEmpty })
    }
}
