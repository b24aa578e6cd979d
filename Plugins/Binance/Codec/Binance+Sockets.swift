import AdapterKit

// Opening and closing sockets, and asking for streams.
extension Binance {
    /// Notes that the wanted streams may have changed; they are looked at a moment later, all changes of that moment at
    /// once.
    func streamsChanged() {
        let now = host.now
        if let timer = sockets.changeTimer {
            // Clients ask for one symbol after the other; the first URL should hold as many as possible.
            guard now - sockets.firstChange < StreamSockets.longestCoalescing else { return }
            cancel(timer)
        } else {
            sockets.firstChange = now
        }
        sockets.changeTimer = start(.change, after: StreamSockets.coalescing)
    }

    /// Sees to it that wishes get their answer even if the list of pairs takes long.
    func settleSoon() {
        guard sockets.settlementTimer == nil else { return }
        sockets.settlementTimer = start(.settlement, after: StreamSockets.pairsPatience)
    }

    func timerRanOut(_ timer: TimerID, for purpose: StreamSockets.Purpose?) {
        switch purpose {
        case .change:
            sockets.changeTimer = nil
            reconcile()
        case .pace:
            sockets.paceTimer = nil
            reconcile()
        case .confirmation:
            guard let id = sockets.unconfirmed.first(where: { $0.value == timer })?.key else { return }
            sockets.unconfirmed[id] = nil
            subscribeFailed("the server does not confirm SUBSCRIBE")
        case .settlement:
            sockets.settlementTimer = nil
            settleUnchecked()
        case .watch:
            watchConnection()
        case nil:
            break
        }
    }

    func socketOpened(_ socket: SocketID) {
        if sockets.successor?.socket == socket {
            if sockets.handover == .opening { beginOverlap() } else if let old = sockets.current { close(old.socket) }
            sockets.current = sockets.successor
            sockets.successor = nil
        }
        guard sockets.current?.socket == socket else { return }
        sockets.current?.isOpen = true
        sockets.current?.openedAt = host.now
        sockets.lastData = host.now
        if sockets.watchTimer == nil {
            sockets.watchTimer = start(.watch, after: StreamSockets.watch, every: StreamSockets.watch)
        }
        ready()
        reconcile()
    }

    func socketClosed(_ socket: SocketID, code: UInt32, refusal: Response?) {
        if socket == sockets.predecessor?.socket { return endOverlap() }
        if socket == sockets.successor?.socket, sockets.handover == .opening { return followerFailed() }
        if socket == sockets.current?.socket, let old = sockets.predecessor { return fallBack(to: old) }
        guard socket == sockets.current?.socket || socket == sockets.successor?.socket else { return }
        lostConnection(code: code, refusal: refusal)
    }

    /// The answer to a SUBSCRIBE or UNSUBSCRIBE.
    func confirmed(_ id: Int64, isError: Bool) {
        guard let timer = sockets.unconfirmed.removeValue(forKey: id) else { return }
        cancel(timer)
        if isError { subscribeFailed("the server refuses SUBSCRIBE") } else { endOverlapIfCovered() }
    }

    /// Brings what flows in line with what is wanted, one step at a time.
    func reconcile() {
        // A successor was made from the newest wishes; whatever came after it follows when it is open. One that only follows
        // an old connection may take its time, or not come at all.
        guard sockets.successor == nil || sockets.handover == .opening else { return }
        guard let current = sockets.current, current.isOpen, sockets.paceTimer == nil else { return }
        let wanted = wantedStreams

        let missing = wanted.filter { !current.carried.contains($0) }
        if sockets.isMute, !missing.isEmpty, wanted.count == StreamSockets.fitting(wanted) {
            abandonFollower()
            sockets.successor = open(wanted)
            return
        }
        if !missing.isEmpty {
            subscribe(missing.prefix(StreamSockets.frameLimit), on: current.socket)
        } else {
            var surplus = current.carried.subtracting(wanted)
            if sockets.pulseAskedAt != 0 { surplus.remove(sockets.pulse) }
            guard !surplus.isEmpty else { return endOverlapIfCovered() }
            let batch = surplus.sorted().prefix(StreamSockets.frameLimit)
            guard send(sockets.frame("UNSUBSCRIBE", batch).text, on: current.socket).isSuccess else { return pace() }
            sockets.current?.carried.subtract(batch)
        }
        pace()
    }

    private func subscribe(_ streams: some Sequence<String>, on socket: SocketID) {
        let frame = sockets.frame("SUBSCRIBE", streams)
        // With a full buffer the streams stay missing, and the next step tries again.
        guard send(frame.text, on: socket).isSuccess else { return }
        sockets.current?.carried.formUnion(streams)
        guard !sockets.isMute else { return }
        sockets.unconfirmed[frame.id] = start(.confirmation, after: StreamSockets.patience)
    }

    private func subscribeFailed(_ why: String) {
        abandonFollower()
        guard sockets.successor == nil, let current = sockets.current, current.isOpen else { return }
        host.log(.warning, "\(why); opening a new connection with all streams")
        sockets.isMute = true
        forgetUnconfirmed()
        sockets.successor = open(wantedStreams)
    }

    func forgetUnconfirmed() {
        for timer in sockets.unconfirmed.values { cancel(timer) }
        sockets.unconfirmed.removeAll()
    }

    func open(_ streams: [String]) -> StreamSockets.Connection? {
        let first = streams.prefix(StreamSockets.fitting(streams))
        do throws(AdapterError) {
            let socket = try openSocket(sockets.url(first))
            return StreamSockets.Connection(socket: socket, carried: Set(first))
        } catch {
            disconnected(.network, message: error.message)
            return nil
        }
    }

    private func pace() {
        sockets.paceTimer = start(.pace, after: StreamSockets.pace)
    }

    private func start(
        _ purpose: StreamSockets.Purpose, after delay: Duration, every interval: Duration? = nil
    ) -> TimerID? {
        do throws(AdapterError) {
            return try startTimer(after: delay, every: interval, tag: purpose.rawValue)
        } catch {
            disconnected(.network, message: "no timer: \(error.message)")
            return nil
        }
    }
}
