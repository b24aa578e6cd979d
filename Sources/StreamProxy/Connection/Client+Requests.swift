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
        guard isInTime() else { return }
        switch read.request {
        case .failure(let rejection): reject(rejection)
        case .success(let request) where request.needsAccount: settleKey { [self] in serve(request) }
        case .success(let request): serve(request)
        }
    }

    private func serve(_ request: Request) {
        switch request {
        case .authenticate(let key): authenticate(key)
        case .subscribe(let request): subscribe(request)
        case .unsubscribe(let request): unsubscribe(request)
        case .subscribeOrders(let broker): subscribeOrders(broker)
        case .unsubscribeOrders(let broker): unsubscribeOrders(broker)
        case .brokerInfo(let broker): brokerInfo(broker)
        case .supportedBrokers: supportedBrokers()
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

    private func brokerInfo(_ asked: String?) {
        guard let account = standing.account else {
            return reject(Rejection(.broker, "Broker information not available"))
        }
        if let asked, account.permitted(broker: asked) == nil { return reject(.notPermitted(broker: asked)) }
        guard let broker = asked ?? usualBroker else { return reject(.noBrokerPermitted) }
        if let session = session(of: broker) {
            shard.perform({ await session.status() }) { [self] status in
                finish(Replies.brokerInfo(user: account.user, broker: session.broker, adapterStatus: status))
            }
        } else if broker == usualBroker, hasTriedUsualBroker {
            finish(Replies.brokerInfo(user: account.user, broker: broker, adapterStatus: "disconnected"))
        } else {
            look(at: broker, of: account)
        }
    }

    /// Asks a broker's session that the client has nothing of. That alone does not connect it.
    private func look(at broker: String, of account: Account) {
        let directory = shard.configuration.directory
        let time = timeLeft
        shard.perform {
            await withDeadline(time, orElse: Result<JSONValue, Rejection>.failure(.notYet(broker))) {
                do {
                    let session = try await directory.attach(user: account.user, broker: broker)
                    let status = await session.status()
                    await directory.detach(session)
                    return .success(
                        Replies.brokerInfo(user: account.user, broker: session.broker, adapterStatus: status))
                } catch {
                    return .failure(Rejection(error))
                }
            }
        } then: { [self] result in
            switch result {
            case .success(let reply): finish(reply)
            case .failure(let rejection): reject(rejection)
            }
        }
    }

    private func supportedBrokers() {
        let brokers = shard.configuration.directory.brokers
        let permissions = standing.owner?.permissions ?? .everything
        finish(Replies.supportedBrokers(brokers.filter { permissions.allows(broker: $0) }))
    }
}
