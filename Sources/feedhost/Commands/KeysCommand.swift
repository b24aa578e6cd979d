import Accounts
import ArgumentParser
import Foundation
import MarketData
import Secrets

/// `feedhost keys …`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "API keys, with which clients come in.",
        subcommands: [Issue.self, List.self, Allow.self, Revoke.self])
}

extension KeysCommand {
    struct Issue: StoreCommand {
        static let part = StorePart.keys
        static let configuration = CommandConfiguration(
            abstract: "Makes a key and prints it, alone, on standard output. It cannot be shown again.",
            discussion: "Without further options it allows everything that the user may see, for good.")
        @Argument(help: "The user.") var name: String
        @Option(help: "What to call the key, as in \"laptop\".") var label: String?
        @Option(help: ArgumentHelp("12h, 30d, 8w, a date (all of that day in India), or never.", valueName: "when"))
        var expires: String?
        @OptionGroup(title: "What the key allows") var permissions: PermissionOptions
        @OptionGroup var options: ConfigurationOptions

        func perform(in store: AccountStore) async throws -> StoreReply {
            var terms = KeyTerms()
            terms.expires = try expires.flatMap { try KeyExpiry.parse($0, now: Int64(Date().timeIntervalSince1970)) }
            try permissions.apply(to: &terms.permissions)
            let key = try await store.issueKey(user: name, name: label, terms: terms)
            return StoreReply(
                output: key.revealed,
                note: "This key of user \(name) is shown once: the store keeps only a digest of it." + permissions.note)
        }
    }

    struct List: StoreCommand {
        static let part = StorePart.keys
        static let configuration = CommandConfiguration(abstract: "Shows all keys by number and last four characters.")
        @Argument(help: "Only those of this user.") var name: String?
        @OptionGroup var options: ConfigurationOptions

        func perform(in store: AccountStore) async throws -> StoreReply {
            let keys = try await store.keys(user: name)
            if keys.isEmpty { return StoreReply(note: "There are no keys.") }
            let rows = keys.map { key in
                [
                    "\(key.id)", key.user, "…" + key.hint, key.name ?? "-", TextTable.time(key.created),
                    key.expires.map(TextTable.time) ?? "never", key.lastUsed.map(TextTable.time) ?? "never",
                    key.permissions?.summary ?? "nothing (not understood)", key.revoked.map(TextTable.time) ?? "-",
                ]
            }
            let header = ["ID", "USER", "ENDS", "LABEL", "CREATED", "EXPIRES", "LAST USED", "ALLOWS", "REVOKED"]
            return StoreReply(output: TextTable.lines(header, rows))
        }
    }

    struct Revoke: StoreCommand {
        static let part = StorePart.keys
        static let configuration = CommandConfiguration(
            abstract: "Revokes a key for good; clients that came in with it are ended.")
        @Argument(help: "The key's number, or the key itself.") var key: String?
        @Option(help: "All keys of this user instead.") var user: String?
        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard (key == nil) != (user == nil) else {
                throw ValidationError("Name one key by its number or in full, or all keys of a user with --user NAME.")
            }
        }

        /// A key that is all digits is still longer than any number.
        private var selection: KeySelection {
            if let user { return .user(user) }
            let key = key ?? ""
            if key.count < 19, let id = Int64(key) { return .id(id) }
            return .key(Secret(key))
        }

        func perform(in store: AccountStore) async throws -> StoreReply {
            let revoked = try await store.revokeKeys(selection)
            return StoreReply(note: revoked.map { "Revoked key \($0.id) of user \($0.user)." }.joined(separator: "\n"))
        }
    }
}
