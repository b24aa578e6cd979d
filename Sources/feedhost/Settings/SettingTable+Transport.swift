extension SettingTable {
    /// How connections to brokers leave this machine. The variables are those that other programs read.
    static let transport: [SettingDefinition] = [
        .init(
            "transport.family", "FEEDHOST_TRANSPORT_FAMILY", .choice(["any", "ipv4", "ipv6"]), default: "any",
            "addresses of brokers that are used; with any, the other family is tried before a refusal counts"),
        .init(
            "transport.source", "FEEDHOST_TRANSPORT_SOURCE", .address,
            "address of this machine that connections to brokers come from; only its family is used then"),
        .init(
            "transport.proxy", "HTTPS_PROXY", .proxy, secret: true, "HTTP proxy for https:// and wss:// to brokers"),
        .init(
            "transport.proxy_all", "ALL_PROXY", .proxy, secret: true,
            "HTTP proxy for all connections to brokers that have no other"),
        .init(
            "transport.no_proxy", "NO_PROXY", .proxyExceptions, default: "",
            "what is reached without a proxy: names (with all below them), addresses, networks; * is everything"),
        .init(
            "transport.ca_file", "SSL_CERT_FILE", .text,
            "PEM file with the certificate authorities to trust instead of the system's, for connections to brokers"),
        .init(
            "transport.broker_family", "FEEDHOST_TRANSPORT_BROKER_FAMILY", .brokerMap, default: "",
            "BROKER=FAMILY: transport.family of one broker"),
        .init(
            "transport.broker_source", "FEEDHOST_TRANSPORT_BROKER_SOURCE", .brokerMap, default: "",
            "BROKER=ADDRESS: transport.source of one broker"),
        .init(
            "transport.broker_proxy", "FEEDHOST_TRANSPORT_BROKER_PROXY", .brokerMap, default: "", secret: true,
            "BROKER=PROXY: the proxy for all connections to one broker; direct = none"),
    ]
    /// Variables that programs also read in lowercase, which then comes first.
    static let alsoInLowercase: Set<String> = ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
}
