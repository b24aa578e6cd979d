import MarketData

extension ProxyCounters: SampleSource {
    package func samples() -> [Sample] { snapshot().samples }
}

extension ProxyCounters.Snapshot {
    var samples: [Sample] { now + traffic + limits + troubles }

    private var now: [Sample] {
        [
            .gauge("feedhost_proxy_clients", clients, figure: "proxy_clients", "Connections of clients."),
            Sample.gauge(
                "feedhost_proxy_authenticated_clients", authenticated, figure: "proxy_authenticated",
                "Connections that have shown a valid key."),
            .gauge("feedhost_proxy_streams", routes, "Symbol, exchange and mode that somebody is subscribed to."),
            Sample.gauge(
                "feedhost_proxy_deflate_windows", windows, figure: "proxy_deflate_windows",
                "Clients whose compressed messages refer back to earlier ones."),
        ]
    }

    private var traffic: [Sample] {
        [
            Sample.counter(
                "feedhost_proxy_messages_received_total", messagesIn, figure: "proxy_messages_in",
                "Requests of clients."),
            Sample.counter(
                "feedhost_proxy_messages_sent_total", messagesOut, figure: "proxy_messages_out",
                "Frames handed to sockets."),
            Sample.counter(
                "feedhost_proxy_sent_bytes_total", bytesOut, figure: "proxy_bytes_out", "Bytes handed to sockets."),
            Sample.counter(
                "feedhost_proxy_conflated_total", conflated, figure: "proxy_conflated",
                "Ticks that a slow client did not get because a newer one came."),
            Sample.counter(
                "feedhost_proxy_slow_notices_total", slowNotices, figure: "proxy_slow_notices",
                "Times that a client was told that it gets the newest values only."),
            Sample.counter(
                "feedhost_proxy_slow_closed_total", slowClosed, figure: "proxy_slow_closed",
                "Clients cut off for not reading."),
        ]
    }

    private var limits: [Sample] {
        let limited = [
            ("address", addressesLimited), ("unauthenticated", unauthenticatedLimited),
            ("user", userConnectionsLimited), ("authentications", authenticationsLimited),
            ("requests", requestsLimited), ("subscriptions", subscriptionsLimited),
            ("instruments", instrumentsLimited),
        ]
        return limited.map { reason, count in
            Sample.counter(
                "feedhost_proxy_limited_total", labels: [.reason: reason], count, figure: "proxy_limited_\(reason)",
                "Connections and requests refused because of a limit.")
        }
    }

    private var troubles: [Sample] {
        [
            Sample.counter(
                "feedhost_proxy_authentication_failures_total", authFailures, figure: "proxy_auth_failures",
                "Refused keys."),
            Sample.counter(
                "feedhost_proxy_bad_requests_total", badRequests, figure: "proxy_bad_requests",
                "Requests answered with an error."),
            Sample.counter(
                "feedhost_proxy_refused_origins_total", originsRefused, figure: "proxy_refused_origins",
                "Web pages sent away because of where they are from."),
            Sample.counter(
                "feedhost_proxy_tls_failures_total", tlsFailures, figure: "proxy_tls_failures",
                "Connections whose TLS handshake failed."),
            Sample.counter(
                "feedhost_proxy_tls_certificate_loads_total", certificateLoads, figure: "proxy_tls_certificate_loads",
                "Times that the TLS certificate was read."),
            Sample.counter(
                "feedhost_proxy_accept_pauses_total", acceptPauses, figure: "proxy_accept_pauses",
                "Times that accepting paused because there were no descriptors left."),
            Sample.counter(
                "feedhost_proxy_deflate_windows_declined_total", windowsDeclined,
                figure: "proxy_deflate_windows_declined",
                "Clients that compress each message by itself because too many had a window."),
        ]
            + ProxyCounters.Violation.allCases.map { violation in
                let count = protocolErrors[violation] ?? 0
                return Sample.counter(
                    "feedhost_proxy_protocol_errors_total", labels: [.reason: "\(violation)"], count,
                    // The stats file has those that there were.
                    figure: count > 0 ? "proxy_protocol_error_\(violation)" : nil,
                    "Clients cut off for breaking the WebSocket protocol.")
            }
    }
}
