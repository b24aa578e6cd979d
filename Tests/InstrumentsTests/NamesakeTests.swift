import MarketData
import TestSupport
import Testing

@testable import Instruments

/// Instruments that are called alike: who gets the name does not depend on the file's order, and nobody is lost.
struct NamesakeTests {
    private let folder: TemporaryFolder
    private let store: MasterStore

    init() throws {
        folder = try TemporaryFolder()
        store = try MasterStore(path: folder.file("instruments.sqlite"))
    }

    private static func share(_ symbol: String, _ theirs: String, _ token: String) -> Listing {
        Rows.listing("NSE", symbol, token: token, brokerSymbol: theirs)
    }

    private func stored(_ rows: [Listing]) throws -> MasterRecord {
        try store.replace(broker: "angel", source: "s", insist: true) { add in
            for row in rows { try add(row) }
            return LeftOutRows()
        }
    }

    private func tokens() async throws -> [String: String] {
        let hits = try await store.search(MasterSearch("", limit: 100))
        return Dictionary(uniqueKeysWithValues: hits.map { ($0.listing.instrument.symbol, $0.listing.brokerToken) })
    }

    /// Every order of the rows gives the same names.
    @Test(arguments: [
        (["X-BE", "X-EQ"], ["X": "X-EQ", "X-BE": "X-BE"]),
        (["X-BE", "X"], ["X": "X", "X-BE": "X-BE"]),
        (["X", "X-EQ"], ["X": "X-EQ"]),
        (["X-SM", "X-BZ", "X-BE"], ["X": "X-BE", "X-BZ": "X-BZ", "X-SM": "X-SM"]),
        (["X-MF", "X-SG", "X-ST"], ["X": "X-ST", "X-MF": "X-MF", "X-SG": "X-SG"]),
        (["X24FUTB", "X24FUTA"], ["X": "X24FUTA", "X24FUTB": "X24FUTB"]),
        ([String(repeating: "L", count: 97), "X-EQ"], ["X": "X-EQ"]),
    ])
    func thePreferredOneGetsTheName(theirs: [String], expected: [String: String]) async throws {
        let rows = theirs.map { Self.share("X", $0, "token of \($0)") }
        for order in [rows, rows.reversed(), rows.sorted { $0.brokerSymbol < $1.brokerSymbol }] {
            let record = try stored(order)
            #expect(try await tokens() == expected.mapValues { "token of \($0)" })
            #expect(record.rows == expected.count && record.namesakes == expected.count - 1)
            // One that has no name of its own is left out, and says so.
            #expect(record.leftOut == theirs.count - expected.count)
            #expect(record.reasons.allSatisfy { $0.kind == .nameTaken && $0.examples.count == 1 })
            #expect(try await store.records() == [record])
        }
    }

    @Test func theLoserIsListedWithTheWinner() async throws {
        _ = try stored([Self.share("ELECTCAST", "ELECTCAST-BE", "10"), Self.share("ELECTCAST", "ELECTCAST-EQ", "9")])
        let loser = try #require(try await store.namesakes(broker: "angel").first)
        #expect(loser.instrument.description == "NSE:ELECTCAST-BE" && loser.brokerToken == "10")
        #expect((loser.wanted, loser.winner, loser.winnerToken) == ("ELECTCAST", "ELECTCAST-EQ", "9"))
        #expect(try await store.namesakes(broker: "zerodha").isEmpty)
        // A BE share alone has the plain name, and nothing is remembered of the master before.
        _ = try stored([Self.share("ELECTCAST", "ELECTCAST-BE", "10")])
        #expect(try await tokens() == ["ELECTCAST": "10"])
        #expect(try await store.namesakes().isEmpty)
    }

    @Test func aNameOfOnesOwnTakesNobodyElses() async throws {
        let rows = [Self.share("X", "X-EQ", "1"), Self.share("X", "X-BE", "2"), Self.share("X-BE", "other", "3")]
        for order in [rows, rows.reversed()] {
            let record = try stored(order)
            #expect(try await tokens() == ["X": "1", "X-BE": "3"])
            #expect(record.reasons.map(\.kind) == [.nameTaken] && record.leftOut == 1)
            #expect(record.reasons.first?.examples.first?.text.contains("token 2 (X-BE)") == true)
        }
    }

    @Test func theSameTokenAgainIsNoNamesake() async throws {
        let record = try stored([
            Self.share("X", "X-EQ", "1"), Self.share("X", "X-EQ", "1"), Self.share("X", "X-BE", "2"),
            Self.share("X", "X-BE", "2"),
        ])
        #expect(record.rows == 2 && record.namesakes == 1)
        #expect(record.reasons.map(\.kind) == [.again] && record.leftOut == 2)
    }

    @Test func theFirstTokenWinsAmongEquals() async throws {
        for tokens in [["9", "10", "11"], ["11", "10", "9"]] {
            let record = try stored(tokens.map { Self.share("X", "X-EQ", $0) })
            #expect(try await self.tokens() == ["X": "10"], "byte by byte")
            #expect(record.leftOut == 2)
        }
    }
}
