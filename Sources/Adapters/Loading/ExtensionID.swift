/// What adapters may offer beside market data (`fh_adapter.extension`).
enum ExtensionID {
    static let instruments = "feedhost.instruments/1"
    static let accounts = "feedhost.auth/1"
}
