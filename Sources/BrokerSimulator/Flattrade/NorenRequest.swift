import Foundation

/// A client's message: one JSON object whose values are strings.
enum NorenRequest: Equatable {
    case login(NorenLogin)
    case subscribe(NorenFeed, [NorenScrip])
    /// With the `k` as it came, which the acknowledgement echoes.
    case unsubscribe(NorenFeed, [NorenScrip], echo: String)
    case subscribeOrders(account: String)
    case unsubscribeOrders
    case subscribePositions(account: String)
    case unsubscribePositions
    case heartbeat

    /// Nil for what is no request.
    init?(_ text: some Sequence<UInt8>) {
        guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(text)) else { return nil }
        let keys = fields["k"] ?? ""
        switch fields["t"] {
        case "a": self = .login(NorenLogin(.new, fields))
        case "c": self = .login(NorenLogin(.old, fields))
        case "t": self = .subscribe(.touchline, Self.scrips(keys))
        case "d": self = .subscribe(.depth, Self.scrips(keys))
        case "u": self = .unsubscribe(.touchline, Self.scrips(keys), echo: keys)
        case "ud": self = .unsubscribe(.depth, Self.scrips(keys), echo: keys)
        case "o": self = .subscribeOrders(account: fields["actid"] ?? "")
        case "uo": self = .unsubscribeOrders
        case "p": self = .subscribePositions(account: fields["actid"] ?? "")
        case "up": self = .unsubscribePositions
        case "h": self = .heartbeat
        default: return nil
        }
    }

    /// `NSE|22#BSE|508123`; entries that are no scrip are left out.
    private static func scrips(_ keys: String) -> [NorenScrip] {
        keys.split(separator: "#").compactMap { key in
            let parts = key.split(separator: "|", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            return NorenScrip(exchange: String(parts[0]), token: String(parts[1]))
        }
    }
}

/// The first message of a connection.
struct NorenLogin: Equatable {
    let generation: NorenGeneration
    let user: String
    let account: String
    let token: String

    init(_ generation: NorenGeneration, _ fields: [String: String]) {
        self.generation = generation
        user = fields["uid"] ?? ""
        account = fields["actid"] ?? ""
        token = fields[generation.tokenKey] ?? ""
    }
}
