import Accounts
import Testing

@testable import feedhost

/// Settings that hold words: one of a few, some of a few, and a provider of accounts.
struct WordSettingsTests {
    let folder: SettingsFolder
    init() throws { folder = try SettingsFolder() }

    private let choices = SettingKind.choices(["HS256", "RS256", "ES256"])
    private let provider = SettingKind.provider(["auto", "sqlite", "openalgo", "jwt"])

    @Test(arguments: [
        ([], []), ([""], []), (["RS256"], ["RS256"]), (["rs256", " ES256 "], ["RS256", "ES256"]),
        (["HS256", "RS256", "ES256"], ["HS256", "RS256", "ES256"]), (["ES256", ""], ["ES256"]),
    ])
    func someOfAFewWords(_ raw: [String], _ value: [String]) {
        #expect(choices.parse(raw) == .list(value))
    }

    @Test(arguments: [["none"], ["RS256", "none"], ["RS 256"], ["RS256 ES256"], ["RS256;ES256"], ["HS25"], ["*"]])
    func noneOfThem(_ raw: [String]) { #expect(choices.parse(raw) == nil) }

    @Test func manySourcesOfThem() throws {
        #expect(try folder.load().tokens.configuration.algorithms.isEmpty)
        let fromVariable = try folder.load(["FEEDHOST_JWT_ALGORITHMS": "es256, HS256,"])
        #expect(fromVariable.tokens.configuration.algorithms == [.es256, .hs256])
        try folder.write("feedhost.yaml", "jwt:\n  algorithms: [RS256, ES256]\n")
        #expect(try folder.load().tokens.configuration.algorithms == [.rs256, .es256])
        try folder.write("feedhost.yaml", "jwt:\n  algorithms: RS256\n")
        #expect(try folder.load().tokens.configuration.algorithms == [.rs256])
    }

    @Test(arguments: [
        ("RS265", " Did you mean RS256?"), ("HS256,RS255", " Did you mean RS256?"), ("none", ""), ("EdDSA", ""),
    ])
    func aWrongWordOfSome(_ value: String, _ hint: String) {
        #expect(
            folder.problems(["FEEDHOST_JWT_ALGORITHMS": value]) == [
                "environment variable FEEDHOST_JWT_ALGORITHMS is \"\(value)\"; allowed: some of HS256, RS256, ES256\(hint.isEmpty ? "" : ".\(hint)")"
            ])
    }

    @Test(arguments: [
        ("auto", "auto"), ("SQLite", "sqlite"), (" jwt ", "jwt"), ("openalgo", "openalgo"),
        ("plugin:auth_file", "plugin:auth_file"),
        ("plugin:io.feedhost.example.keyfile", "plugin:io.feedhost.example.keyfile"),
        ("plugin:Auth_File.so", "plugin:Auth_File.so"),
    ])
    func providers(_ raw: String, _ value: String) throws {
        #expect(provider.parse([raw]) == .text(value))
        let settings = try folder.load(["FEEDHOST_ACCOUNTS": raw])
        #expect(settings.accountProvider == value)
        #expect(settings.accountPlugin == (value.hasPrefix("plugin:") ? String(value.dropFirst(7)) : nil))
    }

    @Test(arguments: [
        ("", ""), ("sqlit", " Did you mean sqlite?"), ("opanalgo", " Did you mean openalgo?"),
        ("jwts", " Did you mean jwt?"), ("ldap", ""), ("plugin:", " Did you mean plugin:NAME?"),
        ("plugin:/usr/lib/auth.so", " Did you mean plugin:NAME?"), ("plugin:..//x", " Did you mean plugin:NAME?"),
        ("plugn:auth_file", " Did you mean plugin:auth_file?"), ("Plugin:auth_file", " Did you mean plugin:auth_file?"),
        ("plugin auth_file", ""), ("plugin", ""), ("auto,jwt", ""),
    ])
    func wrongProviders(_ raw: String, _ hint: String) {
        #expect(provider.parse([raw]) == nil)
        let problems = folder.problems(["FEEDHOST_ACCOUNTS": raw])
        let what = raw.isEmpty ? "is empty" : "is \"\(raw)\""
        #expect(
            problems == [
                "environment variable FEEDHOST_ACCOUNTS \(what); allowed: auto, sqlite, openalgo, jwt or plugin:NAME\(hint.isEmpty ? "" : ".\(hint)")"
            ])
    }

    @Test func whatATerminalWouldObeyIsNotRepeated() {
        let problems = folder.problems(["FEEDHOST_ACCOUNTS": "plugn:\u{1B}[31m"])
        #expect(problems.first?.hasSuffix("Did you mean plugin:NAME?") == true)
        #expect(problems.first?.contains("\u{1B}") == false)
    }

    @Test func oneOfAFewWords() {
        #expect(
            folder.problems(["FEEDHOST_JWT_USERS": "store"]) == [
                "environment variable FEEDHOST_JWT_USERS is \"store\"; allowed: any or stored. Did you mean stored?"
            ])
    }
}
