import Accounts
import Adapters
import ArgumentParser
import Foundation
import Instruments
import Logging
import Operations

/// `feedhost doctor`: what is missing or wrong here, and how to mend it.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Says what is missing or wrong here and how to mend it.",
        discussion: "Ends with status 1 when something keeps the host from working.")

    @OptionGroup var options: ServeSettingsOptions
    @Flag(help: "Lists every setting with its names, range and default.") var settings = false

    func run() async throws {
        if settings {
            try Output.line(SettingsReference.text)
            return
        }
        var findings = Findings()
        do {
            let settings = try Settings.load(options.input)
            findings.good(
                "configuration",
                "read\(settings.origins.isEmpty ? ", all defaults" : ": \(settings.origins.count) settings are set")")
            for notice in settings.notices + settings.withoutEffect + [settings.providerNotice].compactMap(\.self) {
                findings.hint("configuration", notice)
            }
            let registry = checkPlugins(settings, &findings)
            await checkInstruments(settings, registry, &findings)
            if settings.isOnOpenAlgo {
                await checkOpenAlgo(settings, registry, &findings)
            } else {
                await checkStore(settings, registry, &findings)
                await checkProvider(settings, registry, &findings)
            }
            checkOtherHost(settings, &findings)
            checkPorts(settings, &findings)
            checkListeners(settings, &findings)
            checkCertificate(settings, &findings)
            checkBusKeys(settings, &findings)
            checkDescriptors(settings, &findings)
            checkDisk(settings, &findings)
            await checkClock(settings, &findings)
            checkSystem(settings, &findings)
        } catch let error as SettingsError {
            for problem in error.problems { findings.bad("configuration", problem) }
        }
        try Output.line(findings.text)
        if findings.hasBad { throw ExitCode(1) }
    }

    private func checkPlugins(_ settings: Settings, _ findings: inout Findings) -> AdapterRegistry {
        let registry = PluginScan.run(settings)
        for record in registry.report where record.state != .ignored {
            if record.state == .loaded {
                findings.good(
                    "adapter", "\(record.broker ?? record.id ?? "?") \(record.version ?? "") (\(record.path))")
            } else {
                findings.hint("adapter", "\(record.path) is not loaded: \(record.reason ?? record.state.rawValue)")
            }
        }
        if registry.brokers.isEmpty {
            findings.bad("adapter", PluginScan.nothingFound(registry))
        }
        do {
            _ = try settings.adapters.resolve(declared: PluginScan.declaredKeys(registry))
        } catch {
            findings.bad("adapter settings", "\(error)")
        }
        return registry
    }

    /// Of the brokers that cannot do without.
    private func checkInstruments(
        _ settings: Settings, _ registry: AdapterRegistry, _ findings: inout Findings
    ) async {
        do {
            let store = try MasterStore.existing(path: MasterStore.path(beside: settings.store))
            let records = try await store?.records() ?? []
            store?.close()
            for broker in registry.brokers where registry.adapter(broker)?.hasMaster == true {
                let mend = "`feedhost instruments sync \(broker)` downloads them"
                guard let record = records.first(where: { $0.broker == broker }) else {
                    findings.hint("instruments", "none of \(broker) are stored, and it knows no symbol; \(mend)")
                    continue
                }
                let text = "\(record.rows) of \(broker), \(InstrumentTexts.age(since: record.syncedAt)) old"
                // A weekend, when nothing is refreshed on a machine that sleeps, is no reason to worry.
                let isOld = Date().timeIntervalSince1970 - Double(record.syncedAt) > 4 * 86_400
                if isOld {
                    findings.hint("instruments", "\(text); \(mend)")
                } else {
                    findings.good("instruments", text)
                }
            }
        } catch {
            findings.bad("instruments", "\(error)")
        }
    }

    private func checkStore(
        _ settings: Settings, _ registry: AdapterRegistry, _ findings: inout Findings
    ) async {
        guard FileManager.default.fileExists(atPath: settings.store) else {
            findings.hint(
                "store", "\(settings.store) does not exist yet; `feedhost users add NAME --broker BROKER` makes it")
            return
        }
        do {
            let store = try settings.accountStore(create: false)
            let users = try await store.users()
            let keys = try await store.keys().filter { $0.revoked == nil }
            findings.good("store", "\(settings.store): \(users.count) users, \(keys.count) valid keys")
            if keys.isEmpty {
                findings.hint("store", "no client can come in: make a key with `feedhost keys issue NAME`")
            }
            await checkCredentials(store, &findings)
            try await checkAccounts(store, settings, registry, &findings)
            try? store.close()
        } catch {
            findings.bad("store", "\(error)")
        }
    }

    private func checkCredentials(_ store: AccountStore, _ findings: inout Findings) async {
        for notice in store.notices { findings.hint("credentials", notice) }
        do {
            let count = try await store.verifyCredentials()
            if count > 0 { findings.good("credentials", "\(count), all can be decrypted") }
        } catch {
            findings.bad("credentials", "\(error)")
        }
    }

    private func checkPorts(_ settings: Settings, _ findings: inout Findings) {
        for (name, port) in [("client port", settings.proxy.port), ("bus port", settings.bus.port)]
        where port.number != 0 {
            guard let holder = PortHolder.name(port: port.number) else {
                findings.good(name, "\(port.number) is free")
                continue
            }
            if port.isExplicit {
                findings.bad(name, "\(port.number) (\(port.source)) is taken by \(holder); stop it or choose another")
            } else {
                findings.hint(name, "\(port.number) is taken by \(holder); the next free one will be used")
            }
        }
    }

    private func checkSystem(_ settings: Settings, _ findings: inout Findings) {
        if settings.proxy.host != "127.0.0.1", settings.proxy.host != "localhost", settings.proxy.host != "::1" {
            findings.hint("system", "clients can connect from other machines (\(settings.proxy.host)), and without TLS")
        }
        if settings.stats.isExplicit, !StatsFile(path: settings.stats.path).hasFolder {
            findings.bad("stats file", "the folder of \(settings.stats.path) does not exist; make it with mkdir -p")
        }
    }
}

/// What the doctor has found, in lines.
struct Findings {
    private var lines: [String] = []
    private(set) var hasBad = false

    mutating func good(_ what: String, _ text: String) { lines.append("ok    \(what): \(text)") }
    mutating func hint(_ what: String, _ text: String) { lines.append("note  \(what): \(text)") }
    mutating func bad(_ what: String, _ text: String) {
        hasBad = true
        lines.append("WRONG \(what): \(text)")
    }

    var text: String {
        (lines + [hasBad ? "Something keeps the host from working." : "The host can start."]).joined(separator: "\n")
    }
}
