import Foundation
import MarketData
import Secrets
import Testing

@testable import Accounts

struct InstallationTests {
    private static let pepper = Secret(Installation.pepper)

    @Test(arguments: [
        ("sqlite:///db/openalgo.db", "/srv/openalgo/db/openalgo.db"), ("sqlite:////var/lib/oa.db", "/var/lib/oa.db"),
        ("sqlite:///../shared/oa.db", "/srv/shared/oa.db"),
        ("sqlite+pysqlite:///oa.db?timeout=5", "/srv/openalgo/oa.db"),
    ])
    func paths(url: String, path: String) throws {
        let installation = try OpenAlgoInstallation(
            databaseURL: Secret(url), pepper: Self.pepper, salt: nil, root: "/srv/openalgo")
        #expect(installation.database == path)
    }

    /// Whatever is wrong with the URL, its password is not shown.
    @Test(arguments: [
        ("postgresql://oa:CANARY@db/openalgo", OpenAlgoError.Code.unsupported),
        ("mysql+pymysql://oa:CANARY@db/openalgo", .unsupported), ("CANARY", .unsupported),
        ("sqlite://", .configuration),
        ("sqlite:///", .configuration), ("sqlite:///:memory:", .configuration), ("sqlite://CANARY", .configuration),
        ("", .configuration),
    ])
    func databasesThatCannotBeRead(url: String, code: OpenAlgoError.Code) {
        let error = #expect(throws: OpenAlgoError.self) {
            try OpenAlgoInstallation(databaseURL: Secret(url), pepper: Self.pepper, salt: nil, root: "/srv")
        }
        #expect(error?.code == code)
        #expect(url == "CANARY" || error?.description.contains("CANARY") == false)
    }

    @Test func pepperIsNeeded() {
        for pepper in [nil, Secret(""), Secret(String(repeating: "x", count: 31))] {
            let error = #expect(throws: OpenAlgoError.self) {
                try OpenAlgoInstallation(databaseURL: Secret("sqlite:///a.db"), pepper: pepper, salt: nil, root: "/")
            }
            #expect(error?.code == .configuration && error?.description.contains("API_KEY_PEPPER") == true)
        }
    }

    @Test(
        arguments: [
            ("http://127.0.0.1:5000/zerodha/callback", "zerodha"),
            ("https://oa.example.in/dhan_sandbox/callback?x=1", "dhan_sandbox"),
            ("http://127.0.0.1:5000/<broker>/callback", nil), ("http://127.0.0.1:5000/callback", nil), ("", nil),
            ("zerodha", nil),
        ] as [(String, String?)])
    func brokerOfTheLogin(url: String, broker: String?) throws {
        let installation = try OpenAlgoInstallation(
            databaseURL: Secret("sqlite:///a.db"), pepper: Self.pepper, salt: nil, redirectURL: url, root: "/")
        #expect(installation.loginBroker == broker)
    }

    @Test func nothingSecretIsPrinted() throws {
        let installation = try OpenAlgoInstallation(
            databaseURL: Secret("sqlite:///a.db"), pepper: Secret("CANARY" + Installation.pepper),
            salt: Secret("CANARY"),
            root: "/")
        var dumped = ""
        dump(installation, to: &dumped)
        #expect(!"\(installation)\(dumped)".contains("CANARY"))
    }
}
