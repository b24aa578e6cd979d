import MarketData
import NIOCore

/// A request read from its bytes, or why it cannot be served.
private struct ReadRequest: Sendable {
    var requestID: JSONValue?
    var request: Result<Request, Rejection>

    init(_ bytes: ByteBuffer, isAuthenticated: Bool) {
        do throws(JSONParser.Failure) {
            let value = try JSONParser.parse(bytes)
            requestID = value["request_id"]
            do throws(Rejection) {
                request = .success(try Request(value, isAuthenticated: isAuthenticated))
            } catch {
                request = .failure(error)
            }
        } catch {
            request = .failure(Rejection(.invalidJSON, "Invalid JSON message"))
        }
    }
}

extension Client {
    /// Above this a request is read in a task: a megabyte of symbols takes long enough to be felt by other clients.
    static let inlineLimit = 64 << 10

    /// Serves what waits, one request after another.
    func serveNext() {
        guard !requests.isServing else { return }
        requests.isServing = true
        while isOpen, !requests.isBusy, let bytes = requests.next() {
            requests.isBusy = true
            let isAuthenticated = !standing.isAnonymous
            if bytes.readableBytes <= Self.inlineLimit {
                serve(ReadRequest(bytes, isAuthenticated: isAuthenticated))
            } else {
                shard.perform({ ReadRequest(bytes, isAuthenticated: isAuthenticated) }, then: serve)
            }
        }
        requests.isServing = false
        if requests.isPaused { readMessages() }
    }

    private func serve(_ read: ReadRequest) {
        requests.requestID = read.requestID
        switch read.request {
        case .failure(let rejection): reject(rejection)
        case .success(let request): serve(request)
        }
    }

    private func serve(_ request: Request) {
        switch request {
        case .authenticate(let key): authenticate(key)
        case .subscribe(let request): subscribe(request)
        case .unsubscribe(let request): unsubscribe(request)
        case .subscribeOrders: subscribeOrders()
        case .unsubscribeOrders: unsubscribeOrders()
        case .brokerInfo: brokerInfo()
        case .supportedBrokers: finish(Replies.supportedBrokers(shard.configuration.directory.brokers))
        case .ping(let timestamp, let pingID):
            finish(Replies.pong(serverTime: WallClock.milliseconds, timestamp: timestamp, pingID: pingID))
        }
    }

    /// Answers the request under way with an error, and goes on to the next one.
    func reject(_ rejection: Rejection) {
        shard.counters.badRequests.add()
        finish(Replies.error(rejection))
    }

    /// Answers the request under way, and goes on to the next one.
    ///
    /// `request_id` is echoed in errors too, unlike in the Python proxy, where a client that waits for it times out.
    func finish(_ reply: JSONValue) {
        send(reply.adding("request_id", requests.requestID).jsonBytes)
        finish()
    }

    /// Goes on to the next request, or gives everything back when the client has left meanwhile.
    func finish() {
        requests.isBusy = false
        requests.requestID = nil
        if isOpen { serveNext() } else { releaseIfIdle() }
    }

    // MARK: Small requests

    private func brokerInfo() {
        switch standing {
        case .attached(let account, let session):
            shard.perform({ await session.status() }) { [self] status in
                finish(Replies.brokerInfo(user: account.user, broker: session.broker, adapterStatus: status))
            }
        case .withoutSession(let account?):
            finish(Replies.brokerInfo(user: account.user, broker: account.broker, adapterStatus: "disconnected"))
        case .withoutSession(nil), .anonymous:
            reject(Rejection(.broker, "Broker information not available"))
        }
    }
}
