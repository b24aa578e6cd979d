import ArgumentParser
import Foundation
import MarketData
import Secrets

/// `feedhost tail`: a client in the terminal.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Shows the ticks of some symbols.",
        discussion: "The key may also come in the environment variable FEEDHOST_KEY, which other users cannot read.")

    @Option(help: "ltp, quote or depth.") var mode = "quote"
    @Option(help: "Levels of the book.") var depth = 5
    @Option(help: "API key.") var key: String?
    @Option(help: "Where the host listens: ws://HOST:PORT, wss://HOST:PORT or unix:/PATH.")
    var url = "ws://127.0.0.1:8765"
    @Option(
        help: ArgumentHelp(
            "PEM file with the authority to trust under wss://, instead of the system's; or SSL_CERT_FILE.",
            valueName: "file"))
    var ca: String?
    @Flag(inversion: .prefixedNo, help: "Connects again when the host has been away.") var reconnect = true
    @Flag(help: "Each message as one line of JSON.") var json = false
    @Option(help: "Ends after so many messages.") var count: Int?
    @Argument(help: "Symbols as EXCHANGE:SYMBOL.") var symbols: [String]

    func run() async throws {
        // A reader that goes away is an error of the write, not the end of the process by a signal.
        signal(SIGPIPE, SIG_IGN)
        guard let key = key ?? ProcessInfo.processInfo.environment["FEEDHOST_KEY"], !key.isEmpty else {
            throw ValidationError(
                "No API key: give --key KEY, or set FEEDHOST_KEY. `feedhost keys issue NAME` makes one.")
        }
        let request = try TailRequest(mode: mode, depth: depth, symbols: symbols)
        try await Tail(
            address: TailAddress(url, authorities: ca), key: Secret(key), request: request,
            style: TailView.fitting(json: json), limit: count, reconnects: reconnect
        ).run()
    }
}
