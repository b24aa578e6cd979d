import AdapterKit
import AdapterTestKit
import CFeedhostABI
import FlattradeAdapter

/// Made once, as in a plugin: the tables are never freed. Flattrade, Shoonya, Zebu, TradeSmart.
let norenEntry = AdapterEntry(Noren.registrations)

let norenLogin = #"{"t":"a","uid":"FZ00000","actid":"FZ00000","source":"API","accesstoken":"TOKEN"}"#

/// A host whose adapter has been accepted by the broker.
func openNoren(_ broker: Int = 0, settings: [String: String] = [:]) throws -> InMemoryHost {
    let host = try InMemoryHost(norenEntry, adapter: broker, settings: settings)
    host.logIn()
    return host
}

extension InMemoryHost {
    /// Connects, and the broker accepts.
    func logIn(token: String = "TOKEN") {
        connect(accessToken: token, fields: ["user_id": "FZ00000"])
        acceptUpgrade()
        deliver(#"{"t":"ak","uid":"FZ00000","s":"OK"}"#)
    }

    /// A wish for the scrip `NSE|22` and the like.
    func wish(_ scrip: String, _ mode: Int, exchange: String? = nil, symbol: String? = nil, depth: Int = 5) -> Wish {
        let parts = scrip.split(separator: "|").map(String.init)
        return wish(
            exchange ?? parts[0], symbol ?? "S\(parts[1])", mode, depth: mode == FH_MODE_DEPTH ? depth : 0,
            token: (parts[0], parts[1]))
    }

    /// Subscribes and lets the pace pass.
    func want(_ scrips: [String], _ mode: Int) {
        subscribe(scrips.map { wish($0, mode) })
        advance(by: .milliseconds(100))
    }

    /// What was sent on the newest socket behind the login.
    var requests: [String] { Array(sockets[sockets.count - 1].sentText.dropFirst()) }

    /// The last update, which has to be there.
    var lastRecord: fh_tick { ticks.last?.record ?? fh_tick() }
}

/// A feed message with its members in the order given, as the server writes it.
func feed(_ type: String, _ scrip: String = "NSE|22", _ members: [(String, String)] = []) -> String {
    let parts = scrip.split(separator: "|")
    let all = [("t", type), ("e", String(parts[0])), ("tk", String(parts[1]))] + members
    return "{" + all.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",") + "}"
}
