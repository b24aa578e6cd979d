import MarketData
import Secrets
import Testing

@testable import feedhost

struct AdapterSettingsTests {
    let folder: SettingsFolder
    let declared: [String: [DeclaredKey]] = [
        "binance": [.init("endpoint", .url), .init("api_token", .secret)],
        "simulator": [.init("rate", .int), .init("seed", .int), .init("fast", .bool), .init("pause", .duration)],
        "five": [.init("x_key", .text), .init("x", .text)],
        "five_x": [.init("key", .text)],
    ]
    init() throws { folder = try SettingsFolder() }

    @Test func precedence() throws {
        try folder.write(
            "feedhost.yaml", "adapters:\n  simulator:\n    rate: 4\n    seed: 4\n    fast: yes\n    pause: 15s\n")
        try folder.write(".env", "FEEDHOST_SIMULATOR_RATE=3\nFEEDHOST_SIMULATOR_SEED=3\nFEEDHOST_SIMULATOR_FAST=off\n")
        let settings = try folder.load(["FEEDHOST_SIMULATOR_RATE": "2", "FEEDHOST_SIMULATOR_SEED": "2"]) {
            $0.assignments = ["simulator.rate=1"]
        }
        let found = settings.adapterSettings(broker: "simulator")
        #expect(found.mapValues(\.value.revealed) == ["rate": "1", "seed": "2", "fast": "off", "pause": "15s"])
        #expect(found["rate"]?.source == "--set simulator.rate")
        #expect(found["seed"]?.source == "environment variable FEEDHOST_SIMULATOR_SEED")
        #expect(found["fast"]?.source == ".env line 3: FEEDHOST_SIMULATOR_FAST")
        #expect(found["pause"]?.source == "feedhost.yaml line 6: adapters.simulator.pause")
        #expect(try settings.adapters.resolve(declared: declared) == ["simulator": found])
    }

    @Test func valuesMayHoldAnything() throws {
        let settings = try folder.load { $0.assignments = ["binance.endpoint=ws://x/?a=b.c", "five.x="] }
        #expect(settings.adapterSettings(broker: "binance")["endpoint"]?.value.revealed == "ws://x/?a=b.c")
        #expect(settings.adapterSettings(broker: "five")["x"]?.value.isEmpty == true)
        try settings.adapters.validate(declared: declared)
    }

    @Test func theBrokerWithTheKeyIsMeant() throws {
        let settings = try folder.load(["FEEDHOST_FIVE_X_KEY": "v", "FEEDHOST_FIVE_X": "w"])
        let resolved = try settings.adapters.resolve(declared: declared)
        #expect(resolved["five_x"]?["key"]?.value == Secret("v"))
        #expect(resolved["five"]?.mapValues(\.value.revealed) == ["x": "w"])
    }

    @Test(arguments: [
        ("simulator.rate=fast", "--set simulator.rate is \"fast\"; allowed: a whole number"),
        ("simulator.fast=maybe", "--set simulator.fast is \"maybe\"; allowed: true or false"),
        ("simulator.pause=soon", "--set simulator.pause is \"soon\"; allowed: a number, or one with a unit"),
        ("binance.endpoint=localhost", "--set binance.endpoint is \"localhost\"; allowed: a URL"),
        (
            "binance.endpiont=x",
            "--set binance.endpiont: binance has no setting \"endpiont\"; it has: api_token, endpoint. Did you mean endpoint?"
        ),
        ("binanse.endpoint=x", "--set binanse.endpoint: no adapter for binanse is loaded. Did you mean binance?"),
    ])
    func wrong(_ assignment: String, _ expected: String) throws {
        let settings = try folder.load { $0.assignments = [assignment] }
        do {
            try settings.adapters.validate(declared: declared)
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".hasPrefix(expected), "\(error)")
        }
    }

    @Test func variablesOfNobody() throws {
        let settings = try folder.load(["FEEDHOST_BINANSE_ENDPOINT": "x", "FEEDHOST_SIMULATOR_RATES": "1"])
        do {
            try settings.adapters.validate(declared: declared)
            Issue.record("nothing was thrown")
        } catch {
            let problems = (error as? SettingsError)?.problems ?? []
            #expect(problems.count == 2)
            #expect(problems.contains { $0.hasSuffix("Did you mean FEEDHOST_BINANCE_ENDPOINT?") })
            #expect(problems.contains { $0.hasSuffix("Did you mean rate?") })
        }
    }

    @Test(arguments: ["rate=1", "simulator", "simulator.rate", "Simulator.rate=1", ".x=1", "a.=1", ""])
    func assignmentsThatAreNone(_ text: String) {
        let problems = folder.problems { $0.assignments = [text] }
        #expect(problems.count == 1)
        #expect(problems.first?.contains("BROKER.KEY=VALUE") == true)
    }

    @Test func shapesOfTheFile() throws {
        try folder.write("feedhost.yaml", "adapters:\n  binance: 3\n  simulator:\n    rate: [1]\n  five:\n")
        #expect(
            folder.problems() == [
                "feedhost.yaml line 2: adapters.binance is not understood; allowed: adapters: {BROKER: {KEY: VALUE}}",
                "feedhost.yaml line 4: adapters.simulator.rate is not understood; allowed: adapters: {BROKER: {KEY: VALUE}}",
            ])
    }

    @Test func nearMatches() {
        #expect(EditDistance.between("port", "prot", atMost: 3) == 1)
        #expect(EditDistance.between("", "abc", atMost: 3) == 3)
        #expect(EditDistance.nearest(to: "completely", among: ["other", "words"]) == nil)
    }
}
