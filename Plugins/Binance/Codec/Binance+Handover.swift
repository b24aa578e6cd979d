import AdapterKit

// Looking after a connection: whether it still brings data, and its change for a new one before it ends.
extension Binance {
    /// Called every few seconds while there is a connection.
    func watchConnection() {
        guard let current = sockets.current, current.isOpen else { return }
        let now = host.now
        if sockets.handover == .overlapping, now - min(now, current.openedAt) > StreamSockets.longestOverlap {
            endOverlap()
        }
        if sockets.due == nil, now - min(now, current.openedAt) >= StreamSockets.lifetime {
            sockets.due = "the connection will be 24 hours old"
        }
        openFollower(now)
        watchSilence(now)
    }

    // MARK: Silence

    private func watchSilence(_ now: UInt64) {
        guard let current = sockets.current, !current.carried.isEmpty || !wantedStreams.isEmpty else {
            return sockets.lastData = now
        }
        let silence = now - min(now, sockets.lastData)
        if sockets.pulseAskedAt != 0 {
            guard now - min(now, sockets.pulseAskedAt) >= StreamSockets.pulsePatience else { return }
            disconnected(
                .network,
                message:
                    "no data for \(silence / 1_000_000_000) s, not even of \(sockets.pulse); the connection is mute")
        } else if silence >= StreamSockets.quiet {
            // Quiet pairs, or a connection that answers pings and brings nothing? The pulse tells.
            let pulse = sockets.pulse
            guard send(sockets.frame("SUBSCRIBE", [pulse]).text, on: current.socket).isSuccess else { return }
            sockets.current?.carried.insert(pulse)
            sockets.pulseAskedAt = now
        }
    }

    /// Data has come, of whatever stream.
    func sawData(_ frame: Frame) {
        sockets.lastData = frame.receivedAt
        if sockets.pulseAskedAt != 0 {
            sockets.pulseAskedAt = 0
            streamsChanged()
        }
        if sockets.handover == .overlapping, sockets.current?.hasData == false, frame.socket == sockets.current?.socket
        {
            sockets.current?.hasData = true
            endOverlapIfCovered()
        }
    }

    // MARK: Handover

    /// Binance has said that the server of a connection goes.
    func serverShutsDown(_ frame: Frame) {
        guard frame.socket == sockets.current?.socket, sockets.due == nil else { return }
        sockets.due = "Binance shuts this server down"
        openFollower(host.now)
    }

    private func openFollower(_ now: UInt64) {
        guard let why = sockets.due, sockets.handover == .none, sockets.successor == nil,
            sockets.triedFollowerAt == 0 || now - min(now, sockets.triedFollowerAt) >= StreamSockets.followerPause
        else { return }
        sockets.triedFollowerAt = now
        let wanted = wantedStreams
        let streams = Array(wanted.prefix(StreamSockets.fitting(wanted)))
        do throws(AdapterError) {
            let socket = try openSocket(sockets.url(streams))
            sockets.successor = StreamSockets.Connection(socket: socket, carried: Set(streams))
            sockets.handover = .opening
            host.log(.info, "\(why): another connection is opened before this one ends")
        } catch {
            host.log(.warning, "\(why), and no other connection can be opened yet: \(error.message)")
        }
    }

    /// The old one serves on; it is tried again later.
    func followerFailed() {
        sockets.successor = nil
        sockets.handover = .none
    }

    /// A connection is opened for another reason, with everything.
    func abandonFollower() {
        guard sockets.handover == .opening, let follower = sockets.successor else { return }
        close(follower.socket)
        followerFailed()
    }

    /// The new connection is open; from now on both are read, and what one has said the other one does not say again.
    func beginOverlap() {
        sockets.handover = .overlapping
        sockets.predecessor = sockets.current
        sockets.due = nil
        sockets.guardedUntil = .max
        sockets.pulseAskedAt = 0
        sockets.isMute = false
        forgetUnconfirmed()
        if let paceTimer = sockets.paceTimer { cancel(paceTimer) }
        sockets.paceTimer = nil
    }

    /// Ends the old connection when the new one carries all that is wanted and has begun to bring it.
    func endOverlapIfCovered() {
        guard sockets.handover == .overlapping, let current = sockets.current, current.hasData,
            sockets.unconfirmed.isEmpty, wantedStreams.allSatisfy(current.carried.contains)
        else { return }
        endOverlap()
    }

    func endOverlap() {
        if let old = sockets.predecessor { close(old.socket) }
        sockets.predecessor = nil
        sockets.handover = .none
        sockets.guardedUntil = host.now + StreamSockets.aftermath
    }

    /// The new connection has gone before the old one.
    func fallBack(to old: StreamSockets.Connection) {
        host.log(.warning, "the connection that was to follow has gone; the old one serves on")
        forgetUnconfirmed()
        sockets.current = old
        sockets.predecessor = nil
        sockets.handover = .none
        sockets.due = "the connection is about to end"
        streamsChanged()
    }
}
