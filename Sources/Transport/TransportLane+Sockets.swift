import CFeedhostABI
import NIOCore

extension TransportLane {
    package func open(_ request: AdapterRequest) throws(TransportFailure) -> fh_id {
        guard sockets.count < Quota.sockets else {
            throw TransportFailure(FH_E_LIMIT, "\(sockets.count) sockets are open already")
        }
        let url = try TransportURL(request.url)
        var options = WebSocketConnection.Options()
        options.timeout = request.timeout
        options.pingInterval = self.options.pingInterval
        options.pongTimeout = self.options.pongTimeout
        options.tls = self.options.tls
        options.route = self.options.route
        options.clock = self.options.clock
        let id = LaneIDs.next()
        let user = request.user
        var events = WebSocketEvents(
            opened: { [weak self] answer in self?.socketOpened(id, user, answer) },
            received: { [weak self] opcode, bytes, time in self?.socketReceived(id, user, opcode, bytes, time) },
            closed: { [weak self] close in self?.socketClosed(id, user, close) })
        events.noticed = { [weak self] message in self?.trouble(message) }
        let connection = try WebSocketConnection.connect(
            to: url, fields: request.fields, on: loop, options: options, events: events)
        if isPaused { connection.setPaused(true) }
        sockets[id] = connection
        return id
    }

    package func send(_ id: fh_id, opcode: UInt32, _ bytes: UnsafeRawBufferPointer) throws(TransportFailure) {
        guard let connection = sockets[id] else {
            throw TransportFailure(FH_E_INVALID, "send() names a socket that does not exist")
        }
        guard let opcode = WebSocketMessageKind(rawValue: opcode) else {
            throw TransportFailure(FH_E_INVALID, "send() names the opcode \(opcode); 1, 2, 9 and 10 are known")
        }
        // Checked before the copy, and again by the connection against what waits already.
        guard bytes.count <= 1 << 20 else {
            throw TransportFailure(FH_E_LIMIT, "send() has \(bytes.count) bytes; 1 MiB may wait")
        }
        try connection.send(opcode, ByteBuffer(bytes: bytes))
    }

    package func close(_ id: fh_id, code: UInt32) {
        opened.remove(id)
        sockets.removeValue(forKey: id)?.close(code: UInt16(exactly: code) ?? 1_000)
    }

    private func socketOpened(_ id: fh_id, _ user: UInt64, _ answer: HTTPAnswer) {
        heard(at: options.clock.now())
        opened.insert(id)
        deliver { [self] in
            guard sockets[id] != nil, let call = events.onOpen else { return }
            LentResponse.with(answer, status: fh_status(FH_OK)) { response in
                enter("on_open") { call(instance, id, user, response) }
            }
        }
    }

    private func socketReceived(
        _ id: fh_id, _ user: UInt64, _ opcode: WebSocketMessageKind, _ message: ByteBuffer, _ time: UInt64
    ) {
        heard(frames: opcode == .pong ? 0 : 1, bytes: opcode == .pong ? 0 : message.readableBytes, at: time)
        // The usual case needs no closure, so that a frame costs no allocation here.
        if isFree {
            callOnFrame(id, user, opcode, message, time)
        } else {
            deliver { [self] in
                if sockets[id] != nil { callOnFrame(id, user, opcode, message, time) }
            }
        }
    }

    private func callOnFrame(
        _ id: fh_id, _ user: UInt64, _ opcode: WebSocketMessageKind, _ message: ByteBuffer, _ time: UInt64
    ) {
        guard let call = events.onFrame else { return }
        message.withUnsafeReadableBytes { bytes in
            let text = fh_str(
                ptr: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: UInt64(bytes.count))
            enter("on_frame") { call(instance, id, user, opcode.rawValue, text, time) }
        }
    }

    private func socketClosed(_ id: fh_id, _ user: UInt64, _ close: WebSocketClose) {
        let end = SocketEnd(id: id, url: sockets[id]?.url, hasOpened: opened.remove(id) != nil, close)
        deliver { [self] in
            guard sockets.removeValue(forKey: id) != nil else { return }
            keep(end)
            defer { sayUntakenEnd(of: id) }
            guard let call = events.onClosed else { return }
            guard let refusal = close.refusal else {
                return enter("on_closed") { call(instance, id, user, UInt32(close.code), nil) }
            }
            LentResponse.with(refusal, status: refusal.upgradeOutcome) { response in
                enter("on_closed") { call(instance, id, user, UInt32(close.code), response) }
            }
        }
    }
}
