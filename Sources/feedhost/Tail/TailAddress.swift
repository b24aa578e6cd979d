import ArgumentParser
import Foundation
import MarketData
import Operations
import StreamProxy
import Transport

/// Where the host listens, and whom to trust there.
struct TailAddress: Sendable {
    let url: TransportURL
    /// PEM file with the authorities; nil for the system's.
    let authorities: String?

    /// - Parameters:
    ///   - text: As listeners are named: `ws://HOST:PORT`, `wss://HOST:PORT` (with a path if need be), `unix:/PATH`.
    ///   - authorities: What `--ca` says.
    /// - Throws: `ValidationError`.
    init(_ text: String, authorities: String? = nil) throws {
        if text.hasPrefix("unix:") {
            do {
                guard case .unix(let path, _) = try ListenerAddress(text).place else {
                    throw ValidationError("--url \(text): write unix:/PATH.")
                }
                url = TransportURL(unixSocket: path)
            } catch let error as ListenerAddress.InvalidURL {
                throw ValidationError("--url \(error).")
            }
        } else {
            do {
                url = try TransportURL(text)
            } catch {
                throw ValidationError("--url: \(error). Write ws://HOST:PORT, wss://HOST:PORT or unix:/PATH.")
            }
            guard url.scheme == .ws || url.scheme == .wss else {
                throw ValidationError(
                    "--url \(url): a WebSocket begins with ws:// or wss://; a Unix socket is written unix:/PATH.")
            }
        }
        if authorities != nil, url.scheme != .wss {
            throw ValidationError("--ca says whom to trust under TLS, and \(url) has none; write wss://.")
        }
        self.authorities =
            url.scheme == .wss ? authorities ?? ProcessInfo.processInfo.environment["SSL_CERT_FILE"] : nil
    }

    /// - Throws: ``StartError`` for a file of authorities that cannot be used.
    func options() throws -> WebSocketConnection.Options {
        var options = WebSocketConnection.Options()
        // A cable that was pulled is noticed.
        options.pingInterval = 20_000
        guard let authorities else { return options }
        let code = FileTrouble.examine(authorities)
        guard code == 0 else {
            throw StartError("The authorities' file \(authorities) \(FileTrouble.reading(authorities, code)).")
        }
        do {
            try options.trust(onlyFile: authorities)
        } catch {
            throw StartError("\(error); --ca wants the certificate of the authority that signed the host's.")
        }
        return options
    }
}
