import Foundation
import Logging
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

private let sampleFolder = ProcessInfo.processInfo.environment["FEEDHOST_OPENALGO_SAMPLE"]

/// Against a database that OpenAlgo's own code has written: `FEEDHOST_OPENALGO_SAMPLE` names a folder with `sample.db`, and
/// its users, keys and tokens are those that its `sample.md` lists. Left out when the variable is not set.
@Suite(.enabled(if: sampleFolder != nil))
struct SampleTests {
    let copy: TemporaryFolder
    init() throws {
        copy = try TemporaryFolder()
        let folder = try #require(sampleFolder)
        try FileManager.default.copyItem(atPath: folder + "/sample.db", toPath: copy.file("openalgo.db"))
    }

    private var installation: OpenAlgoInstallation {
        get throws {
            try OpenAlgoInstallation(
                databaseURL: Secret("sqlite:///openalgo.db"),
                pepper: Secret("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
                salt: Secret("f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f"),
                redirectURL: "http://127.0.0.1:5000/zerodha/callback", root: copy.path)
        }
    }

    private func accounts() async throws -> OpenAlgoAccounts {
        try await OpenAlgoAccounts(try installation, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static let keys = [
        "alice": "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "bob_k": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "carol": "9999aaaabbbbccccddddeeeeffff00009999aaaabbbbccccddddeeeeffff0000",
    ]

    @Test(arguments: [
        ("alice", "zerodha", "kitekey123:kite-access-token-ABC", "kite-feed-XYZ", "AB1234"),
        ("bob_k", "angel", "angel-jwt-token-DEF", "angel-feed-777", "B98765"),
    ])
    func good(user: String, broker: String, token: String, feed: String, client: String) async throws {
        let accounts = try await accounts()
        let account = try await accounts.authenticate(key: Secret(try #require(Self.keys[user])))
        #expect(account.user == user && account.broker == broker)
        let values = try await accounts.credentials(user: user, broker: broker).values.mapValues(\.revealed)
        #expect(values == ["access_token": token, "feed_token": feed, "user_id": client])
    }

    @Test func revoked() async throws {
        let accounts = try await accounts()
        let error = await #expect(throws: FeedError.self) {
            try await accounts.authenticate(key: Secret(try #require(Self.keys["carol"])))
        }
        #expect(error == FeedError(.broker, "No broker configuration found for user"))
    }

    @Test func anyOtherKey() async throws {
        let accounts = try await accounts()
        let error = await #expect(throws: FeedError.self) { try await accounts.authenticate(key: Secret("wrong")) }
        #expect(error == FeedError(.authentication, "Invalid API key"))
    }

    /// Their Argon2 hashes, with their figures.
    @Test func hashes() async throws {
        let database = OpenAlgoDatabase(path: try installation.database, label: "test")
        let snapshot = try await database.read { try OpenAlgoSnapshot($0) }
        #expect(snapshot.keys.count == 3)
        for row in snapshot.keys {
            let key = try #require(Self.keys[row.user])
            #expect(Argon2.verify(Secret(key + (try installation.pepper.revealed)), hash: row.hash))
            #expect(!Argon2.verify(Secret(key), hash: row.hash))
        }
    }

    @Test func legacySalt() throws {
        let token =
            "gAAAAABrBD6S_bmt1mvwUXfQKQSWPj2OA2Pf7-pF4-Lzku8-wbvI4oitVd8lSbuH-riZWvnjaCL9KppQ4x9Hl8TM-vAZxnTks-qBtnMHjErjOcUeKi_jXAs="
        let cipher = try TokenCipher(pepper: try installation.pepper, salt: try installation.salt)
        #expect(cipher.open(token) == Secret("legacy-salt-token"))
    }

    @Test func symbols() async throws {
        let instruments = OpenAlgoInstruments(try installation)
        _ = try await instruments.look()
        #expect(try await instruments.look()?.broker == "zerodha")
        let found = try await instruments.listings()
        let tokens = Dictionary(uniqueKeysWithValues: found.rows.map { ("\($0.instrument)", $0.brokerToken) })
        #expect(
            tokens == [
                "NSE:RELIANCE": "738561", "NSE:SBIN": "779521", "NSE:M&M": "519937", "NSE_INDEX:NIFTY": "256265",
                "BSE_INDEX:SENSEX": "265", "NFO:NIFTY29DEC2624000CE": "11536642", "MCX:CRUDEOIL18DEC26FUT": "122334466",
            ])
        let option = try #require(found.rows.first { $0.type == "CE" })
        #expect(option.lotSize == 65 && option.expiry == 20_261_229 && option.brokerSymbol == "NIFTY26DEC24000CE")
    }
}
