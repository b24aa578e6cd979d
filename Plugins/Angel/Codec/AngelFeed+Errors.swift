import AdapterKit

// Error frames: `{"correlationID":"…","errorCode":"E1002","errorMessage":"…"}`. The connection stays up.
extension AngelFeed {
    func takeText(_ bytes: Bytes) {
        guard let fault = FeedFault(bytes) else {
            host.count(.framesBad)
            return host.log(.warning, "unknown message: \(String(bytes.slice(from: 0, to: 200)))")
        }
        guard let (call, request) = culprit(fault) else {
            return host.log(.warning, "Angel One refused a request that is not known any more: \(fault.sentence)")
        }
        if request.action == .unsubscribe {
            return host.log(.warning, "Angel One refused to unsubscribe: \(fault.sentence)")
        }
        host.log(
            .warning,
            "Angel One refused mode \(request.mode.rawValue) of \(request.handles.count) instruments: \(fault.sentence)"
        )
        unanswered[call]?.removeAll { $0.correlation == request.correlation }
        refuse(request, of: call, fault)
    }

    /// The frame that an error is about: the one with its number, or the only one there is.
    private func culprit(_ fault: FeedFault) -> (UInt64, FeedRequest)? {
        let frames = unanswered.flatMap { call, frames in frames.map { (call, $0) } }
        if fault.correlation.isEmpty { return frames.count == 1 ? frames[0] : nil }
        return frames.first { $0.1.correlation == fault.correlation }
    }

    /// Brings the instruments of a refused frame back to what they had before, at the broker too.
    private func refuse(_ request: FeedRequest, of call: UInt64, _ fault: FeedFault) {
        var removals = FeedChanges()
        var restorations = FeedChanges()
        for handle in request.handles {
            guard let place = lines.place(of: handle), let line = lines[place], line.request == call else { continue }
            if request.mode == .depth20 {
                // The five levels beside it are subscribed and enough to go on with.
                removals.add(.depth20, of: line)
                lines.update(place) {
                    $0.modes.remove(.depth20)
                    $0.awaited = []
                }
                settle(handle, .downgraded(to: .depth, depth: 5, message: fault.sentence))
                continue
            }
            removals.add(line.modes.subtracting(line.previous), of: line)
            restorations.add(line.previous.subtracting(line.modes), of: line)
            if line.previous.isEmpty {
                lines.remove(handle)
            } else {
                lines.update(place) {
                    $0.modes = $0.previous
                    $0.awaited = []
                }
            }
            settle(handle, .rejected(fault.status, message: fault.sentence, brokerCode: fault.number))
        }
        // It is not documented whether a refused request is refused as a whole. Unsubscribing what is not subscribed does
        // no harm, and leaves nothing behind that nobody wants.
        send(removals, .unsubscribe)
        send(restorations, .subscribe)
    }
}

/// What an error frame says.
struct FeedFault {
    var correlation = ""
    var code = ""
    var message = ""

    /// Nil if the text is no error of Angel One.
    init?(_ bytes: Bytes) {
        var json = JSONScanner(bytes)
        guard json.enterObject() else { return nil }
        while let key = json.nextKey() {
            let value = JSONText(json.skipValue()).content
            if key == "correlationID" {
                correlation = JSONText.unescaped(value)
            } else if key == "errorCode" {
                code = JSONText.unescaped(value.slice(from: 0, to: 20))
            } else if key == "errorMessage" {
                message = JSONText.unescaped(value.slice(from: 0, to: 200))
            }
        }
        guard json.isFinished, !code.isEmpty || !message.isEmpty else { return nil }
    }

    /// For the client.
    var sentence: String {
        let hint =
            code == "E1002"
            ? "; a connection takes \(Angel.pairQuota) pairs of token and mode, and \(Angel.deepQuota) tokens with 20 levels"
            : ""
        return "\(message.isEmpty ? "no reason given" : message) (\(code.isEmpty ? "no code" : code))\(hint)"
    }

    var status: Status { code == "E1002" ? .limit : .invalid }

    /// `E1002` → 1002; 0 if there is no number.
    var number: Int32 { Int32(code.drop { !$0.isNumber }) ?? 0 }
}
