import MarketData
import Secrets
import Synchronization

/// Accounts and sessions in memory.
final class DirectoryDouble: Authenticator, SessionDirectory {
    let brokers = ["zerodha", "angel", "dhan"]
    /// Holds authentications back until it opens.
    let gate = Gate(isOpen: true)
    /// Holds the answers back, when they are known.
    let lateGate = Gate(isOpen: true)

    private struct State {
        var accounts: [String: Account] = [
            "key-alice": Account(user: "alice", broker: "zerodha", keyID: 1),
            "key-alice-2": Account(user: "alice", broker: "zerodha", keyID: 3),
            "key-bob": Account(user: "bob_k", broker: "angel", keyID: 2),
            "key-ghost": Account(user: "ghost", broker: "absent", keyID: 4),
        ]
        var sessions: [SessionDouble] = []
        /// What is said of keys instead of letting their users in.
        var refusals: [String: FeedError] = [:]
        var owners: [String: KeyOwner] = [:]
        /// Brokers whose sessions cannot be had.
        var broken: Set<String> = []
        var attachments = 0
        var asked = 0
    }

    private let state = Mutex(State())
    private let instruments = InstrumentHandles()

    /// Attachments not yet given back.
    var attachments: Int { state.withLock { $0.attachments } }

    /// How many keys were looked at.
    var asked: Int { state.withLock { $0.asked } }

    /// - Parameter broker: Nil for the first that the user was given.
    func session(of user: String, at broker: String? = nil) -> SessionDouble? {
        state.withLock { $0.sessions.first { $0.user == user && (broker == nil || $0.broker == broker) } }
    }

    /// Lets somebody in from now on.
    func add(_ key: String, _ account: Account) { state.withLock { $0.accounts[key] = account } }

    /// Lets nobody in with that key any more.
    func forget(_ key: String) { state.withLock { $0.accounts[key] = nil } }

    /// Lets nobody in with that key, and says why, until it is called with nil.
    /// - Parameter owner: Whose key it is, where the provider can tell.
    func refuse(_ key: String, _ error: FeedError?, owner: KeyOwner? = nil) {
        state.withLock { state in
            state.refusals[key] = error
            state.owners[key] = owner
        }
    }

    func owner(of key: Secret) async -> KeyOwner? { state.withLock { $0.owners[key.revealed] } }

    func mend(_ broker: String) { state.withLock { _ = $0.broken.remove(broker) } }

    func breakDown(_ broker: String) { state.withLock { _ = $0.broken.insert(broker) } }

    /// Makes the user's session before anybody attaches.
    @discardableResult
    func session(user: String, broker: String) -> SessionDouble {
        state.withLock { state in
            if let session = state.sessions.first(where: { $0.user == user && $0.broker == broker }) { return session }
            let id = UInt32(state.sessions.count + 1)
            let session = SessionDouble(id: id, user: user, broker: broker, instruments: instruments)
            state.sessions.append(session)
            return session
        }
    }

    func authenticate(key: Secret) async throws -> Account {
        await gate.pass()
        if let refusal = state.withLock({ $0.refusals[key.revealed] }) { throw refusal }
        let known = state.withLock { state in
            state.asked += 1
            return state.accounts[key.revealed]
        }
        guard let account = known else {
            if key.revealed == "key-revoked" { throw FeedError(.broker, "No broker configuration found for user") }
            throw FeedError(.authentication, "Invalid API key")
        }
        await lateGate.pass()
        return account
    }

    func attach(user: String, broker: String) async throws -> any MarketSession {
        guard brokers.contains(broker) else { throw FeedError(.broker, "Broker adapter not found") }
        if state.withLock({ $0.broken.contains(broker) }) { throw FeedError(.broker, "\(broker) is broken") }
        let session = session(user: user, broker: broker)
        state.withLock { $0.attachments += 1 }
        return session
    }

    func detach(_ session: any MarketSession) async { state.withLock { $0.attachments -= 1 } }
}
