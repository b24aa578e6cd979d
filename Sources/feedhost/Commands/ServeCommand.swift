import ArgumentParser
import Foundation
import Logging
import MarketData
import Operations
import Secrets

/// `feedhost serve`: the host itself.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the host until it gets SIGTERM or SIGINT.",
        discussion: "Every setting stands below the options; `feedhost doctor --settings` lists them too.")

    /// The help with all settings behind the options, where a discussion would stand before them.
    /// - Returns: Nil when this is not what the arguments ask for.
    static func help(_ arguments: [String]) -> String? {
        do {
            _ = try Feedhost.parseAsRoot(arguments)
            return nil
        } catch {
            let message = Feedhost.fullMessage(for: error)
            guard Feedhost.exitCode(for: error) == .success, message == Feedhost.helpMessage(for: ServeCommand.self)
            else { return nil }
            return message + "\n\n" + SettingsReference.text
        }
    }

    @OptionGroup var options: ServeSettingsOptions
    @Flag(help: "A temporary store with a user on the simulator; prints its key.") var demo = false
    @Option(help: ArgumentHelp("Written when clients can connect, removed at exit (JSON).", valueName: "file"))
    var readyFile: String?

    func run() async throws {
        try await HostRun(input: options.input, isDemo: demo, readyFile: readyFile).run { _, _ in }
    }
}

/// What `serve` and `demo` have in common.
struct HostRun: Sendable {
    var input: SettingsInput
    let isDemo: Bool
    let readyFile: String?

    /// - Parameter watch: Called when clients can connect, with the demo's key.
    func run(watch: @escaping @Sendable (ReadyFile, String?) async throws -> Void) async throws {
        let hangup = Hangup.prepare()
        if let readyFile { try ReadyPlace.clear(readyFile) }
        var input = input
        let demo = isDemo ? try Demo() : nil
        defer { demo?.remove() }
        if let demo { input.flags.append(.init(flag: "--demo", key: "store", value: demo.store)) }
        let settings = try Settings.load(input)
        settings.log.install()
        ProcessLimits.ignoreClosedPipes()
        harden(settings)
        let key = try await demo?.populate()
        let source = input
        try await HostService.run(
            settings, readyFile: readyFile, hangup: hangup, load: { try Settings.load(source) }
        ) { ready in
            if let key { try Output.write(Self.introduction(ready, key: key.revealed)) }
            try await watch(ready, key?.revealed)
        }
    }

    /// Before the first credential is read from a store; that nothing can be dumped is so since the program began.
    private func harden(_ settings: Settings) {
        let logger = Logger(label: "feedhost")
        Privileges.warnOfRoot(logger)
        if settings.allowsCoreDumps {
            CoreDumps.allow()
            logger.warning("hardening.core_dumps: a core dump of this process would show credentials")
        } else {
            CoreDumps.forbidForGood()
            CrashReport.install()
        }
    }

    /// What a person at the terminal needs to connect.
    static func introduction(_ ready: ReadyFile, key: String) -> String {
        """
        Feedhost is ready. Any OpenAlgo client can connect:
          address  \(ready.websocket)
          user     \(Demo.user)
          key      \(key)
          brokers  \(ready.brokers.joined(separator: ", "))

        """
    }
}
