import MarketData
import Testing

@testable import StreamProxy

/// Every action of a client in every state of its account, broker and session, for each kind of provider.
@Suite(.timeLimit(.minutes(2))) struct StandingTableTests {
    /// How a provider tells that a user is logged out at the broker.
    enum Provider: CaseIterable {
        /// The key is good, and the session knows.
        case sqlite, jwt, plugin
        /// The key is refused, and it is known whose it is.
        case openAlgo
        /// A plugin that answers `FH_E_STATE`: the key is refused, and nobody says whose it is.
        case mutePlugin
        var refusesKeys: Bool { self == .openAlgo || self == .mutePlugin }
    }

    enum State: CaseIterable { case connected, connecting, loggedOut, credentialsMissing, adapterMissing }

    enum Action: String, CaseIterable {
        case sameKey, otherKey, otherUser, wrongKey, subscribe, leaveOne, leaveList, leaveWithoutMode, badModeOne,
            badModeList, leaveAll, subscribeOrders, unsubscribeOrders, brokerInfo, ping, supportedBrokers
    }

    static let cells = Provider.allCases.flatMap { provider in State.allCases.map { (provider, $0) } }

    /// A user with two keys, a broker and, at first, a session.
    private struct Cast {
        let house: House
        let user: String
        var (key, second): (String, String)
        var session: SessionDouble { house.directory.session(user: user, broker: "zerodha") }

        init(_ house: House, _ user: String, number: Int64) {
            (self.house, self.user, key, second) = (house, user, "key-\(user)", "key-\(user)-2")
            let account = Account(user: user, broker: "zerodha", keyID: number)
            house.directory.add(key, account)
            house.directory.add(second, Account(user: user, broker: "zerodha", keyID: number + 1))
        }

        func enter(_ state: State, _ provider: Provider) {
            switch state {
            case .connected: break
            case .connecting: session.connecting(true)
            case .loggedOut, .credentialsMissing:
                let sentence = state == .loggedOut ? "the login was revoked" : "zerodha needs access_token"
                session.refuse(FeedError(.broker, sentence))
                guard provider.refusesKeys else { return }
                for key in [key, second] {
                    house.directory.refuse(
                        key, FeedError(.broker, "No broker configuration found for user"),
                        owner: provider == .openAlgo ? KeyOwner(user: user, keyID: key == second ? 2 : 1) : nil)
                }
            case .adapterMissing: house.directory.breakDown("zerodha")
            }
        }

        /// As after a login.
        func recover() {
            session.connecting(false)
            session.refuse(nil)
            house.directory.mend("zerodha")
            for key in [key, second] { house.directory.refuse(key, nil) }
            house.proxy.apply(AccountChange(.brokersChanged(user: user, brokers: ["zerodha"])))
            house.proxy.announce(
                SessionEvent(session: session.id, broker: "zerodha", code: .connected, message: "again"))
        }

        func request(_ action: Action) -> String {
            func auth(_ key: String) -> String { #"{"action":"authenticate","api_key":"\#(key)"}"# }
            func about(_ action: String, _ more: String = "") -> String {
                #"{"action":"\#(action)","symbol":"SBIN","exchange":"NSE"\#(more)}"#
            }
            let list = #""symbols":[{"symbol":"SBIN","exchange":"NSE""#
            return switch action {
            case .sameKey: auth(key)
            case .otherKey: auth(second)
            case .otherUser: auth("key-bob")
            case .wrongKey: auth("nobody's")
            case .subscribe: #"{"action":"subscribe","symbol":"TCS","exchange":"NSE","mode":1}"#
            case .leaveOne: about("unsubscribe", #","mode":1"#)
            case .leaveList: #"{"action":"unsubscribe",\#(list),"mode":"LTP"}]}"#
            case .leaveWithoutMode: about("unsubscribe")
            case .badModeOne: about("unsubscribe", #","mode":9"#)
            case .badModeList: #"{"action":"unsubscribe",\#(list),"mode":9}]}"#
            case .leaveAll: #"{"action":"unsubscribe_all"}"#
            case .subscribeOrders: #"{"action":"subscribe_orders"}"#
            case .unsubscribeOrders: #"{"action":"unsubscribe_orders"}"#
            case .brokerInfo: #"{"action":"get_broker_info"}"#
            case .ping: #"{"action":"ping"}"#
            case .supportedBrokers: #"{"action":"get_supported_brokers"}"#
            }
        }
    }

    /// What matters of a reply, in one line.
    private static func gist(_ reply: JSONValue) -> String {
        func entries(_ name: String) -> [JSONValue] { if case .array(let list) = reply[name] { list } else { [] } }
        let all = entries("subscriptions") + entries("successful") + entries("failed")
        let first = all.first.map { entry in
            let pending: String? = entry["pending"] == true ? "pending" : nil
            return entry["code"]?.string ?? pending ?? "done"
        }
        return [
            reply["type"]?.string ?? "frame", reply["status"]?.string, reply["code"]?.string,
            reply["adapter_status"]?.string, first,
        ].compactMap(\.self).joined(separator: " ")
    }

    /// For a client that came in while all was well, with one stream and order updates.
    private static func expected(_ action: Action, _ state: State, _ provider: Provider) -> String {
        let isOut = state == .loggedOut || state == .credentialsMissing
        return switch action {
        case .sameKey, .otherKey: isOut ? "frame error BROKER_ERROR" : "auth success"
        case .otherUser: "auth success"
        case .wrongKey: "frame error AUTHENTICATION_ERROR"
        case .subscribe:
            isOut
                ? "subscribe partial BROKER_ERROR"
                : state == .connecting ? "subscribe success pending" : "subscribe success done"
        case .leaveOne, .leaveList, .leaveWithoutMode, .leaveAll: "unsubscribe success done"
        case .badModeOne: "frame error INVALID_MODE"
        case .badModeList: "unsubscribe error INVALID_MODE"
        case .subscribeOrders: "subscribe_orders success"
        case .unsubscribeOrders: "unsubscribe_orders success"
        case .brokerInfo:
            "broker_info success \(isOut ? "disconnected" : state == .connecting ? "connecting" : "connected")"
        case .ping: "pong success"
        case .supportedBrokers: "supported_brokers success"
        }
    }

    @Test(arguments: cells) func whoWasInKeepsWhatItHas(provider: Provider, state: State) async throws {
        try await House.with { house in
            for (number, action) in Action.allCases.enumerated() {
                let label = "\(provider), \(state), \(action)"
                let cast = Cast(house, "u\(number)", number: Int64(1000 + 10 * number))
                let client = try await house.client(key: cast.key)
                let route = try house.route("SBIN", user: cast.user)
                _ = try await client.reply(to: #"{"action":"subscribe","symbol":"SBIN","exchange":"NSE","mode":1}"#)
                _ = try await client.reply(to: cast.request(.subscribeOrders))

                cast.enter(state, provider)
                let reply = try await client.reply(to: cast.request(action))
                #expect(Self.gist(reply) == Self.expected(action, state, provider), "\(label)")

                let isOut = state == .loggedOut || state == .credentialsMissing
                let isStranger = action == .otherUser || action == .otherKey && isOut && provider == .mutePlugin
                let keepsStream =
                    ![.leaveOne, .leaveList, .leaveWithoutMode, .leaveAll].contains(action) && !isStranger
                let keepsOrders = action != .unsubscribeOrders && !isStranger
                #expect(cast.session.references[route] == (keepsStream ? 1 : nil), "\(label)")
                #expect(house.bus.interest.contains(route) == keepsStream, "\(label)")
                #expect(cast.session.orders == (keepsOrders ? 1 : 0), "\(label)")

                cast.recover()
                if !isStranger {
                    #expect(try await client.json()["code"] == "BROKER_CONNECTED", "\(label)")
                    house.bus.publish(route, #"{"ltp":1}"#)
                    if keepsStream { #expect(try await client.json()["type"] == "market_data", "\(label)") }
                    house.bus.publishOrder(user: cast.user, #"{"type":"order_update"}"#)
                    if keepsOrders { #expect(try await client.json()["type"] == "order_update", "\(label)") }
                    let all = try await client.reply(to: cast.request(.leaveAll))
                    #expect(all["type"] == "unsubscribe" && all["status"] == "success", "\(label)")
                    #expect(cast.session.references.isEmpty, "\(label)")
                }
                await client.close()
            }
        }
    }

    @Test(arguments: cells) func whoComesInMeanwhile(provider: Provider, state: State) async throws {
        try await House.with { house in
            let isOut = state == .loggedOut || state == .credentialsMissing
            // Nobody knows whose key it is.
            let isUnknown = isOut && provider == .mutePlugin
            let isBrokerless = isOut && provider.refusesKeys
            let hasSession = !isOut && state != .adapterMissing
            for (number, action) in Action.allCases.enumerated() where action != .otherUser {
                let label = "\(provider), \(state), \(action)"
                let cast = Cast(house, "u\(number)", number: Int64(1000 + 10 * number))
                cast.enter(state, provider)
                let client = try await house.connect()
                let key = try await client.reply(to: cast.request(.sameKey))
                #expect(Self.gist(key) == (hasSession ? "auth success" : "frame error BROKER_ERROR"), "\(label)")

                let reply = Self.gist(try await client.reply(to: cast.request(action)))
                let wanted =
                    switch action {
                    case .sameKey, .otherKey: hasSession ? "auth success" : "frame error BROKER_ERROR"
                    case .subscribe where !hasSession, .leaveOne where !hasSession, .leaveList where !hasSession,
                        .leaveWithoutMode where !hasSession, .badModeList where !hasSession,
                        .leaveAll where !hasSession:
                        "frame error BROKER_ERROR"
                    case .leaveAll: "unsubscribe success"
                    case .subscribeOrders where isUnknown: "frame error BROKER_ERROR"
                    case .brokerInfo where isBrokerless: "frame error BROKER_ERROR"
                    case .brokerInfo where !hasSession: "broker_info success disconnected"
                    default: Self.expected(action, state, provider)
                    }
                #expect(reply == wanted, "\(label)")

                // A login helps whoever waits, with the same socket and the same key.
                cast.recover()
                if action == .subscribeOrders, !isUnknown {
                    house.bus.publishOrder(user: cast.user, #"{"type":"order_update"}"#)
                    var types: [JSONValue?] = []
                    repeat { types.append(try await client.json()["type"]) } while types.last != "order_update"
                }
                if isBrokerless {
                    // A loop looks at its sockets first, and then does what it was told.
                    _ = try await client.reply(to: cast.request(.ping))
                    let more = try await client.reply(to: cast.request(.subscribe))
                    #expect(Self.gist(more) == "subscribe success done", "\(label)")
                    if action == .subscribeOrders, !isUnknown { #expect(cast.session.orders == 1, "\(label)") }
                }
                await client.close()
            }
        }
    }

    /// States that end the connection, with the code of the table in docs/protocol.md.
    @Test(arguments: [true, false]) func whatEndsIt(isBrokerless: Bool) async throws {
        try await House.with { house in
            let ends: [(AccountChange.Kind, UInt16, String)] = [
                (.userChanged(user: "u"), 4001, "account changed, reconnect"),
                (.keyChanged(keyID: 1), 4001, "account changed, reconnect"),
                (.keyRevoked(keyID: 1), 4503, "API key revoked"),
            ]
            for (change, code, text) in ends {
                let cast = Cast(house, "u", number: 1)
                if isBrokerless { cast.enter(.loggedOut, .openAlgo) }
                let client = try await house.connect()
                _ = try await client.reply(to: cast.request(.sameKey))
                house.proxy.apply(AccountChange(change))
                let end = try await client.closeFrame()
                #expect(end.code == code && end.reason == text, "\(change)")
                // And nobody comes in with it again, where it is gone for good.
                guard code == 4503 else { continue }
                house.directory.refuse(cast.key, FeedError(.authentication, "Invalid API key"))
                let again = try await house.connect().reply(to: cast.request(.sameKey))
                #expect(again["code"] == "AUTHENTICATION_ERROR")
            }
        }
    }

    /// The key by which a client stays is the one that counts.
    @Test(arguments: [State.connected, .loggedOut]) func theLastKeyCounts(state: State) async throws {
        try await House.with { house in
            let cast = Cast(house, "u", number: 1)
            let client = try await house.client(key: cast.key)
            cast.enter(state, .openAlgo)
            _ = try await client.reply(to: cast.request(.otherKey))
            house.proxy.apply(AccountChange(.keyRevoked(keyID: 1)))
            #expect(try await client.reply(to: cast.request(.ping))["type"] == "pong")
            house.proxy.apply(AccountChange(.keyRevoked(keyID: 2)))
            #expect(try await client.closeFrame().code == 4503)
        }
    }

    /// A key that allows less, or is for fewer brokers, starts anew.
    @Test func anotherKeyWithOtherPermissions() async throws {
        try await House.with { house in
            let brokers: Set = ["zerodha", "angel"]
            house.directory.add("wide", Account(user: "u", broker: "zerodha", keyID: 1, brokers: brokers))
            house.directory.add("narrow", Account(user: "u", broker: "zerodha", keyID: 2))
            house.directory.add("default", Account(user: "u", broker: "angel", keyID: 3, brokers: brokers))
            house.directory.add(
                "ltp", Account(user: "u", broker: "zerodha", keyID: 4, permissions: Permissions(modes: [.ltp])))
            func auth(_ key: String) -> String { #"{"action":"authenticate","api_key":"\#(key)"}"# }
            let there = #"{"action":"subscribe","symbol":"SBIN","exchange":"NSE","mode":1,"broker":"angel"}"#
            for (key, isKept) in [("wide", true), ("default", true), ("narrow", false), ("ltp", false)] {
                let client = try await house.client(key: "wide")
                _ = try await client.reply(to: there)
                let session = try #require(house.directory.session(of: "u", at: "angel"))
                #expect(session.references.count == 1)
                #expect(try await client.reply(to: auth(key))["broker"] == (key == "default" ? "angel" : "zerodha"))
                #expect(session.references.count == (isKept ? 1 : 0), "\(key)")
                // Without `broker` the new key's default is meant.
                _ = try await client.reply(to: #"{"action":"unsubscribe","symbol":"SBIN","exchange":"NSE"}"#)
                #expect(session.references.isEmpty)
                await client.close()
            }
        }
    }
}
