import CFeedhostABI
import MarketData
import Testing

@testable import Adapters
@testable import Secrets

/// What a provider says, sound and spoilt.
struct AuthAnswerTests {
    private func fault(_ spoil: (LentAccount) -> Void) -> String? {
        let lent = LentAccount()
        spoil(lent)
        do throws(AuthFault) { _ = try lent.read() } catch { return error.description }
        return nil
    }

    @Test func aWholeAccount() throws {
        let lent = LentAccount()
        (lent.table.brokers, lent.table.broker_count) = lent.list(["angel", "simulator"])
        (lent.table.exchanges, lent.table.exchange_count) = lent.list(["NSE", "NFO"])
        (lent.table.symbols, lent.table.symbol_count) = lent.list(["NIFTY*"])
        lent.table.allows = UInt32(FH_ALLOWS_ORDERS)
        lent.table.modes = 3
        lent.table.max_instruments = 50
        lent.table.expires_at = 1_800_000_000_123_456_789
        let account = try lent.read()
        #expect(account.user == "alice" && account.broker == "zerodha" && account.keyID == 7)
        #expect(account.brokers == ["zerodha", "angel", "simulator"])
        #expect(account.expires == 1_800_000_000_123)
        #expect(
            account.permissions
                == Permissions(
                    exchanges: ["NSE", "NFO"], symbols: ["NIFTY*"], modes: [.ltp, .quote], orders: true,
                    maxInstruments: 50))
    }

    /// A table of zeros with a name in it is an account that may do nothing.
    @Test func whatIsNotSaidIsNotAllowed() throws {
        let lent = LentAccount()
        lent.table.allows = 0
        lent.table.modes = 0
        lent.table.expires_at = 0
        let account = try lent.read()
        #expect(account.expires == 0)
        #expect(
            account.permissions
                == Permissions(exchanges: [], symbols: [], modes: [], orders: false, maxInstruments: nil))
    }

    @Test func spoiltAccounts() {
        #expect(fault { _ in } == nil)
        #expect(fault { $0.table.size = 8 } == "its account has 8 bytes; at least 104 are wanted")
        for name in ["", "a b", "a\u{0}b", "a\nb", String(repeating: "x", count: 65), "\u{202E}x"] {
            #expect(
                fault { $0.table.user = $0.lend(name) }?.contains("has no user") == true, "\(name.debugDescription)")
        }
        #expect(fault { $0.table.user = $0.lend([0x61, 0xFF]) }?.contains("has no user") == true)
        #expect(fault { $0.table.user = fh_str(ptr: nil, len: 5) }?.contains("has no user") == true)
        // A wild length is never followed.
        #expect(fault { $0.table.user.len = .max }?.contains("has no user") == true)
        for name in ["", "Zerodha", "a-b", String(repeating: "x", count: 65)] {
            #expect(fault { $0.table.broker = $0.lend(name) }?.contains("has no broker") == true)
        }
        #expect(fault { $0.table.key_id = 1 << 63 }?.contains("key_id") == true)
        #expect(fault { $0.table.modes = 8 }?.contains("modes 8") == true)
        #expect(fault { $0.table.broker_count = 1 }?.contains("brokers claims 1") == true)
        #expect(
            fault {
                ($0.table.brokers, _) = $0.list(["a"]); $0.table.broker_count = .max
            }?.contains("at most 1000") == true)
        #expect(fault { ($0.table.brokers, $0.table.broker_count) = $0.list(["a", "B"]) }?.contains("brokers") == true)
        for name in ["nse", "", "N SE"] {
            let said = fault {
                $0.table.allows = 0
                ($0.table.exchanges, $0.table.exchange_count) = $0.list([name])
            }
            #expect(said == "its account's list of exchanges holds one that is none")
        }
        #expect(throws: AuthFault.self) { _ = try Account(nil) }
    }

    @Test func credentials() throws {
        func read(_ values: [(String, [UInt8])], count: Int? = nil) -> Result<BrokerCredentials, AuthFault> {
            let texts = values.map { (StableText($0.0), RawText($0.1)) }
            let fields = texts.map { fh_field(name: $0.0.str, value: $0.1.str) }
            return withExtendedLifetime(texts) {
                Result { () throws(AuthFault) in
                    try BrokerCredentials(version: 3, fields, UInt32(count ?? fields.count))
                }
            }
        }
        let good = try read([("api_key", Array("k".utf8)), ("access_token", [])]).get()
        #expect(good.version == 3 && good.values == ["api_key": Secret("k"), "access_token": Secret("")])
        for bad in [
            [("Api Key", [UInt8(1)])], [("", [])], [("a", [0xC0, 0x80])], [("a", [0x61, 0x0A])],
            [("a", []), ("a", [])],
            [("a", [UInt8](repeating: 0x61, count: 65_537))],
        ] { #expect(throws: AuthFault.self) { try read(bad).get() } }
        #expect(throws: AuthFault.self) { try read([], count: 129).get() }
        #expect(throws: AuthFault.self) { _ = try BrokerCredentials(version: 1, nil, 1) }
        // A fault says nothing of a value.
        do { _ = try read([("a", Array("canary\n".utf8))]).get() } catch { #expect(!"\(error)".contains("canary")) }
    }
}
