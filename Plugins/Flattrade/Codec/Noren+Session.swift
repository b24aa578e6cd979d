import AdapterKit

// The session: login, its answer, and its end.
extension Noren {
    func sendLogin(on socket: SocketID) {
        guard let login else { return }
        authenticating()
        send(login.text, on: socket)
        do throws(AdapterError) {
            loginTimer = try startTimer(after: Self.patience, tag: Purpose.login.rawValue)
        } catch {
            lose(.network, "no timer: \(error.message)")
        }
    }

    /// A message that carries no market data.
    func takeAnswer(_ header: FeedHeader, _ frame: Frame) {
        switch header.kind {
        case Answer.login, Answer.oldLogin:
            takeLoginAnswer(Reply(frame.bytes))
        case Answer.order:
            takeOrder(frame)
        case Answer.heartbeat, Answer.shortHeartbeat, Answer.orders, Answer.noOrders, Answer.noTouchline,
            Answer.noDepth:
            break
        default:
            takeUnknown(Reply(frame.bytes))
        }
    }

    private func takeLoginAnswer(_ reply: Reply) {
        guard reply.isOK else { return refused(reply) }
        // One login, one answer: a second one says nothing new.
        guard login != nil, let socket else { return host.count(.framesIgnored) }
        login = nil
        if let loginTimer { cancel(loginTimer) }
        loginTimer = nil
        do throws(AdapterError) {
            try startHeartbeats(on: socket)
            ready()
        } catch {
            lose(.network, "no timer: \(error.message)")
        }
    }

    /// The server leaves the socket open and mute after a refusal, so the session is ended from here.
    ///
    /// It also refuses a good token for a while after a session has been closed: the pause gives it the time.
    private func refused(_ reply: Reply) {
        let said = login.map { $0.withoutSecrets(reply.message) } ?? ""
        let reason: DisconnectReason = login == nil ? .authenticationExpired : .authenticationRejected
        let words = said.isEmpty ? "" : ": \(said)"
        lose(
            reason, "\(descriptor.name) has refused the login\(words). The token of a login is good for one day",
            retryAfter: .seconds(cooldown))
    }

    /// Neither the protocol nor its documents know error messages; those of the REST API look like this.
    private func takeUnknown(_ reply: Reply) {
        if reply.isRefusal, login != nil { return refused(reply) }
        host.count(.framesIgnored)
        guard reply.isRefusal else { return }
        lastComplaint = String(reply.message.prefix(200))
        complainedAt = lastHeard
        host.log(.warning, "\(descriptor.name) says: \(lastComplaint)")
    }

    /// What the broker has said right before it closed the session, which may name who has it now.
    private var farewell: String {
        let now = host.now
        guard !lastComplaint.isEmpty, now - min(now, complainedAt) < Self.farewellTime else { return "" }
        return "; it said: \"\(lastComplaint)\""
    }

    func sessionClosed(code: UInt32, refusal: Response?) {
        let wasReady = state == .ready
        let farewell = farewell
        forget()
        if code == 1_000, refusal == nil, wasReady {
            // The first session of an account is closed so, a moment after the second one has logged in.
            disconnected(
                .replaced,
                message: "\(descriptor.name) has closed the session, as it does when the account logs in elsewhere"
                    + farewell,
                retryAfter: .seconds(max(Self.replacedPause, cooldown)), brokerCode: 1_000)
        } else {
            lostConnection(code: code, refusal: refusal)
        }
    }

    func checkSilence(_ now: UInt64) {
        guard now > lastHeard, .nanoseconds(now - lastHeard) >= silence else { return }
        lose(
            .network,
            "\(descriptor.name) has sent nothing for \(silence.components.seconds) s, not even answers to heartbeats")
    }

    /// Ends the connection from this side.
    func lose(_ reason: DisconnectReason, _ message: String, retryAfter: Duration? = nil) {
        forget()
        disconnected(reason, message: message, retryAfter: retryAfter)
    }

    func undecodable(_ frame: Frame) {
        host.count(.framesBad)
        // The text stays out of the log: it may be of an order.
        host.log(.warning, "a message of \(frame.bytes.count) bytes is not of the broker's protocol")
    }
}

/// Types of messages, packed.
private enum Answer {
    static let login = PackedText.pack("ak")
    static let oldLogin = PackedText.pack("ck")
    static let heartbeat = PackedText.pack("hk")
    static let shortHeartbeat = PackedText.pack("h")
    static let orders = PackedText.pack("ok")
    static let noOrders = PackedText.pack("uok")
    static let noTouchline = PackedText.pack("uk")
    static let noDepth = PackedText.pack("udk")
    static let order = PackedText.pack("om")
}

/// What an answer says of success.
private struct Reply {
    private var status = ""
    private(set) var message = ""

    init(_ bytes: Bytes) {
        var json = JSONScanner(bytes)
        guard json.enterObject() else { return }
        while let key = json.nextKey() {
            let isStatus = key == "s" || key == "stat"
            guard isStatus || key == "emsg" || key == "reason", let text = json.numberOrString() else {
                json.skipValue()
                continue
            }
            if isStatus { status = JSONText.unescaped(text) } else { message = JSONText.unescaped(text) }
        }
    }

    /// Documents print `Ok`, servers send `OK`.
    var isOK: Bool { status.lowercased() == "ok" }
    var isRefusal: Bool { !isOK && (!status.isEmpty || !message.isEmpty) }
}
