import AdapterKit

/// The pairs that Binance has, from its list of prices.
///
/// The streams accept any name: who asks for a pair that does not exist gets a confirmation and then nothing, for ever. The list
/// is read when the first pair is wanted, kept over reconnects, and read again when a pair is missing from it, which may have
/// been listed since.
struct Pairs {
    /// A list that is older is read again before a pair is refused. ns.
    private static let fresh: UInt64 = 60_000_000_000
    /// After a failure nobody asks again for so long. ns.
    private static let pause: UInt64 = 60_000_000_000

    enum Verdict {
        case exists
        case unknown
        /// The list is being read.
        case waits
        /// There is no list to be had.
        case unchecked
    }

    /// Of the list; nil when pairs are not checked.
    let url: String?
    private var known: Set<String> = []
    /// When the list was read and when reading it failed: ns since the Unix epoch, 0 = never.
    private var readAt: UInt64 = 0
    private var failedAt: UInt64 = 0
    private(set) var request: FetchID?

    /// - Throws: ``Status/invalid`` for an address that is no HTTP address.
    init(_ rest: String, endpoint: String) throws(AdapterError) {
        var rest = rest
        if rest.isEmpty, endpoint == Binance.publicEndpoint { rest = "https://data-api.binance.vision" }
        while rest.hasSuffix("/") { rest.removeLast() }
        guard rest.isEmpty || rest.hasPrefix("https://") || rest.hasPrefix("http://") else {
            throw AdapterError(.invalid, "rest_endpoint must begin with http:// or https://")
        }
        url = rest.isEmpty ? nil : rest + "/api/v3/ticker/price"
    }

    func verdict(on symbol: String, now: UInt64) -> Verdict {
        guard url != nil else { return .unchecked }
        if known.contains(symbol) { return .exists }
        if request != nil { return .waits }
        if readAt != 0, now - min(now, readAt) < Self.fresh { return .unknown }
        if failedAt != 0, now - min(now, failedAt) < Self.pause { return readAt == 0 ? .unchecked : .unknown }
        return .waits
    }

    mutating func began(_ request: FetchID) { self.request = request }

    /// The connection is over, and with it the request.
    mutating func forgetRequest() { request = nil }

    mutating func failed(now: UInt64) {
        request = nil
        failedAt = now
    }

    /// Takes the list.
    /// - Returns: False when it is none.
    mutating func take(_ body: Bytes, now: UInt64) -> Bool {
        request = nil
        var json = JSONScanner(body)
        var list: Set<String> = []
        guard json.enterArray() else { return false }
        while json.nextElement() {
            guard json.enterObject() else { return false }
            while let key = json.nextKey() {
                if key == "symbol", let symbol = json.string() {
                    list.insert(JSONText.unescaped(symbol))
                } else {
                    json.skipValue()
                }
            }
        }
        guard json.isFinished, !list.isEmpty else { return false }
        known = list
        readAt = now
        failedAt = 0
        return true
    }
}

// Wishes wait for the list, but not for long.
extension Binance {
    /// Answers the wishes that can be answered, and asks for what the others need.
    func checkPairs() {
        let waiting = unsettled
        unsettled.removeAll()
        for (request, outcome) in waiting {
            switch pairs.verdict(on: request.symbol, now: host.now) {
            case .exists, .unchecked: settle(request.handle, outcome)
            case .unknown:
                remove(request.handle)
                rejectUnknownSymbol(request)
            case .waits: unsettled.append((request, outcome))
            }
        }
        guard !unsettled.isEmpty else { return }
        if pairs.request == nil, let url = pairs.url {
            do throws(AdapterError) {
                pairs.began(try fetch(url, timeout: StreamSockets.pairsPatience))
            } catch {
                pairsFailed(error.message)
                return checkPairs()
            }
        }
        settleSoon()
    }

    func pairsFetched(_ id: FetchID, _ response: Response) {
        guard id == pairs.request else { return }
        if !response.status.isSuccess || response.httpStatus != 200 {
            // The host has told of what is no HTTP answer.
            pairsFailed(response.httpStatus == 0 ? nil : "HTTP \(response.httpStatus)")
        } else if !pairs.take(response.body, now: host.now) {
            pairsFailed("the answer is no list of prices")
        }
        checkPairs()
        streamsChanged()
    }

    /// Clients give up soon: what cannot be checked in time is asked for unchecked.
    func settleUnchecked() {
        guard !unsettled.isEmpty else { return }
        host.log(
            .warning,
            "the list of pairs has not come in time; \(unsettled.count) are subscribed to without being looked up")
        let waiting = unsettled
        unsettled.removeAll()
        for (request, outcome) in waiting { settle(request.handle, outcome) }
    }

    private func pairsFailed(_ why: String?) {
        pairs.failed(now: host.now)
        if let why {
            host.log(.warning, "the list of pairs cannot be read (\(why)); pairs are subscribed to unchecked")
        }
    }
}
