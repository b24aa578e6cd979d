import Foundation
import Logging
import MarketData
import ServiceLifecycle
import UnixSignals

/// The host as a service: it starts, runs until it is told to end, and drains.
struct HostService: Service {
    let settings: Settings
    let readyFile: String?
    /// Called when clients can connect.
    let started: @Sendable (ReadyFile) async throws -> Void

    func run() async throws {
        // One that a killed host has left would tell scripts of an address where nobody is.
        if let readyFile { ReadyFile.remove(readyFile) }
        let host = try await FeedHost.start(settings)
        let ready = host.ready
        do {
            if let readyFile { try ready.write(to: readyFile) }
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
                // It is the shutdown that ends the host, or a failure; that `started` is done does not.
                for try await isShutdown in group where isShutdown { break }
                group.cancelAll()
            }
        } catch {
            await end(host)
            if error is CancellationError { return }
            throw error
        }
        await end(host)
    }

    private func end(_ host: FeedHost) async {
        ServiceManager.tell(.stopping)
        if let readyFile { ReadyFile.remove(readyFile) }
        await host.stop()
    }

    /// Runs the host until SIGTERM or SIGINT.
    static func run(
        _ settings: Settings, readyFile: String?, started: @escaping @Sendable (ReadyFile) async throws -> Void
    ) async throws {
        var logger = Logger(label: "lifecycle")
        logger.logLevel = .error
        let service = HostService(settings: settings, readyFile: readyFile, started: started)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}
