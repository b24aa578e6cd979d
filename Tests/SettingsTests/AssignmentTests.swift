import Logging
import MarketData
import Secrets
import Testing

@testable import feedhost

/// `--set` takes every setting of the table, and those of adapters.
struct AssignmentTests {
    let folder: SettingsFolder
    init() throws { folder = try SettingsFolder() }

    /// A value for each kind, other than its default.
    private static func value(_ definition: SettingDefinition) -> String {
        switch definition.kind {
        case .text: "log/x"
        case .longText(let least): String(repeating: "p", count: least)
        case .int(let range), .countOrAuto(let range): "\(range.lowerBound + 1)"
        case .bool: definition.standard == "true" ? "false" : "true"
        case .port: "4711"
        case .host: "10.1.2.3"
        case .seconds(let range): "\(Int(range.lowerBound) + 1)"
        case .level: "debug"
        case .logFormat: "json"
        case .time: "07:07"
        case .choice(let words): words.first { $0 != definition.standard } ?? ""
        case .choices(let words): words[0]
        case .provider: "plugin:abacus"
        case .databaseURL: "sqlite:////tmp/x.db"
        case .endpoint: "tcp://127.0.0.1:4712"
        case .broker: "dhan"
        case .brokers: "dhan,zerodha"
        case .paths: "/a:/b"
        case .brokerMap: "dhan=alice"
        case .listeners: "ws://127.0.0.1:1,ws://127.0.0.1:2"
        case .origins: "https://a.example"
        case .networks: "10.0.0.0/8"
        case .address: "10.1.2.3"
        case .proxy: "http://user:secret@proxy.example:3128"
        case .proxyExceptions: "localhost,10.0.0.0/8"
        }
    }

    @Test(arguments: SettingTable.all.map(\.key)) func everySettingCanBeAssigned(_ key: String) throws {
        let definition = try #require(SettingTable.byKey[key])
        let value = Self.value(definition)
        let source = SettingSource.flags([], assignments: ["\(key)=\(value)"])
        #expect(source.problems.isEmpty && source.adapters.isEmpty)
        #expect(source.layer.entry(for: key)?.origin == "--set \(key)")
        let resolver = SettingResolver([source.layer, SettingSource.environment([:]).layer])
        #expect(resolver.problems.isEmpty, "\(resolver.problems)")
        #expect(resolver.origins[key] == "--set \(key)")
    }

    @Test func theyWinOverVariablesAndLookAlikeInErrors() throws {
        let settings = try folder.load(["LOG_LEVEL": "ERROR", "FEEDHOST_LISTEN": "ws://127.0.0.1:3"]) {
            $0.assignments = ["log.level=debug", "proxy.listen=ws://127.0.0.1:1,ws://127.0.0.1:2", "adapters.five.x=y"]
        }
        #expect(settings.log.level == .debug)
        #expect(settings.clients.listeners.count == 2)
        #expect(settings.adapterSettings(broker: "five")["x"]?.value.revealed == "y")
        #expect(
            folder.problems { $0.assignments = ["proxy.port=x"] }
                == ["--set proxy.port is \"x\"; allowed: a port from 1 to 65535, or 0 for a free one"])
    }

    @Test(arguments: [
        ("tls.certificat=x", "--set tls.certificat is not a setting. Did you mean tls.certificate?"),
        ("log.levl=debug", "--set log.levl is not a setting. Did you mean log.level?"),
        ("bus.curve.certificat=x", "--set bus.curve.certificat is not a setting. Did you mean bus.curve.certificate?"),
    ])
    func slipsAreTold(_ assignment: String, _ expected: String) {
        #expect(folder.problems { $0.assignments = [assignment] } == [expected])
    }

    @Test func secretsAreNotRepeated() {
        for assignment in ["openalgo.pepper=hunter2", "jwt.secrt=hunter2", "hunter2"] {
            let problems = folder.problems { $0.assignments = [assignment] }
            #expect(problems.count == 1)
            #expect(assignment == "hunter2" || !problems.joined().contains("hunter2"))
        }
    }

    @Test func theSameSettingByTwoFlags() {
        let problems = folder.problems {
            $0.flags = [.init(flag: "--port", key: "proxy.port", value: "1")]
            $0.assignments = ["proxy.port=2"]
        }
        #expect(problems == ["--set proxy.port and --port set the same: keep one of them."])
    }
}

struct CommandSlipTests {
    @Test(arguments: [
        (["serv"], "There is no command `feedhost serv`. Did you mean serve?"),
        (["users", "ad", "x"], "There is no command `feedhost users ad`. Did you mean add?"),
        (["plugins", "lst"], "There is no command `feedhost plugins lst`. Did you mean list?"),
        (
            ["bus", "top"],
            "There is no command `feedhost bus top`. There are: keygen."
        ),
    ])
    func slips(_ arguments: [String], _ expected: String) {
        #expect(CommandSlip.find(arguments, below: Feedhost.self) == expected)
    }

    @Test(arguments: [
        [], ["serve"], ["serve", "--port", "1"], ["--version"], ["help", "serve"], ["users"], ["users", "add", "bob"],
        ["users", "--help"], ["tail", "NSE:SBIN"], ["plugins", "--json"],
    ])
    func commands(_ arguments: [String]) { #expect(CommandSlip.find(arguments, below: Feedhost.self) == nil) }
}
