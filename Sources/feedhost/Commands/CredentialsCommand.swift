import Accounts
import ArgumentParser
import Foundation
import MarketData
import Secrets

/// `feedhost credentials …`
struct CredentialsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials", abstract: "What a user needs to be let in by a broker.",
        subcommands: [Set.self, List.self, Remove.self, RotateKey.self])
}

extension CredentialsCommand {
    struct Set: StoreCommand {
        static let part = StorePart.credentials
        static let configuration = CommandConfiguration(
            abstract: "Sets credentials; those not named stay, an empty value removes one.",
            discussion:
                "Other users of this machine can read arguments while the command runs; --stdin keeps them out of sight."
        )
        @Argument(help: "The user.") var name: String
        @Option(help: "The broker that they are for.") var broker: String
        @Argument(help: ArgumentHelp("As in api_key=…", valueName: "key=value")) var values: [String] = []
        @Flag(help: "Reads a JSON object of texts from standard input.") var stdin = false
        @OptionGroup var options: BrokerOptions

        func validate() throws {
            guard stdin != !values.isEmpty else {
                throw ValidationError("Give KEY=VALUE pairs, or --stdin and a JSON object on standard input.")
            }
        }

        func perform(in store: AccountStore) async throws -> StoreReply { try await put(try pairs(), in: store) }

        func perform(in store: AccountStore, _ settings: Settings) async throws -> StoreReply {
            let pairs = try pairs()
            // Of an unknown user the store says so, which is the more helpful error.
            if try await store.hasUser(name) {
                let given = pairs.filter { !$0.value.revealed.isEmpty }.keys
                try options.check(broker, credentials: given, settings)
            }
            return try await put(pairs, in: store)
        }

        private func pairs() throws -> [String: Secret] {
            stdin ? try Self.fromStandardInput() : try CredentialInput.pairs(values)
        }

        private func put(_ pairs: [String: Secret], in store: AccountStore) async throws -> StoreReply {
            let names = try await store.setCredentials(user: name, broker: broker, pairs)
            let held = names.isEmpty ? "none" : names.joined(separator: ", ")
            return StoreReply(note: "Credentials of user \(name) at \(broker): \(held).")
        }

        /// The values themselves live on as texts, until this short command ends.
        private static func fromStandardInput() throws -> [String: Secret] {
            var bytes = try FileHandle.standardInput.readToEnd() ?? Data()
            defer { Wipe.zero(&bytes) }
            return try CredentialInput.json(bytes)
        }
    }

    struct List: StoreCommand {
        static let part = StorePart.credentials
        static let configuration = CommandConfiguration(
            abstract: "Shows which credentials are set, never their values.")
        @Argument(help: "Only those of this user.") var name: String?
        @OptionGroup var options: ConfigurationOptions

        func perform(in store: AccountStore) async throws -> StoreReply {
            let records = try await store.credentialRecords(user: name)
            if records.isEmpty { return StoreReply(note: "There are no credentials.") }
            return StoreReply(
                output: TextTable.lines(
                    ["USER", "BROKER", "NAMES", "CHANGED"],
                    records.map { [$0.user, $0.broker, $0.names.joined(separator: ","), TextTable.time($0.updated)] }))
        }
    }

    struct Remove: StoreCommand {
        static let part = StorePart.credentials
        static let configuration = CommandConfiguration(abstract: "Removes all credentials of a user at a broker.")
        @Argument(help: "The user.") var name: String
        @Option(help: "The broker that they are for.") var broker: String
        @OptionGroup var options: ConfigurationOptions

        func perform(in store: AccountStore) async throws -> StoreReply {
            let names = try await store.removeCredentials(user: name, broker: broker)
            if names.isEmpty { return StoreReply(note: "User \(name) has no credentials at \(broker).") }
            return StoreReply(
                note: "Removed credentials of user \(name) at \(broker): \(names.joined(separator: ", ")).")
        }
    }
}
