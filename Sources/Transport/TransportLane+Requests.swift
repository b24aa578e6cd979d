import CFeedhostABI
import NIOCore

extension TransportLane {
    package func fetch(_ request: AdapterRequest) throws(TransportFailure) -> fh_id {
        guard requests.count < Quota.requests else {
            throw TransportFailure(FH_E_LIMIT, "\(requests.count) requests are under way already")
        }
        let url = try TransportURL(request.url)
        guard let method = HTTPFetch.Method(rawValue: request.method) else {
            throw TransportFailure(FH_E_INVALID, "\(url): method \(request.method); 1 (GET) and 2 (POST) are known")
        }
        let id = LaneIDs.next()
        let user = request.user
        requests[id] = try HTTPFetch.start(
            HTTPFetch.Request(
                url: url, method: method, fields: request.fields, body: request.body, timeout: request.timeout),
            on: loop, route: options.route, tls: options.tls
        ) { [weak self] outcome in
            self?.requestEnded(id, user, outcome)
        }
        return id
    }

    private func requestEnded(_ id: fh_id, _ user: UInt64, _ outcome: HTTPFetch.Outcome) {
        if let failure = outcome.failure {
            trouble(failure.message)
        } else {
            heard(answers: 1, at: options.clock.now())
        }
        deliver { [self] in
            guard requests.removeValue(forKey: id) != nil, let call = events.onFetched else { return }
            let status = outcome.failure?.status ?? outcome.answer?.outcome ?? fh_status(FH_E_INTERNAL)
            LentResponse.with(outcome.answer, status: status) { response in
                enter("on_fetched") { call(instance, id, user, response) }
            }
        }
    }
}
