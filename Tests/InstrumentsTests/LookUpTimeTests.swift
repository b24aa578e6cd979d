import Foundation
import Logging
import MarketData
import TestSupport
import Testing

@testable import Instruments

/// How long a look-up takes at the size of a real market. The figure of a release build:
/// `swift test -c release -Xswiftc -enable-testing --filter LookUpTimeTests`.
@Suite struct LookUpTimeTests {
    /// What a look-up may take; a build without optimisation on a machine that does other things gets ten times as much.
    private static let limit: Duration = {
        #if DEBUG
        .microseconds(50)
        #else
        .microseconds(5)
        #endif
    }()

    @Test func aLookUpTakesLessThanFiveMicroseconds() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("instruments.sqlite")
        let count = 200_000
        try MasterStore(path: path).replace(broker: "angel", source: "test") { add in
            for index in 0..<count { try add(Rows.synthetic(index)) }
            return LeftOutRows()
        }
        let catalog = InstrumentCatalog(path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await catalog.load()
        // Spread over the whole market, so that no cache holds them all: 7,919 is prime.
        let rows = (0..<20_000).map { Rows.synthetic($0 * 7_919 % count) }
        measure("symbol to listing", rows) { catalog.listing(of: $0.instrument, broker: "angel") == $0 }
        measure("token to instrument", rows) {
            catalog.instrument(broker: "angel", brokerExchange: $0.brokerExchange, brokerToken: $0.brokerToken)
                == $0.instrument
        }
        measure("the broker's symbol to instrument", rows) {
            catalog.instrument(broker: "angel", brokerExchange: $0.brokerExchange, brokerSymbol: $0.brokerSymbol)
                == $0.instrument
        }
        measure("a symbol that is not there", rows) {
            catalog.listing(of: Instrument(exchange: "BFO", symbol: $0.instrument.symbol), broker: "angel") == nil
        }
    }

    /// The median of rounds of 500: one that the machine has interrupted does not count.
    private func measure(_ name: String, _ rows: [Listing], _ isRight: (Listing) -> Bool) {
        let clock = ContinuousClock()
        var times: [Duration] = []
        var wrong = 0
        for start in stride(from: 0, to: rows.count, by: 500) {
            let round = rows[start..<start + 500]
            let time = clock.measure { for row in round where !isRight(row) { wrong += 1 } }
            times.append(time / 500)
        }
        let median = times.sorted()[times.count / 2]
        print("look-up, \(name): \(median.components.attoseconds / 1_000_000_000) ns")
        #expect(wrong == 0, "\(name)")
        #expect(median < Self.limit, "\(name)")
    }
}
