/// When a key is taken away: ZeroMQ cannot end one connection, so all are ended, and those who still may come back do so
/// by themselves within ZeroMQ's reconnect interval.
extension PublisherLoop {
    func reconnectOutsiders() {
        for socket in [fanIn, publicSocket] {
            for endpoint in socket.endpoints {
                do {
                    try socket.unbind(endpoint)
                    unbound.append((socket, endpoint))
                } catch {
                    events.curveTrouble("the connections at \(endpoint) could not be ended: \(error)")
                }
            }
        }
        bindAgain()
    }

    /// The system may need a moment to give the port back; it is asked again until it does.
    func bindAgain() {
        unbound.removeAll { socket, endpoint in (try? socket.bind(endpoint)) != nil }
    }
}
