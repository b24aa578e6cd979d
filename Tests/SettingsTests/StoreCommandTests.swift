import Accounts
import ArgumentParser
import Foundation
import MarketData
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
