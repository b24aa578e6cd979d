import Accounts

/// What of the own store a command works on, and whether a host with these settings looks at it.
enum StorePart {
    case users
    case keys
    case credentials
    case instruments

    /// A sentence for people whose host takes its accounts from elsewhere; nil when this part of the store counts.
    func notice(_ settings: Settings) -> String? {
        if self == .instruments {
            guard settings.isOnOpenAlgo else { return nil }
            return
                "A host that starts here takes over OpenAlgo's instruments of its broker, in the place of those that are downloaded or imported for it."
        }
        if settings.isOnOpenAlgo {
            let database = (try? settings.openAlgo.installation().database) ?? "its database"
            return
                "This is Feedhost's own store, \(settings.store). A host that starts here takes users, keys and logins from OpenAlgo (\(database)) and does not look at it: make keys and log in there, or set accounts.provider to sqlite."
        }
        if settings.accountProvider == "jwt" {
            switch self {
            case .keys:
                return
                    "accounts.provider is jwt: clients come in with signed tokens, and no key of \(settings.store) lets anybody in."
            case .users where !settings.tokens.areUsersStored:
                return
                    "accounts.provider is jwt: users are those that tokens name, and the users of \(settings.store) are not looked at (jwt.users: stored changes that)."
            case .users, .credentials, .instruments: return nil
            }
        }
        if let plugin = settings.accountPlugin {
            switch self {
            case .users, .keys:
                return
                    "accounts.provider is plugin:\(plugin): users and keys are the plugin's, and those of \(settings.store) are not looked at."
            case .credentials:
                return
                    "accounts.provider is plugin:\(plugin): the credentials of \(settings.store) count only if the plugin brings none of its own."
            case .instruments: return nil
            }
        }
        return nil
    }
}
