import AdapterKit

// What is wanted of the broker, and telling it.
extension Noren {
    /// A wish is answered by the snapshot. One that had none for so long is asked for again. ns.
    private static let resendAfter: UInt64 = 2_000_000_000

    func want(_ requests: [SubscriptionRequest]) {
        for request in requests { add(request) }
        flush()
    }

    func leave(_ requests: [SubscriptionRequest]) {
        for request in requests { leave(request.handle) }
        flush()
    }

    private func leave(_ handle: UInt32) {
        guard let place = table.remove(handle) else { return }
        if table.scrips[place].handle == 0 {
            for isDepth in [false, true] {
                let state = table.book(place, isDepth: isDepth).state
                // What comes from now on is not looked at, so a wish that comes back needs a new snapshot.
                state.pointee.isConfirmed = false
                state.pointee.sentAt = 0
                state.pointee.known = 0
            }
        }
        enqueue(place)
    }

    private func add(_ request: SubscriptionRequest) {
        guard !request.brokerToken.isEmpty else { return rejectUnknownSymbol(request) }
        let exchange = request.brokerExchange.isEmpty ? Self.exchange(request.exchange) : request.brokerExchange
        guard let key = ScripKey.make(exchange: exchange, token: request.brokerToken) else {
            let scrip = "\(exchange)|\(request.brokerToken)"
            return settle(
                request.handle,
                .rejected(
                    .invalid, message: "\(scrip) is not a scrip of \(descriptor.name): load its instruments again"))
        }
        // After a new instrument master an instrument may have another token.
        if let old = table.place(of: request.handle), table.scrips[old].key != key { leave(request.handle) }
        let levels = grantedDepth(for: request)
        let isLess = request.mode == .depth && levels != request.depth
        let outcome: SubscriptionOutcome = isLess ? .downgraded(to: .depth, depth: levels) : .acknowledged
        let place = table.add(
            Subscriber(handle: request.handle, mode: request.mode, outcome: outcome), key: key,
            name: "\(exchange)|\(request.brokerToken)", isIndex: request.exchange.hasSuffix("_INDEX"),
            decimals: exchange == "CDS" ? 4 : 2)
        let state = table.book(place, isDepth: table.scrips[place].wantsDepth).state
        if state.pointee.isConfirmed {
            settle(request.handle, outcome)
        } else if state.pointee.isSent, host.now > state.pointee.sentAt + Self.resendAfter {
            state.pointee.isSent = false
        }
        enqueue(place)
    }

    /// The broker's name of an OpenAlgo exchange.
    private static func exchange(_ exchange: String) -> String {
        exchange.hasSuffix("_INDEX") ? String(exchange.dropLast("_INDEX".count)) : exchange
    }

    // MARK: - After a snapshot

    /// The snapshot of a scrip's touchline or depth has come.
    func confirmed(_ place: Int, isDepth: Bool) {
        table.book(place, isDepth: isDepth).state.pointee.isConfirmed = true
        guard table.scrips[place].wantsDepth == isDepth else { return }
        for subscriber in table.details[place].subscribers { settle(subscriber.handle, subscriber.outcome) }
        // The other feed has bridged the change of mode.
        if table.book(place, isDepth: !isDepth).state.pointee.isSent {
            enqueue(place)
            flush()
        }
    }

    // MARK: - Requests

    private func enqueue(_ place: Int) {
        guard !table.scrips[place].isDirty else { return }
        table.scrips[place].isDirty = true
        outbox.append(place)
    }

    /// Sends one request about as many scrips as it can hold; the timer sees to the rest.
    func flush() {
        guard state == .ready, paceTimer == nil, !outbox.isEmpty, let socket else { return }
        for request in FeedRequest.allCases {
            let places = Array(outbox.lazy.filter { self.needs(request, $0) }.prefix(Self.batch))
            guard !places.isEmpty else { continue }
            let names = places.map { table.details[$0].name }.joined(separator: "#")
            // With a full buffer nothing has changed, and the next turn tries again.
            if send("{\"t\":\"\(request.rawValue)\",\"k\":\"\(names)\"}", on: socket).isSuccess {
                for place in places { sent(request, place) }
            }
            pause()
            break
        }
        let waiting = outbox
        outbox = waiting.filter { place in
            if FeedRequest.allCases.contains(where: { needs($0, place) }) { return true }
            table.scrips[place].isDirty = false
            forgetIfUnused(place)
            return false
        }
    }

    private func needs(_ request: FeedRequest, _ place: Int) -> Bool {
        let isWanted = table.scrips[place].handle != 0
        let wantsThis = isWanted && table.scrips[place].wantsDepth == request.isDepth
        let state = table.book(place, isDepth: request.isDepth).state
        if request.isSubscribing { return wantsThis && !state.pointee.isSent }
        let other = table.book(place, isDepth: !request.isDepth).state
        return state.pointee.isSent && !wantsThis && (!isWanted || other.pointee.isConfirmed)
    }

    private func sent(_ request: FeedRequest, _ place: Int) {
        let state = table.book(place, isDepth: request.isDepth).state
        state.pointee = FeedState(decimals: state.pointee.decimals)
        guard request.isSubscribing else { return }
        state.pointee.isSent = true
        state.pointee.sentAt = host.now
    }

    private func forgetIfUnused(_ place: Int) {
        guard table.scrips[place].handle == 0 else { return }
        table.forget(place)
    }

    private func pause() {
        do throws(AdapterError) {
            paceTimer = try startTimer(after: Self.pace, tag: Purpose.pace.rawValue)
        } catch {
            lose(.network, "no timer: \(error.message)")
        }
    }
}

/// The requests about scrips, in the order in which they are sent: what is wanted goes before what is not wanted any
/// more.
enum FeedRequest: String, CaseIterable {
    case touchline = "t"
    case depth = "d"
    case noTouchline = "u"
    case noDepth = "ud"

    var isDepth: Bool { self == .depth || self == .noDepth }
    var isSubscribing: Bool { self == .touchline || self == .depth }
}
