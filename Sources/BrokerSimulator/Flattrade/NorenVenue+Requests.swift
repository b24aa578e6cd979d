import NIOCore
import NIOHTTP1

extension NorenVenue {
    func received(_ message: ByteBuffer, isText: Bool, on connection: VenueConnection) {
        guard let session = session(of: connection), let request = NorenRequest(message.readableBytesView) else {
            return
        }
        switch (session.standing, request) {
        case (.refused, _): return
        case (_, .heartbeat): answerHeartbeat(session, connection)
        case (.new, .login(let login)), (.accepted, .login(let login)): logIn(login, session, connection)
        case (.new, _): return
        case (.accepted, _): carryOut(request, session, connection)
        }
    }

    private func answerHeartbeat(_ session: NorenSession, _ connection: VenueConnection) {
        connection.heard(\.heartbeats)
        session.lastHeartbeat = simulation.loop.now
        guard simulation.sendsHeartbeats else { return }
        let seconds = simulation.market.clock() / 1_000_000_000
        connection.send(
            options.answersHeartbeatsBarely ? #"{"t":"h"}"# : #"{"t":"hk","hk":"\#(seconds)"}"#, as: .heartbeat)
    }

    /// A login throws the session before it out, a moment later. A refused one leaves the socket open and mute.
    private func logIn(_ login: NorenLogin, _ session: NorenSession, _ connection: VenueConnection) {
        let credentials = simulation.credentials
        connection.authenticated(as: login.token)
        let isAccepted =
            login.generation == options.generation && login.user == credentials.user
            && login.account == credentials.user && login.token == credentials.accessToken
            && !isCoolingDown(login.token)
        let word = isAccepted ? options.acceptance : login.generation.refusal
        let kind: FrameKind = isAccepted ? .acknowledgement : .error
        let answer: [(String, JSONText.Value)] = [
            ("t", .text(login.generation.acknowledgement)), ("uid", .text(login.user)), ("s", .text(word)),
        ]
        connection.send(JSONText.object(answer), as: kind)
        guard isAccepted else {
            session.standing = .refused
            let refusal = Admission.refuse(
                PlainAnswer(.unauthorized), reason: "login refused", credentials: login.token)
            simulation.log.add(refusal, path: connection.request.path, at: simulation.loop.now - simulation.startedAt)
            return
        }
        session.standing = .accepted(token: login.token)
        for other in others(than: connection) {
            self.session(of: other)?.isEvicted = true
            simulation.schedule(milliseconds: options.evictionMilliseconds) { other.close(code: 1_000) }
        }
    }

    private func carryOut(_ request: NorenRequest, _ session: NorenSession, _ connection: VenueConnection) {
        switch request {
        case .subscribe(let feed, let scrips):
            let entries = entries(feed, scrips)
            for entry in entries {
                connection.subscriptions.insert(entry)
                session.known[entry] = nil
            }
            send(entries, to: connection)
        case .unsubscribe(let feed, let scrips, let echo):
            for entry in entries(feed, scrips) {
                connection.subscriptions.remove(entry)
                session.known[entry] = nil
            }
            let kind = feed == .touchline ? "uk" : "udk"
            connection.send(JSONText.object([("t", .text(kind)), ("k", .text(echo))]), as: .acknowledgement)
        case .subscribeOrders(let account):
            session.wantsOrders = account == simulation.credentials.user
            if broker.acknowledgesOrders { acknowledge("ok", connection) }
        case .unsubscribeOrders:
            session.wantsOrders = false
            acknowledge("uok", connection)
        case .subscribePositions(let account):
            session.wantsPositions = account == simulation.credentials.user
            acknowledge("pk", connection)
        case .unsubscribePositions:
            session.wantsPositions = false
            acknowledge("upk", connection)
        case .login, .heartbeat: break
        }
    }

    /// Unknown scrips are passed over in silence; each of the others comes once.
    private func entries(_ feed: NorenFeed, _ scrips: [NorenScrip]) -> [Subscription] {
        var seen: Set<Subscription> = []
        return scrips.compactMap { scrip in
            guard let place = places[scrip] else { return nil }
            let entry = Subscription(instrument: place, mode: feed.rawValue)
            return seen.insert(entry).inserted ? entry : nil
        }
    }

    private func acknowledge(_ kind: String, _ connection: VenueConnection) {
        connection.send(JSONText.object([("t", .text(kind))]), as: .acknowledgement)
    }
}
