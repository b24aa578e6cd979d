import Foundation
import NIOCore
import Operations
import Testing
import Transport

@testable import feedhost

/// How connections to brokers leave this machine.
struct TransportSettingsTests {
    let folder: SettingsFolder
    init() throws { folder = try SettingsFolder() }

    @Test func straightOutUnlessTold() throws {
        let routes = try folder.load().transport.routes()
        let route = routes["zerodha"]
        #expect(route.family == nil && route.source == nil && route.trust == nil)
        #expect(route.proxies.secure == nil && route.proxies.all == nil && route.proxies.exceptions.isEmpty)
    }

    @Test func theVariablesOfOtherPrograms() throws {
        let routes = try folder.load([
            "HTTPS_PROXY": "http://user:secret@proxy.test:3128", "ALL_PROXY": "other.test:8080",
            "NO_PROXY": "localhost, 10.0.0.0/8,.example.com", "FEEDHOST_TRANSPORT_FAMILY": "IPv4",
            "FEEDHOST_TRANSPORT_SOURCE": "127.0.0.2",
        ]).transport.routes()
        let route = routes["zerodha"]
        #expect(route.proxies.secure.map { "\($0)" } == "http://proxy.test:3128")
        #expect(route.proxies.all.map { "\($0)" } == "http://other.test:8080")
        #expect(route.proxies.exceptions.count == 3)
        #expect(route.family == .ipv4 && route.source?.ipAddress == "127.0.0.2")
    }

    /// As with curl: lowercase is read as well, and has the last word.
    @Test func theirLowercaseNames() throws {
        let route = try folder.load([
            "HTTPS_PROXY": "upper.test:1", "https_proxy": "lower.test:1", "no_proxy": "*", "all_proxy": "",
            "ALL_PROXY": "all.test:1",
            "http_proxy": "socks5://ignored", "Https_Proxy": "ignored://",
        ]).transport.routes()["binance"]
        #expect(route.proxies.secure.map { "\($0)" } == "http://lower.test:1")
        let everything = try #require(ProxyException("*"))
        #expect(route.proxies.all.map { "\($0)" } == "http://all.test:1", "an empty name is none")
        #expect(route.proxies.exceptions == [everything])
    }

    @Test func oneBrokerGoesAnotherWay() throws {
        try folder.write(
            "feedhost.yaml",
            """
            transport:
              family: ipv6
              proxy: http://proxy.test:1
              broker_family: {zerodha: ipv4}
              broker_source: {angel: "127.0.0.3"}
              broker_proxy: {zerodha: direct, flattrade: "http://own.test:2"}
              no_proxy: [own.test]

            """)
        #expect(folder.problems().count == 1, "angel's source is IPv4, and IPv6 is all that is allowed")
        let text = try String(contentsOfFile: folder.path + "/feedhost.yaml", encoding: .utf8)
        try folder.write("feedhost.yaml", text.replacing("{zerodha: ipv4}", with: "{zerodha: ipv4, angel: any}"))
        let routes = try folder.load().transport.routes()
        #expect(routes["zerodha"].family == .ipv4 && routes["zerodha"].proxies.secure == nil)
        #expect(routes["zerodha"].proxies.all == nil)
        #expect(routes["angel"].family == nil && routes["angel"].source?.ipAddress == "127.0.0.3")
        #expect(routes["angel"].proxies.secure.map { "\($0)" } == "http://proxy.test:1")
        #expect(routes["flattrade"].family == .ipv6)
        #expect(routes["flattrade"].proxies.all.map { "\($0)" } == "http://own.test:2")
        #expect(routes["binance"].family == .ipv6)
    }

    @Test(arguments: [
        ("HTTPS_PROXY", "socks5://u:secret@proxy:1", "socks5://"),
        ("ALL_PROXY", "https://u:secret@proxy:1", "http://HOST:PORT"),
        ("HTTPS_PROXY", "http://u:secret@proxy:99999", "http://HOST:PORT"), ("NO_PROXY", "10.0.0.0/99", "networks"),
        ("FEEDHOST_TRANSPORT_FAMILY", "ipv5", "any or ipv4 or ipv6"),
        ("FEEDHOST_TRANSPORT_SOURCE", "eth0", "an IP address"),
        ("FEEDHOST_TRANSPORT_BROKER_FAMILY", "zerodha=ipv5", "any, ipv4 or ipv6"),
        ("FEEDHOST_TRANSPORT_BROKER_SOURCE", "zerodha=eth0", "an IP address"),
        ("FEEDHOST_TRANSPORT_BROKER_PROXY", "zerodha=socks5://u:secret@x:1", "direct or http://HOST:PORT"),
    ])
    func whatIsWrongIsSaidWithoutSecrets(variable: String, value: String, word: String) throws {
        let problems = folder.problems([variable: value])
        #expect(problems.count == 1, "\(problems)")
        let problem = try #require(problems.first)
        #expect(problem.contains(variable) && problem.contains(word) && !problem.contains("secret@"), "\(problem)")
    }

    @Test func sourceAndFamilyAgree() {
        let environment = ["FEEDHOST_TRANSPORT_FAMILY": "ipv6", "FEEDHOST_TRANSPORT_SOURCE": "127.0.0.2"]
        #expect(
            folder.problems(environment) == [
                "environment variable FEEDHOST_TRANSPORT_SOURCE is not of the family that environment variable FEEDHOST_TRANSPORT_FAMILY allows."
            ])
    }

    @Test(arguments: ["nowhere.pem", "empty.pem", "rubbish.pem"]) func aFileOfAuthoritiesMustHoldSome(name: String)
        throws
    {
        try folder.write("empty.pem", "")
        try folder.write("rubbish.pem", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n")
        let transport = try folder.load(["SSL_CERT_FILE": folder.path + "/" + name]).transport
        let error = #expect(throws: StartError.self) { try transport.routes() }
        #expect(error?.description.contains("SSL_CERT_FILE") == true && error?.description.contains(name) == true)
    }

    @Test func theTableNamesThem() {
        for key in ["family", "source", "proxy", "proxy_all", "no_proxy", "ca_file", "broker_family", "broker_proxy"] {
            #expect(SettingsReference.text.contains("transport.\(key) "), "\(key)")
        }
        #expect(
            SettingTable.all.filter { $0.key.contains("proxy") && $0.key.hasPrefix("transport.") && $0.isSecret }.count
                == 3)
    }
}
