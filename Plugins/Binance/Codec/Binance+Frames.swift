import AdapterKit

// From a message to the stream it belongs to.
extension Binance {
    /// What a message turned out to be.
    private enum Verdict {
        case taken
        case ignored
        case bad
    }

    func take(_ frame: Frame) {
        guard frame.opcode != .pong else { return }
        switch decode(frame) {
        case .taken:
            break
        case .ignored:
            host.count(.framesIgnored)
        case .bad:
            host.count(.framesBad)
            host.log(.warning, "undecodable message: \(String(frame.bytes.slice(from: 0, to: 200)))")
        }
    }

    private func decode(_ frame: Frame) -> Verdict {
        var json = JSONScanner(frame.bytes)
        guard json.enterObject() else { return .bad }
        var stream: Bytes?
        var data: Bytes?
        var answered: Int64?
        var isError = false
        var isShutdown = false
        while let key = json.nextKey() {
            if key == "stream" {
                stream = json.string()
            } else if key == "data" {
                data = json.skipValue()
            } else if key == "id" {
                if !json.takeNull() { answered = json.integer() }
            } else if key == "e" || key == "event" {
                // As an event of its own, or wrapped like those of the WebSocket API.
                isShutdown = json.skipValue().map(Self.namesShutdown) ?? false
            } else {
                if key == "error" || key == "code" { isError = true }
                json.skipValue()
            }
        }
        // The whole message is checked before any of it is believed.
        guard json.isFinished else { return .bad }
        if let stream, let data { return route(stream, data, frame) }
        if isShutdown || data.map(Self.namesShutdown) == true {
            serverShutsDown(frame)
            return .taken
        }
        if let answered {
            confirmed(answered, isError: isError)
            return .taken
        }
        return isError ? .ignored : .bad
    }

    /// `"serverShutdown"`, or an object whose `e` is that.
    private static func namesShutdown(_ value: Bytes) -> Bool {
        if value == "\"serverShutdown\"" { return true }
        var json = JSONScanner(value)
        guard json.enterObject() else { return false }
        while let key = json.nextKey() {
            if key == "e" { return json.string().map { $0 == "serverShutdown" } ?? false }
            json.skipValue()
        }
        return false
    }

    private func route(_ stream: Bytes, _ data: Bytes, _ frame: Frame) -> Verdict {
        sawData(frame)
        guard let at = stream.firstIndex(of: UInt8(ascii: "@")),
            let index = index(ofSymbol: stream.slice(from: 0, to: at)),
            let kind = StreamKinds.named(stream.slice(from: at + 1)),
            instruments[index].kinds.contains(kind)
        else {
            if Self.namesShutdown(data) {
                serverShutsDown(frame)
                return .taken
            }
            return String(stream) == sockets.pulse ? .taken : .ignored
        }

        if !StreamKinds.books.isDisjoint(with: kind) {
            return publishBook(data, index, frame.receivedAt) ? .taken : .bad
        }
        guard let event = MarketEvent(kind, data) else { return .bad }
        return publish(event, kind, index, frame.receivedAt) ? .taken : .bad
    }

    /// Names beyond ASCII come as they are, or with the escapes that JSON allows for them.
    private func index(ofSymbol name: Bytes) -> Int? {
        if let index = indices[name] { return index }
        guard name.firstIndex(of: UInt8(ascii: "\\")) != nil else { return nil }
        return indices[JSONText.unescaped(name)]
    }
}
