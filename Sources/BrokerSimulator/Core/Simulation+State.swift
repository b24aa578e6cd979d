import NIOCore

/// What `GET /_sim/state` answers. Credentials appear as hashes only.
struct SimulationState: Encodable {
    struct Connection: Encodable {
        var id: Int
        var kind: String
        var credentials: String
        /// Since the start, ms.
        var openedMilliseconds: Int64
        var muted: Bool
        var stalled: Bool
        /// Instruments, as the broker writes them, by mode.
        var subscriptions: [String: [String]]
        /// Frames by kind.
        var sent: [String: Int]
        /// Ticks in them.
        var packets: Int
        var withheld: Int
        var skippedTurns: Int
        /// What has come in.
        var messages: Int
        var pings: Int
        var pongs: Int
        var heartbeats: Int

        enum CodingKeys: String, CodingKey {
            case id, kind, credentials, muted, stalled, subscriptions, sent, packets, withheld, messages, pings, pongs
            case heartbeats
            case openedMilliseconds = "opened_ms"
            case skippedTurns = "skipped_turns"
        }
    }

    var broker: String
    var milliseconds: Int64
    var paused: Bool
    var rate: Double
    /// Of the token that is accepted now.
    var credentials: String
    var tokenGeneration: Int
    var connections: [Connection]
    /// Connections that have ended.
    var closed: Int
    /// Frames by kind, and ticks in them, on all connections that there were.
    var sent: [String: Int]
    var packets: Int
    /// Upgrades, the newest thousand.
    var attempts: [AttemptLog.Attempt]
    /// All upgrades, by status.
    var upgrades: [String: Int]

    enum CodingKeys: String, CodingKey {
        case broker, paused, rate, credentials, connections, closed, sent, packets, attempts, upgrades
        case milliseconds = "ms"
        case tokenGeneration = "token_generation"
    }
}

extension Simulation {
    var state: SimulationState {
        let open = connections.filter(\.isOpen)
        let sent = open.reduce(into: log.sent) { $0.merge($1.counters.sent, uniquingKeysWith: +) }
        return SimulationState(
            broker: options.venue.name, milliseconds: (loop.now - startedAt).nanoseconds / 1_000_000,
            paused: isPaused, rate: rate, credentials: CredentialHash.of(credentials.accessToken),
            tokenGeneration: credentials.generation, connections: open.map(state(of:)), closed: log.closed,
            sent: Self.named(sent), packets: open.reduce(log.packets) { $0 + $1.counters.packets },
            attempts: log.attempts,
            upgrades: Dictionary(uniqueKeysWithValues: log.counts.map { (String($0.key), $0.value) }))
    }

    private static func named(_ counts: [FrameKind: Int]) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
    }

    private func state(of connection: VenueConnection) -> SimulationState.Connection {
        var subscriptions: [String: [String]] = [:]
        for entry in connection.subscriptions.entries {
            subscriptions[venue.name(ofMode: entry.mode), default: []].append(venue.key(of: entry.instrument))
        }
        let counters = connection.counters
        return SimulationState.Connection(
            id: connection.id, kind: connection.kind, credentials: connection.credentials,
            openedMilliseconds: (connection.openedAt - startedAt).nanoseconds / 1_000_000,
            muted: connection.isMuted, stalled: connection.isStalled,
            subscriptions: subscriptions.mapValues { $0.sorted() },
            sent: Self.named(counters.sent),
            packets: counters.packets, withheld: counters.withheld, skippedTurns: counters.skippedTurns,
            messages: counters.messages, pings: counters.pings, pongs: counters.pongs, heartbeats: counters.heartbeats)
    }
}
