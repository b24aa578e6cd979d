import MarketData

/// What an account may do, and the refusals. None depends on whether what was asked for exists, and all of them are made
/// before a session is asked, so neither words nor time tell.
extension Account {
    /// The broker that requests without `broker` mean: the user's own, or else the first that the key permits.
    var usualBroker: String? {
        permissions.allows(broker: broker) ? broker : brokers.filter { permissions.allows(broker: $0) }.min()
    }

    /// The user's broker of that name; nil when there is none or the key does not permit it.
    func permitted(broker name: String) -> String? {
        guard let index = brokers.firstIndex(of: name), permissions.allows(broker: brokers[index]) else { return nil }
        return brokers[index]
    }

    /// - Parameter now: Milliseconds since 1970, UTC.
    func hasExpired(now: @autoclosure () -> Int64) -> Bool { expires.map { now() >= $0 } ?? false }

    /// This account, with further brokers of the user's.
    func with(brokers more: some Sequence<String>) -> Account {
        Account(
            user: user, broker: broker, keyID: keyID, brokers: brokers.union(more), permissions: permissions,
            expires: expires)
    }
}

extension KeyOwner {
    /// Whether clients with either key may have the same.
    func isSame(as other: KeyOwner) -> Bool { user == other.user && permissions == other.permissions }
}

extension Permissions {
    /// Whether there are instruments that it does not permit.
    var restrictsInstruments: Bool { exchanges != nil || symbols != nil }

    /// - Parameter instrument: Without a depth suffix.
    func check(_ instrument: Instrument, _ mode: Mode) throws(Rejection) {
        // A text that cannot be a name is not worth comparing with patterns.
        guard symbols == nil || instrument.isPlausible, allows(instrument) else { throw .notPermitted }
        guard allows(mode) else {
            throw Rejection(.notPermitted, "Mode \(mode.label) is not permitted by this API key")
        }
    }

    /// What a refusal of the session may say: hints at other instruments may name what is not permitted.
    func trim(_ rejection: Rejection, of written: Instrument) -> Rejection {
        restrictsInstruments && rejection.code == .symbolNotFound ? .notFound(written) : rejection
    }
}

extension Rejection {
    static let notPermitted = Rejection(.notPermitted, "Not permitted by this API key")
    static let ordersNotPermitted = Rejection(.notPermitted, "Order updates are not permitted by this API key")
    static let noBrokerPermitted = Rejection(.broker, "This API key permits none of the user's brokers")

    /// One answer for brokers that the user does not have and for those that the key does not permit.
    static func notPermitted(broker: String) -> Rejection {
        Rejection(.notPermitted, "Broker \(broker.excerpt) is not permitted by this API key")
    }

    static func notFound(_ written: Instrument) -> Rejection {
        Rejection(
            .symbolNotFound, "Symbol \(written.symbol.excerpt) not found for exchange \(written.exchange.excerpt)")
    }
}
