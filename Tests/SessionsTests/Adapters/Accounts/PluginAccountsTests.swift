import CFeedhostABI
import Glibc
import MarketData
import Synchronization
import TestSupport
import Testing

@testable import Adapters
@testable import Secrets

@Suite(.timeLimit(.minutes(2))) struct PluginAccountsTests {
    private let provider = ScriptedProvider()

    private func refusal(_ accounts: PluginAccounts, _ key: String = "key") async -> FeedError? {
        do {
            _ = try await accounts.authenticate(key: Secret("\(provider.name).\(key)"))
            return nil
        } catch { return error as? FeedError }
    }

    @Test func aKeyAndItsCredentials() async throws {
        provider.change {
            $0.authenticate = { key, sink in
                let lent = LentAccount()
                lent.table.user = lent.lend(key.prefix { $0 != "." } + ".anna")
                withUnsafePointer(to: lent.table) { sink($0) }
                return Int(FH_OK)
            }
            $0.credentials = { user, broker, sink in
                sink(9, [("access_token", Array("\(user) at \(broker)".utf8))])
                return Int(FH_OK)
            }
        }
        let accounts = try await provider.accounts()
        #expect(provider.settings.withLock { $0 } == ["name": provider.name, "depth": "7"])
        let account = try await accounts.authenticate(key: Secret("\(provider.name).alice"))
        #expect(account.user == "\(provider.name).anna" && account.permissions.orders == false)
        let credentials = try await accounts.credentials(user: account.user, broker: "zerodha")
        #expect(credentials.version == 9)
        #expect(credentials.values == ["access_token": Secret("\(account.user) at zerodha")])
        // FH_E_AUTH: there are none. That is no fault.
        #expect(try await accounts.credentials(user: "nobody", broker: "zerodha") == BrokerCredentials())
    }

    /// A provider that repeats whatever it is given: in its lines, in faults, and in why it does not start.
    @Test func whatItRepeatsIsTakenOut() async throws {
        let key = "\(provider.name).key-of-a-client"
        provider.change {
            $0.start = { provider in
                provider.say("the password is hunter-2-hunter")
                return Int(FH_OK)
            }
            $0.authenticate = { [provider] key, sink in
                provider.say("who is \(key)?")
                let lent = LentAccount()
                lent.table.broker = lent.lend(key)
                withUnsafePointer(to: lent.table) { sink($0) }
                return Int(FH_OK)
            }
            $0.credentials = { _, _, sink in
                sink(1, [("api_key", Array("key-at-the-broker".utf8))])
                return Int(FH_OK)
            }
        }
        let settings = ["password": Secret("hunter-2-hunter")]
        let accounts = try await provider.accounts(settings: settings)
        #expect(await refusal(accounts, "key-of-a-client")?.code == .server)
        _ = try await accounts.credentials(user: "\(provider.name).anna", broker: "zerodha")
        provider.say("later: \(key), hunter-2-hunter and key-at-the-broker")
        let lines = provider.lines.entries.joined(separator: "\n")
        #expect(lines.contains("the password is ‹secret›") && lines.contains("who is ‹secret›?"))
        #expect(lines.contains("later: ‹secret›, ‹secret› and ‹secret›"))
        for secret in ["hunter-2", "key-of-a-client", "key-at-the-broker"] { #expect(!lines.contains(secret)) }

        provider.change {
            $0.start = { provider in
                provider.say("no server for hunter-2-hunter")
                return Int(FH_E_NETWORK)
            }
        }
        let error = await #expect(throws: FeedError.self) { try await provider.accounts(settings: settings) }
        #expect(error?.message.contains("no server for ‹secret›") == true)
    }

    @Test func aUserIsNotCalledByTheKey() async throws {
        provider.change {
            $0.authenticate = { key, sink in
                let lent = LentAccount()
                lent.table.user = lent.lend("user-\(key)")
                withUnsafePointer(to: lent.table) { sink($0) }
                return Int(FH_OK)
            }
        }
        let accounts = try await provider.accounts()
        #expect(await refusal(accounts, "key-of-a-client")?.code == .server)
        #expect(provider.lines.entries.contains { $0.contains("whose name is the key") })
        #expect(!provider.lines.entries.contains { $0.contains("key-of-a-client") })
    }

    @Test func withoutCredentialsThoseOfTheStore() async throws {
        #expect(try await provider.accounts().advice == .plugin("in.example.auth"))
        let vault = Vault()
        vault.set(version: 4, ["api_key": "stored"])
        let accounts = try await provider.accounts(table: ProviderTable.shared.keysAlone, fallback: vault)
        #expect(accounts.advice == .commandForGuests)
        #expect(try await accounts.credentials(user: "anna", broker: "zerodha").values["api_key"] == Secret("stored"))
    }

    @Test func statuses() async throws {
        let accounts = try await provider.accounts()
        for (status, code) in [
            (FH_E_AUTH, FeedError.Code.authentication), (FH_E_STATE, .broker), (FH_E_NETWORK, .server),
            (FH_E_LIMIT, .server), (-77, .server), (5, .server),
        ] {
            provider.change { $0.authenticate = { _, _ in Int(status) } }
            #expect(await refusal(accounts)?.code == code, "\(status)")
        }
    }

    @Test func answersThatAreNotUsed() async throws {
        let accounts = try await provider.accounts()
        let answers: [@Sendable (ScriptedProvider.AccountSink) -> Void] = [
            { _ in }, { $0(nil) },
            { sink in
                let lent = LentAccount()
                withUnsafePointer(to: lent.table) {
                    sink($0)
                    sink($0)
                }
            },
            { sink in
                let lent = LentAccount()
                lent.table.user = lent.lend([0xFF])
                withUnsafePointer(to: lent.table) { sink($0) }
            },
        ]
        for answer in answers {
            provider.change {
                $0.authenticate = { _, sink in
                    answer(sink)
                    return Int(FH_OK)
                }
            }
            let refusal = await refusal(accounts, "canary")
            #expect(refusal == FeedError(.server, "Accounts cannot be looked up at the moment, try again"))
        }
        #expect(provider.lines.count { $0.contains("is not used") } == answers.count)
        #expect(provider.lines.count { $0.contains("canary") } == 0)
    }

    @Test func keysThatNoProviderIsAskedAbout() async throws {
        let asked = Journal<String>()
        provider.change {
            $0.authenticate = { key, _ in
                asked.add(key)
                return Int(FH_E_AUTH)
            }
        }
        let accounts = try await provider.accounts()
        #expect(await refusal(accounts, String(repeating: "x", count: 8193))?.code == .authentication)
        await #expect(throws: FeedError.self) { try await accounts.authenticate(key: Secret("")) }
        #expect(asked.entries.isEmpty)
    }

    @Test func aKeyThatHasExpired() async throws {
        let now: UInt64 = 1_800_000_000_000_000_000
        provider.change {
            $0.authenticate = { key, sink in
                let lent = LentAccount()
                lent.table.expires_at = key.hasSuffix("late") ? now : now + 1_000_000
                withUnsafePointer(to: lent.table) { sink($0) }
                return Int(FH_OK)
            }
        }
        let accounts = try await provider.accounts()
        #expect(await refusal(accounts, "late")?.message == "The API key has expired")
        #expect(await refusal(accounts, "good") == nil)
    }

    /// One call that hangs holds up nobody else; when all threads hang, the next is answered at once.
    @Test func callsThatHang() async throws {
        let (gate, entered) = (Gate(), Journal<String>())
        provider.change {
            $0.authenticate = { key, sink in
                guard key.hasSuffix("hang") else { return Int(FH_E_AUTH) }
                entered.add(key)
                while !gate.isOpen { usleep(1_000) }
                let lent = LentAccount()
                withUnsafePointer(to: lent.table) { sink($0) }
                return Int(FH_OK)
            }
        }
        let accounts = try await provider.accounts(deadline: .milliseconds(50))
        #expect(await refusal(accounts, "hang")?.code == .server)
        #expect(await refusal(accounts, "other")?.code == .authentication)
        #expect(await refusal(accounts, "hang")?.code == .server)
        // Both threads hang: this one is never passed to the provider.
        #expect(await refusal(accounts, "3.hang")?.code == .server)
        #expect(entered.entries.count == 2)
        gate.open()
        try await eventually("a thread") { await refusal(accounts, "other")?.code == .authentication }
        #expect(provider.lines.count { $0.contains("has not come back in time") } >= 3)
    }

    @Test func changes() async throws {
        let accounts = try await provider.accounts()
        var told = accounts.changes.makeAsyncIterator()
        for (kind, status) in [
            (FH_CHANGE_KEY_REVOKED, AccountChange.Kind.keyRevoked(keyID: 7)), (FH_CHANGE_KEY, .keyChanged(keyID: 7)),
            (FH_CHANGE_USER, .userChanged(user: "alice")),
            (FH_CHANGE_CREDENTIALS, .credentialsChanged(user: "alice", broker: "zerodha")),
            (FH_CHANGE_CREDENTIALS_REVOKED, .credentialsRevoked(user: "alice", broker: "zerodha")),
        ] {
            #expect(provider.tell(kind, key: 7, user: "alice", broker: "zerodha") == FH_OK)
            #expect(await told.next()?.kind == status)
        }
        for (kind, key, user, broker) in [
            (0, UInt64(7), "alice", "zerodha"), (99, 7, "alice", "zerodha"), (FH_CHANGE_KEY, 0, "alice", "zerodha"),
            (FH_CHANGE_KEY, 1 << 63, "", ""), (FH_CHANGE_USER, 7, "", ""), (FH_CHANGE_CREDENTIALS, 7, "alice", "No"),
        ] { #expect(provider.tell(kind, key: key, user: user, broker: broker) == FH_E_INVALID) }
        #expect(provider.tell(FH_CHANGE_KEY, key: 7, size: 8) == FH_E_INVALID)
        await accounts.stop()
        #expect(provider.tell(FH_CHANGE_KEY, key: 7) == FH_E_STOPPING)
        #expect(await told.next() == nil)
    }

    /// A flood is stopped, not kept: no change is lost in silence.
    @Test func tooManyChanges() async throws {
        let accounts = try await provider.accounts()
        for _ in 0..<AuthContext.mostWaiting { #expect(provider.tell(FH_CHANGE_KEY, key: 7) == FH_OK) }
        #expect(provider.tell(FH_CHANGE_KEY, key: 7) == FH_E_LIMIT)
        var told = accounts.changes.makeAsyncIterator()
        _ = await told.next()
        #expect(provider.tell(FH_CHANGE_KEY, key: 8) == FH_OK)
    }

    @Test func tablesThatAreNone() async throws {
        for (table, sentence) in [
            (ProviderTable.shared.stranger, "provides no accounts"), (ProviderTable.shared.short, "too short"),
            (ProviderTable.shared.mute, "lacks start() or authenticate()"),
        ] {
            let error = await #expect(throws: FeedError.self) { try await provider.accounts(table: table) }
            #expect(error?.message.contains(sentence) == true && error?.message.contains("/auth.so") == true)
        }
    }

    @Test func aProviderThatDoesNotStart() async throws {
        provider.change {
            $0.start = { provider in
                provider.say("the directory server is not there")
                return Int(FH_E_NETWORK)
            }
        }
        let error = await #expect(throws: FeedError.self) { try await provider.accounts() }
        #expect(error?.message.contains("the directory server is not there") == true)
        let gate = Gate()
        provider.change {
            $0.start = { _ in
                while !gate.isOpen { usleep(1_000) }
                return Int(FH_OK)
            }
        }
        let late = await #expect(throws: FeedError.self) { try await provider.accounts(deadline: .milliseconds(20)) }
        #expect(late?.message.contains("did not come back from start()") == true)
        gate.open()
    }
}
