import CFeedhostABI
import NIOCore
import NIOWebSocket

/// The host's own pings: a connection whose pongs stay away is lost, whatever TCP believes.
final class WebSocketHeartbeat {
    var isPaused = false {
        didSet { if oldValue, !isPaused, waiting != nil { waitForPong() } }
    }
    private weak var connection: WebSocketConnection?
    private let loop: any EventLoop
    private let timeout: TimeAmount
    private let interval: TimeAmount
    private var next: Scheduled<Void>?
    private var deadline: Scheduled<Void>?
    /// Payload of the ping that has no answer yet.
    private var waiting: ByteBuffer?
    private var count: UInt64 = 0

    init(connection: WebSocketConnection, interval: TimeAmount, timeout: TimeAmount) {
        self.connection = connection
        loop = connection.loop
        self.interval = interval
        self.timeout = timeout
        scheduleNext()
    }

    func stop() {
        next?.cancel()
        deadline?.cancel()
    }

    /// - Returns: True when the pong answers one of these pings and is of no interest to the adapter.
    func answered(_ pong: ByteBuffer) -> Bool {
        guard let waiting, pong == waiting else { return false }
        self.waiting = nil
        deadline?.cancel()
        return true
    }

    private func scheduleNext() {
        next = loop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            self?.ping()
            self?.scheduleNext()
        }
    }

    private func ping() {
        // One at a time: the deadline of the first decides.
        guard waiting == nil, let connection, case .open(let channel) = connection.state else { return }
        count += 1
        let payload = ByteBuffer(string: "feedhost-\(count)")
        waiting = payload
        connection.write(.ping, payload, on: channel)
        waitForPong()
    }

    private func waitForPong() {
        deadline?.cancel()
        deadline = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            guard let self, !isPaused, waiting != nil, let connection else { return }
            connection.lose(TransportFailure(FH_E_TIMEOUT, "\(connection.url): a ping was not answered in time"))
        }
    }
}
