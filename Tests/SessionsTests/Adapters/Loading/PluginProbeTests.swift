import Foundation
import TestSupport
import Testing

@testable import Adapters

@Suite(.timeLimit(.minutes(2))) struct PluginProbeTests {
    /// Without the feedhost binary and a C compiler these tests fail: skipped, nobody would miss them.
    init() throws {
        try #require(ProbeFixture.executable != nil)
        try #require(ProbeFixture.plugins != nil)
    }

    private func folder(_ name: String) throws -> String { "\(try #require(ProbeFixture.plugins))/\(name)" }

    private func scan(
        _ folders: [String], allowed: Set<String>? = nil, pins: [String: String] = [:]
    ) -> AdapterRegistry {
        AdapterRegistry.scan(
            .init(
                folders: folders.map { PluginFolder(path: $0, isExplicit: true) }, allowed: allowed, pins: pins),
            probe: ProbeFixture.probe())
    }

    private func reasons(_ registry: AdapterRegistry) -> [String: String] {
        Dictionary(registry.report.map { ($0.file, "\($0.state.rawValue): \($0.reason ?? "")") }) { a, _ in a }
    }

    @Test func badFilesAreNamedWithTheirReasonInLessThanThreeSeconds() throws {
        let bad = try folder("bad")
        let start = ContinuousClock.now
        let registry = scan([bad])
        #expect(ContinuousClock.now - start < .seconds(3))
        #expect(registry.brokers.isEmpty)
        let reasons = reasons(registry)
        let wanted = [
            "empty.so": "empty", "text.so": "text", "truncated.so": "truncated", "wrong-machine.so": "is built for",
            "no-entry.so": "feedhost_adapter_entry_v1", "unresolved-symbol.so": "function_that_nobody_has",
            "wrong-magic.so": "magic", "future-abi.so": "ABI 2.1", "wrong-layout.so": "fh_tick",
            "crashing-constructor.so": "quarantined: crashed with SIGSEGV",
            "hanging-constructor.so": "quarantined: timed out", "duplicate-a.so": "duplicate-b.so",
            "duplicate-b.so": "duplicate-a.so",
        ]
        for (file, part) in wanted {
            #expect(reasons[file]?.contains(part) == true, "\(file): \(reasons[file] ?? "not listed")")
        }
        #expect(reasons.count == wanted.count)
    }

    @Test func moreBadFiles() throws {
        let extra = try folder("extra")
        let registry = scan([extra])
        let reasons = reasons(registry)
        let wanted = [
            "exiting-constructor.so": "quarantined: exited with status 0", "exit-in-entry.so": "exited with status 0",
            "host-too-old.so": "1.99", "unresolved-library.so": "libdoesnotexist.so.1",
            "world-writable.so": "chmod o-w",
            "not-a-library.so": "executable", "pie-program.so": "executable", "null-descriptors.so": "descriptors",
            "32-bit.so": "32-bit", "huge-section.so": "truncated", "no-broker-key.so": "broker key",
        ]
        for (file, part) in wanted {
            #expect(reasons[file]?.contains(part) == true, "\(file): \(reasons[file] ?? "not listed")")
        }
    }

    @Test func shadowsPinsAndValidBrokers() throws {
        let folders = [try folder("shadow/first"), try folder("shadow/second")]
        let registry = scan(folders)
        let adapter = try #require(registry.adapter("shade"))
        #expect(adapter.path == "\(folders[0])/shadow.so")
        #expect(registry.report.map(\.state) == [.loaded, .shadowed])
        #expect(scan(folders, allowed: ["other"]).report.map(\.state) == [.disabled, .disabled])
        let twins = scan([try folder("bad")], pins: ["twin": "duplicate-b.so"])
        #expect(twins.adapter("twin")?.path.hasSuffix("duplicate-b.so") == true)
    }

    @Test func aFileThatComesLaterIsFoundByItsName() throws {
        let temporary = try TemporaryFolder()
        let registry = scan([temporary.path])
        #expect(throws: PluginRefusal.self) { try registry.find("minimal").get() }
        // First a bad file of that name, then the good one: a changed file is looked at again.
        try temporary.write("libminimal.so", Array("text".utf8))
        guard case .failure(let refusal) = registry.find("minimal") else { throw Unexpected() }
        #expect(refusal.reason.contains("text"))
        let valid = [UInt8](try Data(contentsOf: URL(fileURLWithPath: try folder(".work/valid.so"))))
        try temporary.write("libminimal.so", valid)
        #expect(try registry.find("minimal").get().broker == "minimal")
        #expect(registry.report.map(\.state) == [.loaded])
        #expect(throws: PluginRefusal.self) { try registry.find("../minimal").get() }
    }

    @Test func answersAreRememberedUntilTheFileChanges() throws {
        let temporary = try TemporaryFolder()
        let hanging = try Data(contentsOf: URL(fileURLWithPath: try folder("bad/hanging-constructor.so")))
        let path = try temporary.write("a.so", [UInt8](hanging))
        let probe = ProbeFixture.probe(limit: .milliseconds(300))
        let request = PluginProbe.Request(path: path, identity: try #require(FileIdentity(path: path)))
        let first = ContinuousClock.now
        let answer = probe.probe([request])
        #expect(ContinuousClock.now - first >= .milliseconds(300))
        let second = ContinuousClock.now
        #expect(probe.probe([request]) == answer)
        #expect(ContinuousClock.now - second < .milliseconds(100))
        try temporary.write("a.so", [UInt8](try Data(contentsOf: URL(fileURLWithPath: try folder(".work/valid.so")))))
        let changed = PluginProbe.Request(path: path, identity: try #require(FileIdentity(path: path)))
        #expect(changed != request)
        #expect(try #require(probe.probe([changed])[changed]).get().brokers.map(\.broker) == ["minimal"])
    }

    /// The adapter is asked without an instance. One that follows the null pointer has no master, and works otherwise.
    @Test(arguments: [
        ("static const fh_instruments table; return strcmp(id, \"feedhost.instruments/1\") ? NULL : &table;", true),
        ("return NULL;", false), ("return (void *)(long)*(volatile int *)instance;", false), ("exit(0);", false),
        ("for (;;) *(volatile char *)id;", false),
    ])
    func mastersAreFoundOut(body: String, hasMaster: Bool) throws {
        let temporary = try TemporaryFolder()
        try ProbeFixture.adapter(extension: body, in: temporary)
        let adapter = try #require(scan([temporary.path]).adapter("minimal"))
        #expect(adapter.hasMaster == hasMaster)
        #expect(adapter.capabilities.flags.isEmpty)
    }

    /// The same for accounts, which are asked for last: what fails there has been asked for its master.
    @Test(arguments: [
        ("static const fh_auth table; return strcmp(id, \"feedhost.auth/1\") ? NULL : &table;", false, true),
        ("static const fh_auth table; return &table;", true, true), ("return NULL;", false, false),
        ("if (strcmp(id, \"feedhost.auth/1\") == 0) abort(); return id;", true, false),
        ("if (strcmp(id, \"feedhost.auth/1\") == 0) for (;;) *(volatile char *)id; return id;", true, false),
    ])
    func accountsAreFoundOut(body: String, hasMaster: Bool, hasAccounts: Bool) throws {
        let temporary = try TemporaryFolder()
        try ProbeFixture.adapter(extension: body, in: temporary)
        let registry = scan([temporary.path])
        let adapter = try #require(registry.adapter("minimal"))
        #expect(adapter.hasMaster == hasMaster && adapter.hasAccounts == hasAccounts)
        let record = try #require(registry.report.first)
        #expect(record.state == .loaded && record.summary == (hasAccounts ? "LTP, NSE, accounts" : "LTP, NSE"))
    }

    @Test func whoTakesAnySymbolIsNotAskedForAMaster() throws {
        let valid = try folder(".work/valid.so")
        let probe = ProbeFixture.probe()
        let request = PluginProbe.Request(path: valid, identity: try #require(FileIdentity(path: valid)))
        #expect(try #require(probe.probe([request])[request]).get().masters.isEmpty)
    }

    @Test func aProgramThatIsNoProbeIsNotTakenForOne() throws {
        let valid = try folder(".work/valid.so")
        let probe = PluginProbe(executable: "/bin/true", environment: [:])
        let request = PluginProbe.Request(path: valid, identity: try #require(FileIdentity(path: valid)))
        guard case .failure(let refusal) = probe.probe([request])[request] else { throw Unexpected() }
        #expect(refusal.reason.contains("could not be probed"))
    }

    private struct Unexpected: Error {}
}
