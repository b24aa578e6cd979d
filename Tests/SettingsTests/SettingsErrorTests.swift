import Testing

@testable import feedhost

struct SettingsErrorTests {
    let folder: SettingsFolder
    init() throws { folder = try SettingsFolder() }

    @Test(arguments: [
        ("WEBSOCKET_PORT", ["", "x", "70000", "-1", "80.5", "8765x"]),
        ("ZMQ_HOST", ["", "300.1.1.1", "a b", "-x", "tcp://x"]),
        ("WS_AUTH_GRACE_SECONDS", ["0", "nan", "inf", "1e3", "-5", "99999"]), ("WS_MAX_QUEUE", ["0", "1.5", "many"]),
        ("ENABLE_CONNECTION_POOLING", ["", "maybe", "2"]), ("LOG_LEVEL", ["", "loud"]), ("LOG_FORMAT", ["", "xml"]),
        ("SESSION_EXPIRY_TIME", ["3", "24:00", "03:60", "03:0", "a:b"]), ("VALID_BROKERS", ["zerodha;angel", "a b"]),
        ("FEEDHOST_PUBLISHER", ["5556", "tcp://", "tcp://x", "http://x:1", "tcp://x:99999"]),
        ("FEEDHOST_EXTERNAL_AS", ["Zerodha"]),
    ])
    func wrongValues(_ variable: String, _ values: [String]) {
        for value in values {
            let problems = folder.problems([variable: value])
            #expect(problems.count == 1, "\(variable)=\(value)")
            let text = problems.first ?? ""
            #expect(text.hasPrefix("environment variable \(variable) is ") && text.contains("; allowed: "))
            #expect(value.isEmpty ? text.contains("is empty") : text.contains("\"\(value)\""))
        }
    }

    @Test func eachSourceIsNamed() throws {
        try folder.write(".env", "\n\nZMQ_PORT='abc'\n")
        try folder.write("feedhost.yaml", "log:\n  level: info\n\nproxy:\n  port: [1, 2]\n  max_queue: none\n")
        let problems = folder.problems { $0.flags = [.init(flag: "--host", key: "proxy.host", value: "a b")] }
        let expected = [
            "--host is \"a b\"", ".env line 3: ZMQ_PORT is \"abc\"", "feedhost.yaml line 5: proxy.port has a list",
            "feedhost.yaml line 6: proxy.max_queue is \"none\"",
        ]
        #expect(problems.count == expected.count)
        for text in expected { #expect(problems.contains { $0.hasPrefix(text) }, "\(text) in \(problems)") }
    }

    @Test func hiddenWrongValuesAreErrorsToo() throws {
        try folder.write(".env", "ZMQ_PORT=abc\n")
        #expect(folder.problems(["ZMQ_PORT": "5555"]).first?.hasPrefix(".env line 1: ZMQ_PORT") == true)
    }

    @Test func secretsAreNotShown() throws {
        try folder.write(".env", "API_KEY_PEPPER=hunter2\nDATABASE_URL=hunter2\n")
        let problems = folder.problems()
        #expect(problems.count == 2)
        #expect(!problems.joined().contains("hunter2"))
        #expect(problems.first?.contains(".env line 2") == true || problems.first?.contains(".env line 1") == true)
    }

    @Test func unknownKeysOfTheFile() throws {
        try folder.write(
            "feedhost.yaml",
            "proxy:\n  prot: 1\n  host: localhost\nbuss:\n  port: 5\nzebra: 1\nlog: loud\nbus:\nproxy.port: 1\n")
        let problems = folder.problems()
        #expect(
            problems == [
                "feedhost.yaml line 2: proxy.prot is not a setting. Did you mean port?",
                "feedhost.yaml line 4: buss is not a setting. Did you mean bus?",
                "feedhost.yaml line 6: zebra is not a setting.",
                "feedhost.yaml line 7: log is a section; allowed in it: dir, format, level, retention, to_file",
            ])
    }

    @Test(arguments: ["a: [", "a: 1\na: 2\n", "- 1\n", "just text", "\t- x"])
    func filesThatAreNoYAML(_ text: String) throws {
        try folder.write("feedhost.yaml", text)
        let problems = folder.problems()
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("feedhost.yaml") == true)
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "~\n"]) func filesWithoutSettings(_ text: String) throws {
        try folder.write("feedhost.yaml", text)
        #expect(folder.problems().isEmpty)
    }

    @Test func missingFilesThatWereNamed() {
        #expect(folder.problems { $0.configFile = "no.yaml" } == ["There is no file no.yaml."])
        #expect(folder.problems { $0.envFile = "no.env" } == ["There is no file no.env."])
        #expect(folder.problems { $0.configFile = "." } == [". is a folder, not a file."])
    }

    @Test func unknownVariables() {
        #expect(
            folder.problems(["FEEDHOST_STOR": "x"]) == [
                "environment variable FEEDHOST_STOR is not a setting. Did you mean FEEDHOST_STORE?"
            ])
        #expect(folder.problems(["FEEDHOST_PLUGINS_PATH": "x"]).first?.contains("FEEDHOST_PLUGIN_PATH") == true)
        #expect(folder.problems(["FEEDHOST_NONSENSE": "x"]).first?.contains("FEEDHOST_BROKER_KEY") == true)
        #expect(folder.problems(["SOMETHING_ELSE": "x", "FLASK_PORT": "y"]).isEmpty)
    }

    @Test func allAtOnce() {
        let error = SettingsError(["one", "two"])
        #expect("\(error)" == "2 things are wrong with the configuration:\n  one\n  two")
        #expect("\(SettingsError(["one"]))" == "one")
    }

    @Test func terminalCodesAreNotObeyed() {
        let problems = folder.problems(["ZMQ_PORT": "\u{1B}[31mred"])
        #expect(problems.first?.contains("\u{1B}") == false)
    }
}
