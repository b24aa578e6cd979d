import Accounts
import ArgumentParser

/// `feedhost users …`
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Who may have a feed, and from which broker.",
        subcommands: [Add.self, List.self, Move.self, Remove.self])
}

extension UsersCommand {
    struct Add: StoreCommand {
        static let part = StorePart.users
        static let configuration = CommandConfiguration(abstract: "Adds a user; makes the store if there is none.")
        static let makesStore = true
        @Argument(help: "1 to 64 visible characters without spaces.") var name: String
        @Option(help: "As in \"zerodha\".") var broker: String
        @OptionGroup var options: BrokerOptions

        func check(_ settings: Settings) throws { try options.check(broker, settings) }

        func perform(in store: AccountStore) async throws -> StoreReply {
            try await store.addUser(name, broker: broker)
            return StoreReply(note: "Added user \(name) on \(broker). `feedhost keys issue \(name)` makes a key.")
        }
    }

    struct List: StoreCommand {
        static let part = StorePart.users
        static let configuration = CommandConfiguration(abstract: "Shows all users.")
        @OptionGroup var options: ConfigurationOptions

        func perform(in store: AccountStore) async throws -> StoreReply {
            let users = try await store.users()
            if users.isEmpty { return StoreReply(note: "There are no users.") }
            return StoreReply(
                output: TextTable.lines(
                    ["NAME", "BROKER", "KEYS", "CREDENTIALS AT", "CREATED"],
                    users.map {
                        [
                            $0.name, $0.broker ?? "-", "\($0.activeKeys)",
                            $0.credentialBrokers.isEmpty ? "-" : $0.credentialBrokers.joined(separator: ","),
                            TextTable.time($0.created),
                        ]
                    }))
        }
    }

    struct Move: StoreCommand {
        static let part = StorePart.users
        static let configuration = CommandConfiguration(
            abstract: "Puts a user on another broker; keys and credentials stay.")
        @Argument var name: String
        @Option(help: "The new broker.") var broker: String
        @OptionGroup var options: BrokerOptions

        func check(_ settings: Settings) throws { try options.check(broker, settings) }

        func perform(in store: AccountStore) async throws -> StoreReply {
            try await store.moveUser(name, to: broker)
            return StoreReply(note: "User \(name) is on \(broker) now.")
        }
    }

    struct Remove: StoreCommand {
        static let part = StorePart.users
        static let configuration = CommandConfiguration(
            abstract: "Removes a user with all keys and credentials; connected clients are ended.")
        @Argument var name: String
        @OptionGroup var options: ConfigurationOptions

        func perform(in store: AccountStore) async throws -> StoreReply {
            try await store.removeUser(name)
            return StoreReply(note: "Removed user \(name).")
        }
    }
}
