extension SettingTable {
    /// Who may connect, where, and how much of everything a client may have.
    static let clients: [SettingDefinition] = listeners + clientLimits

    private static let listeners: [SettingDefinition] = [
        .init(
            "proxy.coalesce", "FEEDHOST_COALESCE", .bool, default: "true",
            "lets several messages leave in one TCP segment; false for clients that read one a packet (AmiBroker's plugin)"
        ),
        .init(
            "proxy.listen", "FEEDHOST_LISTEN", .listeners, default: "",
            "where clients connect besides, as ws://127.0.0.1:8766?coalesce=no, wss://0.0.0.0:8443, unix:/run/ws.sock?mode=0660"
        ),
        .init(
            "tls.certificate", "FEEDHOST_TLS_CERTIFICATE", .text,
            "PEM file with the certificate chain for wss://; read again when it changes"),
        .init("tls.key", "FEEDHOST_TLS_KEY", .text, "PEM file with its private key, without a passphrase"),
        .init(
            "proxy.origins", "FEEDHOST_ORIGINS", .origins, default: "",
            "web pages that may connect: https://trade.example.com, *.example.com, same-host; empty = all, as with OpenAlgo; programs always may"
        ),
        .init(
            "proxy.trusted_proxies", "FEEDHOST_TRUSTED_PROXIES", .networks, default: "",
            "reverse proxies whose X-Forwarded-For counts: 127.0.0.1, 10.0.0.0/8"),
        .init(
            "proxy.event_loops", "FEEDHOST_EVENT_LOOPS", .countOrAuto(1...64), default: "1",
            "threads that serve clients; auto is one for each processor but one"),
    ]

    private static let clientLimits: [SettingDefinition] = [
        limit(
            "connections_per_address", 1_000,
            "connections from one address; unless set, those from this machine are not counted; 0 = no limit"),
        limit("connections_per_user", 20_000, "authenticated connections of one user; 0 = no limit"),
        limit("unauthenticated", 20_000, "connections that have not authenticated yet; 0 = no limit"),
        limit(
            "unauthenticated_per_address", 200,
            "the same from one address; unless set, those from this machine are not counted; 0 = no limit"),
        limit(
            "failed_authentications", 60,
            "wrong keys from one address a minute; then keys from it wait, the longer the more often; 0 = no limit"),
        limit("requests", 1_000, "requests of one client a second, ten times as many at once; 0 = no limit"),
        limit(
            "subscriptions", 10_000,
            "instruments that one client subscribes to a second, ten times as many at once; 0 = no limit"),
        limit("instruments", 100_000, "instruments that one client holds; 0 = no limit"),
    ]

    private static func limit(_ name: String, _ standard: Int, _ help: String) -> SettingDefinition {
        .init(
            "limits.\(name)", "FEEDHOST_MAX_\(name.uppercased())", .int(0...1_000_000), default: "\(standard)", help)
    }
}
