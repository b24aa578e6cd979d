import Crypto
import Foundation
import GRDB
import Logging
import MarketData
import Secrets
import Testing

@testable import Accounts

/// The file itself: what is done to it, and what happens when it is not as it should be.
struct OpenAlgoDatabaseTests {
    private func digest(_ path: String) throws -> SHA256.Digest {
        SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Neither the file nor its log changes, and OpenAlgo can write at any time.
    @Test func nothingIsWritten() async throws {
        let openAlgo = try Installation()
        try openAlgo.setKey("alice", "key")
        try openAlgo.login("alice", "zerodha", token: "token")
        let before = try [openAlgo.path, openAlgo.path + "-wal"].map(digest)
        let accounts = try await openAlgo.accounts()
        _ = try await accounts.authenticate(key: Secret("key"))
        let instruments = OpenAlgoInstruments(try openAlgo.settings())
        _ = try await instruments.look()
        #expect(try [openAlgo.path, openAlgo.path + "-wal"].map(digest) == before)
        // A reader that held a lock would make this fail at once.
        try openAlgo.login("alice", "zerodha", token: "other")
        try openAlgo.checkpoint()
        _ = try await accounts.authenticate(key: Secret("key"))
        let written = try digest(openAlgo.path)
        await accounts.stop()
        await instruments.close()
        #expect(try digest(openAlgo.path) == written)
    }

    /// As OpenAlgo leaves it when it ends: no `-wal`, no `-shm`. The last one to close must not check anything in.
    @Test func whileOpenAlgoIsDown() async throws {
        let openAlgo = try Installation()
        try openAlgo.setKey("alice", "key")
        try openAlgo.login("alice", "zerodha", token: "token")
        try openAlgo.writer.close()
        #expect(!FileManager.default.fileExists(atPath: openAlgo.path + "-wal"))
        let before = try digest(openAlgo.path)
        let accounts = try await openAlgo.accounts()
        #expect(try await accounts.authenticate(key: Secret("key")).user == "alice")
        await accounts.stop()
        #expect(try digest(openAlgo.path) == before)
    }

    /// After a crash the log is left, with today's token in it. It is read, and left to OpenAlgo: the last one to close a file
    /// otherwise puts the log into it.
    @Test func logThatACrashHasLeft() async throws {
        let openAlgo = try Installation()
        try openAlgo.setKey("alice", "key")
        try openAlgo.login("alice", "zerodha", token: "of today")
        let copy = try Installation(withTables: false)
        try copy.writer.close()
        for suffix in ["", "-wal"] {
            try? FileManager.default.removeItem(atPath: copy.path + suffix)
            try FileManager.default.copyItem(atPath: openAlgo.path + suffix, toPath: copy.path + suffix)
        }
        let before = try [copy.path, copy.path + "-wal"].map(digest)
        let accounts = try await copy.accounts()
        #expect(try await accounts.authenticate(key: Secret("key")).user == "alice")
        await accounts.stop()
        #expect(try [copy.path, copy.path + "-wal"].map(digest) == before)
    }

    /// Today's token is in the log alone.
    @Test func whatIsInTheLogCounts() async throws {
        let openAlgo = try Installation()
        try openAlgo.checkpoint()
        let before = try digest(openAlgo.path)
        try openAlgo.setKey("alice", "key")
        try openAlgo.login("alice", "zerodha", token: "of today")
        #expect(try digest(openAlgo.path) == before)
        let accounts = try await openAlgo.accounts()
        #expect(
            try await accounts.credentials(user: "alice", broker: "zerodha").values["access_token"]
                == Secret("of today"))
    }

    @Test func missingDatabase() async throws {
        let openAlgo = try Installation()
        try openAlgo.writer.close()
        try FileManager.default.removeItem(atPath: openAlgo.path)
        let error = await #expect(throws: OpenAlgoError.self) { try await openAlgo.accounts() }
        #expect(error?.code == .missing && error?.description.contains(openAlgo.path) == true)
        #expect(!FileManager.default.fileExists(atPath: openAlgo.path))
    }

    @Test func foreignDatabases() async throws {
        let empty = try Installation(withTables: false)
        #expect(await #expect(throws: OpenAlgoError.self) { try await empty.accounts() }?.code == .notOpenAlgo)
        try empty.writer.close()
        try Data("no database at all, whatever it is called; long enough for a header".utf8)
            .write(to: URL(fileURLWithPath: empty.path))
        #expect(await #expect(throws: OpenAlgoError.self) { try await empty.accounts() }?.code == .notOpenAlgo)
    }

    /// Goes on with what it knows, says so once, and is back when the file is; a restored backup is another file.
    @Test func goneAndReplaced() async throws {
        let openAlgo = try Installation()
        try openAlgo.setKey("alice", "key")
        try openAlgo.login("alice", "zerodha", token: "token")
        let accounts = try await openAlgo.accounts()
        try openAlgo.checkpoint()
        let aside = openAlgo.path + ".aside"
        try FileManager.default.moveItem(atPath: openAlgo.path, toPath: aside)
        #expect(try await accounts.authenticate(key: Secret("key")).user == "alice")
        #expect(await accounts.trouble?.contains("Start OpenAlgo once") == true)
        let other = try Installation()
        try other.setKey("bob", "key-of-bob")
        try other.login("bob", "angel", token: "token")
        try other.writer.close()
        try openAlgo.writer.close()
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: openAlgo.path + suffix) }
        try FileManager.default.copyItem(atPath: other.path, toPath: openAlgo.path)
        #expect(try await accounts.authenticate(key: Secret("key-of-bob")).user == "bob")
        #expect(await accounts.trouble == nil)
        await #expect(throws: FeedError.self) { try await accounts.authenticate(key: Secret("key")) }
    }

    /// Two seconds are allowed; the interval is half of one.
    @Test func changesAreSeenWhileItRuns() async throws {
        let openAlgo = try Installation()
        try openAlgo.setKey("alice", "key")
        try openAlgo.login("alice", "zerodha", token: "token")
        let accounts = try await openAlgo.accounts()
        let running = Task { await accounts.run(every: .milliseconds(5)) }
        try openAlgo.login("alice", "zerodha", token: "other")
        var changes = accounts.changes.makeAsyncIterator()
        #expect(await changes.next()?.kind == .credentialsChanged(user: "alice", broker: "zerodha"))
        running.cancel()
        await running.value
        #expect(await changes.next() == nil)
    }

    @Test func nothingSecretIsLogged() async throws {
        let openAlgo = try Installation()
        try openAlgo.setKey("alice", "CANARY-key")
        try openAlgo.login("alice", "zerodha", token: "CANARY-token", feed: "CANARY-feed")
        let lines = LogLines()
        let accounts = try await openAlgo.accounts(logger: lines.logger)
        _ = try await accounts.authenticate(key: Secret("CANARY-key"))
        _ = try? await accounts.authenticate(key: Secret("CANARY-wrong"))
        try openAlgo.execute("UPDATE auth SET auth = 'CANARY-unreadable'")
        await accounts.look()
        try openAlgo.execute("DROP TABLE auth")
        await accounts.look()
        var dumped = ""
        await dump(accounts.inventory(), to: &dumped)
        let text = lines.text + dumped + "\(try await accounts.credentials(user: "alice", broker: "zerodha"))"
        #expect(text.contains("alice") && text.contains("log in to the broker again"))
        for secret in ["CANARY", Installation.pepper, Installation.salt, "gAAAA"] { #expect(!text.contains(secret)) }
    }
}
