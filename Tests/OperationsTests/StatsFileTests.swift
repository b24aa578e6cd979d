import Foundation
import TestSupport
import Testing

@testable import Operations

@Suite struct StatsFileTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func whatOpenAlgoReads() throws {
        let path = folder.path + "/ws_proxy_stats.json"
        var figures = Figures()
        (figures.clients, figures.sessions, figures.streams) = (3, 2, 5)
        figures.brokers = ["simulator"]
        figures.counters = ["bus_ticks": 9]
        try StatsFile(path: path).write(figures, at: Date(timeIntervalSince1970: 1_700_000_000))
        #expect(
            FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
                == #"{"brokers":["simulator"],"clients_connected":3,"counters":{"bus_ticks":9},"timestamp":1700000000,"total_connections":2,"total_symbols":5}"#
        )
        #expect(StatsFile(path: path).hasFolder && !StatsFile(path: path + "/in/it").hasFolder)
        #expect(throws: (any Error).self) { try StatsFile(path: path + "/in/it").write(figures) }
    }

    @Test(
        "Losses are what was dropped or went wrong, when there is some",
        arguments: [
            ("bus_ring_drops", true), ("bus_bad_ticks", true), ("bus_stray_ticks", true), ("proxy_conflated", true),
            ("proxy_slow_closed", true), ("proxy_auth_failures", true), ("proxy_protocol_error_opcode", true),
            ("proxy_limited_user", true), ("proxy_refused_origins", true), ("bus_ticks", false),
            ("adapter_connects_zerodha", false), ("proxy_messages_out", false),
        ])
    func losses(name: String, isLoss: Bool) {
        var figures = Figures()
        figures.counters = [name: 4]
        #expect(figures.losses.map(\.name) == (isLoss ? [name] : []))
        figures.counters = [name: 0]
        #expect(figures.losses.isEmpty)
    }
}
