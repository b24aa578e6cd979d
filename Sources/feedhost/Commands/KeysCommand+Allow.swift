import Accounts
import ArgumentParser
import Foundation
import MarketData

extension KeysCommand {
    struct Allow: StoreCommand {
        static let part = StorePart.keys
        static let configuration = CommandConfiguration(
            abstract: "Changes what a key allows, or until when it is good.",
            discussion:
                "Clients that are connected with the key come in anew. Options that are not given change nothing.")
        @Argument(help: "The key's number, as `feedhost keys list` shows it.") var id: Int64
        @Option(help: ArgumentHelp("12h, 30d, 8w, a date (all of that day in India), or never.", valueName: "when"))
        var expires: String?
        @Flag(help: "Lifts all restrictions first.") var everything = false
        @OptionGroup(title: "What the key allows") var permissions: PermissionOptions
        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard !permissions.isEmpty || everything || expires != nil else {
                throw ValidationError("Say what is to change: --expires, --everything, --symbols and so on.")
            }
        }

        func perform(in store: AccountStore) async throws -> StoreReply {
            let (options, everything) = (permissions, everything)
            let until = try expires.map { try KeyExpiry.parse($0, now: Int64(Date().timeIntervalSince1970)) }
            let key = try await store.changeKey(id) { terms in
                if let until { terms.expires = until }
                if everything { terms.permissions = .everything }
                try options.apply(to: &terms.permissions)
            }
            let end = key.expires.map { "until " + TextTable.time($0) } ?? "for good"
            return StoreReply(
                note: "Key \(key.id) of user \(key.user) allows \(key.permissions?.summary ?? "nothing"), \(end)."
                    + options.note)
        }
    }
}
