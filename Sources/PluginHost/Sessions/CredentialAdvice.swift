/// How users get new credentials; what messages tell them to do.
public enum CredentialAdvice: Sendable {
    /// They are set on the command line of this host.
    case command
    /// They come with a login in OpenAlgo.
    case openAlgo

    /// For credentials that have expired or were refused.
    func renewal(user: String, broker: String) -> String {
        switch self {
        case .command:
            "Log in to the broker again, or set new credentials with: feedhost credentials set \(user) --broker \(broker) …"
        case .openAlgo: "Log in to the broker again in OpenAlgo"
        }
    }

    /// For credentials that are not there.
    func supply(_ names: [String], user: String, broker: String) -> String {
        switch self {
        case .command:
            "set them with: feedhost credentials set \(user) --broker \(broker) \(names.map { "\($0)=…" }.joined(separator: " "))"
        case .openAlgo: "log in to the broker in OpenAlgo"
        }
    }
}
