import Accounts
import ArgumentParser
import Foundation
import MarketData
import Secrets
import Testing

@testable import feedhost

struct StoreCommandTests {
    let folder: SettingsFolder
    let store: AccountStore
    init() throws {
        folder = try SettingsFolder()
        store = try AccountStore(path: folder.path + "/store.db")
    }

    private func perform<Command: StoreCommand>(_ type: Command.Type, _ arguments: String...) async throws -> StoreReply
    {
        try await type.parse(arguments).perform(in: store)
    }

    @Test func theKeyIsAloneOnStandardOutput() async throws {
        _ = try await perform(UsersCommand.Add.self, "alice", "--broker", "simulator")
        let reply = try await perform(KeysCommand.Issue.self, "alice", "--label", "laptop")
        #expect(reply.output.count == 64 && reply.output.allSatisfy(\.isHexDigit))
        #expect(!reply.note.contains(reply.output))
        let list = try await perform(KeysCommand.List.self)
        #expect(list.output.contains("…" + reply.output.suffix(4)) && !list.output.contains(reply.output))
        #expect(list.output.contains("laptop"))
    }

    @Test func keysAreRevokedByNumberByTextAndByUser() async throws {
        _ = try await perform(UsersCommand.Add.self, "alice", "--broker", "simulator")
        for _ in 0..<2 { _ = try await perform(KeysCommand.Issue.self, "alice") }
        let third = try await perform(KeysCommand.Issue.self, "alice").output
        #expect(try await perform(KeysCommand.Revoke.self, "1").note == "Revoked key 1 of user alice.")
        #expect(try await perform(KeysCommand.Revoke.self, third).note == "Revoked key 3 of user alice.")
        #expect(try await perform(KeysCommand.Revoke.self, "--user", "alice").note == "Revoked key 2 of user alice.")
        #expect(throws: (any Error).self) { try KeysCommand.Revoke.parse([]) }
        #expect(throws: (any Error).self) { try KeysCommand.Revoke.parse(["1", "--user", "alice"]) }
    }

    @Test func termsOfKeys() async throws {
        _ = try await perform(UsersCommand.Add.self, "alice", "--broker", "simulator")
        _ = try await perform(
            KeysCommand.Issue.self, "alice", "--expires", "2099-12-31", "--symbols", "NIFTY*, SBIN", "--modes",
            "LTP,depth",
            "--no-orders", "--max-instruments", "5")
        let first = try #require(try await store.keys().first)
        #expect(first.expires == 4_102_425_000)
        #expect(
            first.permissions
                == Permissions(symbols: ["NIFTY*", "SBIN"], modes: [.ltp, .depth], orders: false, maxInstruments: 5))
        let note = try await perform(
            KeysCommand.Allow.self, "1", "--symbols", "all", "--max-instruments", "unlimited", "--orders"
        ).note
        #expect(note == "Key 1 of user alice allows modes ltp,depth, until 2099-12-31T18:30:00Z.")
        _ = try await perform(KeysCommand.Allow.self, "1", "--everything", "--exchanges", "NSE")
        #expect(try await store.keys().first?.permissions == Permissions(exchanges: ["NSE"]))
        #expect(try await store.keys().first?.expires == first.expires)
        #expect(throws: (any Error).self) { try KeysCommand.Allow.parse(["1"]) }
    }

    @Test(
        arguments: [
            ("never", nil), ("1h", 3600), ("30d", 2_592_000), ("2w", 1_209_600), ("36500d", 3_153_600_000),
            // Midnight in India is half past six in the evening, UTC.
            ("1970-01-01", 66_600),
            ("2024-02-29", 1_709_231_400),
        ] as [(String, Int64?)])
    func expiries(_ text: String, _ expected: Int64?) throws {
        #expect(try KeyExpiry.parse(text, now: 0) == expected)
    }

    @Test(arguments: [
        "", "d", "0d", "-1d", "1.5d", "5", "5m", "36501d", "9223372036854775807w", "١d", "2023-02-29", "2026-13-01",
        "2026-1-1", "2026-01-01T00:00", "tomorrow",
    ])
    func wrongExpiries(_ text: String) {
        #expect(throws: (any Error).self) { try KeyExpiry.parse(text, now: 0) }
    }

    @Test func usersAreListedMovedAndRemoved() async throws {
        #expect(try await perform(UsersCommand.List.self) == StoreReply(note: "There are no users."))
        _ = try await perform(UsersCommand.Add.self, "alice", "--broker", "simulator")
        _ = try await perform(UsersCommand.Move.self, "alice", "--broker", "binance")
        let lines = try await perform(UsersCommand.List.self).output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last?.split(separator: " ").prefix(3) == ["alice", "binance", "0"])
        _ = try await perform(UsersCommand.Remove.self, "alice")
        #expect(try await store.users().isEmpty)
    }

    @Test func credentialsAreNeverShown() async throws {
        _ = try await perform(UsersCommand.Add.self, "alice", "--broker", "zerodha")
        let set = try await perform(
            CredentialsCommand.Set.self, "alice", "--broker", "zerodha", "api_key=hunter2", "token=a=b", "pin=")
        let list = try await perform(CredentialsCommand.List.self, "alice")
        #expect(set.note == "Credentials of user alice at zerodha: api_key, token.")
        #expect(list.output.contains("api_key,token"))
        for text in [set.output, set.note, list.output, list.note] { #expect(!text.contains("hunter2")) }
        #expect(try await store.credentials(user: "alice", broker: "zerodha").values["token"] == Secret("a=b"))
        let removed = try await perform(CredentialsCommand.Remove.self, "alice", "--broker", "zerodha")
        #expect(removed.note == "Removed credentials of user alice at zerodha: api_key, token.")
    }

    @Test(arguments: ["hunter2", "=hunter2"]) func wrongPairsAreNotRepeated(_ argument: String) async throws {
        _ = try await perform(UsersCommand.Add.self, "alice", "--broker", "zerodha")
        do {
            _ = try await perform(CredentialsCommand.Set.self, "alice", "--broker", "zerodha", argument)
            Issue.record("nothing was thrown")
        } catch {
            #expect(!"\(error)".contains("hunter2"))
        }
    }

    @Test func credentialsAsJSON() throws {
        #expect(try CredentialInput.json(Data(#"{"api_key": "k"}"#.utf8)) == ["api_key": Secret("k")])
        for text in ["", "[]", "{}", #"{"a": 1}"#, "hunter2"] {
            #expect {
                try CredentialInput.json(Data(text.utf8))
            } throws: {
                !"\($0)".contains("hunter2")
            }
        }
        #expect(throws: (any Error).self) { try CredentialsCommand.Set.parse(["alice", "--broker", "x"]) }
        #expect(throws: (any Error).self) {
            try CredentialsCommand.Set.parse(["alice", "--broker", "x", "a=b", "--stdin"])
        }
    }

    @Test func onlyAddMakesAStore() {
        #expect(UsersCommand.Add.makesStore)
        #expect(!UsersCommand.List.makesStore && !KeysCommand.Issue.makesStore && !CredentialsCommand.Set.makesStore)
    }
}
