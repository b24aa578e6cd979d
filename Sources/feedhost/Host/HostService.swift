import Foundation
import Logging
import MarketData
import Operations
import ServiceLifecycle
import UnixSignals

/// The host as a service: it starts, runs until it is told to end, and drains.
struct HostService: Service {
    let settings: Settings
    let readyFile: String?
    let hangup: Hangup?
    /// Reads the settings again, from where they came.
    let load: @Sendable () throws -> Settings
    /// Called when clients can connect.
    let started: @Sendable (ReadyFile) async throws -> Void

    func run() async throws {
        let lock = try settings.lockStore { Logger(label: "feedhost").notice("\($0)") }
        defer { lock?.release() }
        let host = try await FeedHost.start(settings)
        let ready = host.ready
        var hold: ReadyPlace.Hold?
        do {
            if let readyFile { hold = try ReadyPlace.write(ready, to: readyFile) }
            let clients = ready.listeners.joined(separator: " and ")
            Logger(label: "feedhost").info(
                "ready: clients at \(clients), publishers at \(ready.bus), subscribers at \(ready.publisher)")
            ServiceManager.tell(.ready)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await started(ready)
                    return false
                }
                group.addTask {
                    try await gracefulShutdown()
                    return true
                }
                group.addTask { await hangUps(host) }
                // It is the shutdown that ends the host, or a failure; that `started` is done does not.
                for try await isShutdown in group where isShutdown { break }
                group.cancelAll()
            }
        } catch {
            await end(host, hold)
            if error is CancellationError { return }
            throw error
        }
        await end(host, hold)
    }

    /// - Returns: Whether the host is to end; otherwise when the task is cancelled.
    private func hangUps(_ host: FeedHost) async -> Bool {
        guard let hangup else { return false }
        for await _ in hangup.signals {
            switch hangup.meaning {
            case .readAgain: await host.readAgain(load)
            case .end:
                Logger(label: "feedhost").notice("SIGHUP: the terminal is gone, and the host ends with it")
                return true
            }
        }
        return false
    }

    private func end(_ host: FeedHost, _ hold: ReadyPlace.Hold?) async {
        ServiceManager.tell(.stopping)
        hold?.remove()
        await host.stop()
    }

    /// Runs the host until SIGTERM or SIGINT, or until its terminal is gone.
    static func run(
        _ settings: Settings, readyFile: String?, hangup: Hangup?, load: @escaping @Sendable () throws -> Settings,
        started: @escaping @Sendable (ReadyFile) async throws -> Void
    ) async throws {
        var logger = Logger(label: "lifecycle")
        logger.logLevel = .error
        let service = HostService(
            settings: settings, readyFile: readyFile, hangup: hangup, load: load, started: started)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}
