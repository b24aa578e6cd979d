/// How users get new credentials; what messages tell them to do.
public enum CredentialAdvice: Sendable, Hashable {
    /// They are set on the command line of this host.
    case command
    /// The same, for users who come with tokens or from a plugin: the store, which has the credentials, need not know them.
    case commandForGuests
    /// They come with a login in OpenAlgo.
    case openAlgo
    /// They come from the plugin with that id, as do users and keys.
    case plugin(String)

    /// For credentials that have expired or were refused.
    package func renewal(user: String, broker: String) -> String {
        switch self {
        case .command, .commandForGuests:
            "Log in to the broker again, or set new credentials with: feedhost credentials set \(user) --broker \(broker) …"
        case .openAlgo: "Log in to the broker again in OpenAlgo"
        case .plugin(let id): "Log in to the broker again where the plugin \(id) takes its credentials from"
        }
    }

    /// For credentials that are not there.
    package func supply(_ names: [String], user: String, broker: String) -> String {
        switch self {
        case .command: "set them with: \(command(names, user: user, broker: broker))"
        case .commandForGuests:
            "set them with: \(command(names, user: user, broker: broker)) (a user whom the store does not have is added with: feedhost users add \(user) --broker \(broker))"
        case .openAlgo: "log in to the broker in OpenAlgo"
        case .plugin(let id): "the plugin \(id), which credentials come from, does not give them"
        }
    }

    private func command(_ names: [String], user: String, broker: String) -> String {
        "feedhost credentials set \(user) --broker \(broker) \(names.map { "\($0)=…" }.joined(separator: " "))"
    }
}
