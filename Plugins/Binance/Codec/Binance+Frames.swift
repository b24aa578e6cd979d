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
        if sockets.failures != 0 { sockets.failures = 0 }
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
        while let key = json.nextKey() {
            if key == "stream" {
                stream = json.string()
            } else if key == "data" {
                data = json.skipValue()
            } else if key == "id" {
                if !json.takeNull() { answered = json.integer() }
            } else {
                if key == "error" || key == "code" { isError = true }
                json.skipValue()
            }
        }
        // The whole message is checked before any of it is believed.
        guard json.isFinished else { return .bad }
        if let stream, let data { return route(stream, data, frame) }
        if let answered {
            confirmed(answered, isError: isError)
            return .taken
        }
        return isError ? .ignored : .bad
    }

    private func route(_ stream: Bytes, _ data: Bytes, _ frame: Frame) -> Verdict {
        guard let at = stream.firstIndex(of: UInt8(ascii: "@")),
            let index = index(ofSymbol: stream.slice(from: 0, to: at)),
            let kind = StreamKinds.named(stream.slice(from: at + 1)),
            instruments[index].kinds.contains(kind)
        else { return .ignored }

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
