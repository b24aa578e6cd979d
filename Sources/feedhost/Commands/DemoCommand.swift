import ArgumentParser
import Foundation
import MarketData
import Operations
import Secrets

/// `feedhost demo`: the host on the simulator, with its ticks in the terminal. What `make run` shows.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Runs the host on the simulator and shows its ticks.")

    @OptionGroup var options: ServeSettingsOptions
    @Option(help: "ltp, quote or depth.") var mode = "quote"
    @Argument(help: "Symbols as EXCHANGE:SYMBOL.")
    var symbols = ["NSE:RELIANCE", "NSE:SBIN", "NSE:INFY", "NSE:TCS", "NSE_INDEX:NIFTY"]

    func run() async throws {
        let request = try TailRequest(mode: mode, depth: 5, symbols: symbols)
        try await HostRun(input: options.input, isDemo: true, readyFile: nil).run { ready, key in
            guard let key else { return }
            let heading = "Press Ctrl-C to stop.\n\n"
            try Output.write(heading)
            try await Tail(
                address: TailAddress(ready.websocket), key: Secret(key), request: request,
                style: TailView.fitting(json: false), heading: HostRun.introduction(ready, key: key) + heading
            ).run()
        }
    }
}
