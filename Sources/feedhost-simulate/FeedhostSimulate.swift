import ArgumentParser
import BrokerSimulator
import Foundation
import Logging
import UnixSignals

/// `feedhost-simulate`: a broker's server side on this machine, for tests and for authors of adapters.
@main
struct FeedhostSimulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feedhost-simulate",
        abstract: "Simulates a broker's server side: sockets, orders, login and master files.",
        discussion: """
            When it listens, one line of JSON on standard output says where. While it runs, GET /_sim/state and \
            GET /_sim/instruments on the same port tell what happens, and POST /_sim/<fault> makes things happen.

            Options of brokers (--option NAME=VALUE):
            \(habits)
            """)

    /// A line for each broker that has options; brokers with the same ones share it.
    private static var habits: String {
        var lines: [(brokers: String, settings: [String])] = []
        for kind in VenueKind.all where !kind.settings.isEmpty {
            if let line = lines.firstIndex(where: { $0.settings == kind.settings }) {
                lines[line].brokers += ", \(kind.name)"
            } else {
                lines.append((kind.name, kind.settings))
            }
        }
        return lines.map { "\($0.brokers): \($0.settings.joined(separator: ", "))" }.joined(separator: "\n")
    }

    @Argument(help: "\(VenueKind.all.map(\.name).joined(separator: ", ")).") var broker: String
    @Option(help: "Port to listen on; 0 lets the system choose.") var port = 0
    @Option(help: "Address to listen on. Nothing is protected: keep it on this machine.") var host = "127.0.0.1"
    @Option(help: "The same seed gives the same market.") var seed: UInt64 = 1
    @Option(help: "Ticks a second on each connection; 0 sends those of faults only.") var rate = 100.0
    @Option(help: "Synthetic cash symbols (SIM00001, …) beside the usual instruments.") var instruments = 0
    @Option(
        name: .customLong("option"),
        help: .init("A habit of the broker; see below. Repeatable.", valueName: "name=value"))
    var settings: [String] = []
    @Option(help: "File of faults with times: lines of SECONDS FAULT [JSON].") var script: String?
    @Option(help: "File that every frame sent is written to, as JSON lines.") var record: String?
    @Option(help: "Connections of one user; without it as many as the broker allows.") var connectionLimit: Int?
    @Option(help: "Instruments of one connection; without it as many as the broker allows.") var instrumentLimit: Int?
    @OptionGroup(title: "What is accepted") var accepted: AcceptedCredentials

    func validate() throws {
        _ = try venue()
        guard (0...65_535).contains(port) else { throw ValidationError("A port is 0 to 65535.") }
        guard rate >= 0, rate <= 1_000_000 else { throw ValidationError("A rate is 0 to 1000000.") }
        guard (0...1_000_000).contains(instruments) else { throw ValidationError("--instruments is 0 to 1000000.") }
        guard connectionLimit ?? 0 >= 0, instrumentLimit ?? 0 >= 0 else {
            throw ValidationError("A limit is not below 0.")
        }
    }

    /// The broker, with what was set.
    private func venue() throws -> VenueKind {
        guard let kind = VenueKind.named(broker) else {
            throw ValidationError(
                "There is no broker \(broker). There are: \(VenueKind.all.map(\.name).joined(separator: ", ")).")
        }
        do throws(SimulatorError) {
            return try kind.setting(settings)
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var options = SimulatorOptions(venue: try venue())
        options.host = host
        options.port = port
        options.seed = seed
        options.rate = rate
        options.syntheticInstruments = instruments
        options.connectionLimit = connectionLimit
        options.instrumentLimit = instrumentLimit
        options.credentials = accepted.credentials
        options.record = record
        options.script = try script.map { try Script(path: $0) }
        options.logger = Logger(label: "feedhost.simulate")
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let server = try await SimulatorServer.start(options)
        try announce(server)
        for await _ in signals { break }
        await server.stop()
    }

    private func announce(_ server: SimulatorServer) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var line = try encoder.encode(ReadyLine(port: server.port, endpoints: server.endpoints))
        line.append(UInt8(ascii: "\n"))
        try FileHandle.standardOutput.write(contentsOf: line)
    }
}
