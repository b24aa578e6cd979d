import CFeedhostABI

/// The adapter's half of `feedhost.transport/1`: C functions that lead to the hooks of ``BaseAdapter``.
let transportEvents = TransportEventsTable()

// Unchecked: written once when it is made, only read afterwards, never freed.
struct TransportEventsTable: @unchecked Sendable {
    let pointer = StaticTables.value(makeTransportEvents())
}

/// Runs `body` on the object behind `instance`, which the host keeps alive until `destroy`.
@inline(__always)
private func withAdapter(_ instance: OpaquePointer?, _ body: (BaseAdapter) -> Void) {
    guard let instance else { return }
    Unmanaged<BaseAdapter>.fromOpaque(UnsafeRawPointer(instance))._withUnsafeGuaranteedRef(body)
}

private func makeTransportEvents() -> fh_transport_events {
    var table = fh_transport_events()
    table.size = UInt32(MemoryLayout<fh_transport_events>.size)
    table.on_open = { instance, socket, user, upgrade in
        withAdapter(instance) { adapter in
            let socket = SocketID(rawValue: socket)
            // An id that is not ours any more belongs to a connection that has ended.
            guard adapter.sockets[socket.rawValue] != nil else { return }
            adapter.opened(socket, tag: user, upgrade: Response(upgrade))
        }
    }
    table.on_frame = { instance, socket, user, opcode, bytes, received in
        withAdapter(instance) { adapter in
            let socket = SocketID(rawValue: socket)
            guard adapter.sockets[socket.rawValue] != nil else { return }
            adapter.receive(
                Frame(
                    socket: socket, tag: user, opcode: Opcode(rawValue: opcode), bytes: Bytes(bytes),
                    receivedAt: received))
        }
    }
    table.on_closed = { instance, socket, user, code, refusal in
        withAdapter(instance) { adapter in
            let socket = SocketID(rawValue: socket)
            guard adapter.forget(socket) else { return }
            adapter.closed(socket, tag: user, code: code, refusal: Response(refusal))
        }
    }
    table.on_fetched = { instance, id, user, response in
        withAdapter(instance) { adapter in
            let id = FetchID(rawValue: id)
            guard adapter.fetches.remove(id) != nil, let response = Response(response) else { return }
            adapter.fetched(id, tag: user, response: response)
        }
    }
    table.on_timer = { instance, timer, user, now in
        withAdapter(instance) { adapter in
            let timer = TimerID(rawValue: timer)
            guard let repeats = adapter.timers[timer] else { return }
            if !repeats { adapter.timers[timer] = nil }
            if let heartbeat = adapter.heartbeats[timer] {
                adapter.send(heartbeat.payload, opcode: heartbeat.opcode, on: heartbeat.socket)
            } else {
                adapter.timer(timer, tag: user, now: now)
            }
        }
    }
    return table
}
