import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import BrokerSimulator

@Suite struct AngelAccessTests {
    static let headers = [
        "Authorization": "Bearer simtoken", "x-api-key": "simkey", "x-client-code": "SIM001", "x-feed-token": "simfeed",
    ]

    @Test func takesHeadersWithOrWithoutTheWordBearer() throws {
        let bench = try VenueBench(.angel)
        var headers = Self.headers
        _ = try bench.connect("/smart-stream", headers: headers)
        headers["Authorization"] = "simtoken"
        _ = try bench.connect("/smart-stream", headers: headers)
        #expect(bench.simulation.connections.count == 2)
    }

    @Test func takesTheQueryOfBrowsers() throws {
        let bench = try VenueBench(.angel)
        _ = try bench.connect("/smart-stream?clientCode=SIM001&feedToken=simfeed&apiKey=simkey")
        let refused = #expect(throws: VenueBench.Refused.self) {
            try bench.connect("/smart-stream?clientCode=SIM001&feedToken=other&apiKey=simkey")
        }
        #expect(refused?.header("x-error-message") == "Invalid Header - Invalid Feed Token")
    }

    @Test(arguments: [
        ("Authorization", "Invalid Header - Invalid Auth token"),
        ("x-client-code", "Invalid Header - Invalid Client Code"),
        ("x-api-key", "Invalid Header - Invalid API Key"), ("x-feed-token", "Invalid Header - Invalid Feed Token"),
    ])
    func namesWhatIsMissingOrWrong(name: String, text: String) throws {
        var strict = AngelOptions()
        strict.checksAPIKey = true
        let bench = try VenueBench(.angel(strict))
        // Any client code will do; see below.
        for value in [nil, name == "x-client-code" ? "" : "wrong"] {
            var headers = Self.headers
            headers[name] = value
            let refused = #expect(throws: VenueBench.Refused.self) {
                try bench.connect("/smart-stream", headers: headers)
            }
            #expect(refused?.answer.status == .unauthorized)
            #expect(refused?.header("x-error-message") == text)
        }
    }

    /// OpenAlgo's adapter sends the name of its own user as the client code, and the broker lets it in.
    @Test func takesAnyClientCodeWithRightTokens() throws {
        let bench = try VenueBench(.angel)
        var headers = Self.headers
        headers["x-client-code"] = "alice"
        #expect(throws: Never.self) { try bench.connect("/smart-stream", headers: headers) }
        #expect(throws: Never.self) {
            try bench.connect("/smart-stream?clientCode=alice&feedToken=simfeed&apiKey=simkey")
        }
        headers["Authorization"] = "Bearer other"
        #expect(throws: VenueBench.Refused.self) { try bench.connect("/smart-stream", headers: headers) }
    }

    @Test func looksAtTheAPIKeyOnlyWhenTold() throws {
        let bench = try VenueBench(.angel)
        var headers = Self.headers
        headers["x-api-key"] = "api_key"
        #expect(throws: Never.self) { try bench.connect("/smart-stream", headers: headers) }
    }

    @Test(arguments: ["/smart-stream", "/smart-order-update"]) func threeConnectionsAndNoMore(path: String) throws {
        let bench = try VenueBench(.angel)
        let first = try bench.connect(path, headers: Self.headers)
        for _ in 0..<2 { _ = try bench.connect(path, headers: Self.headers) }
        let refused = #expect(throws: VenueBench.Refused.self) { try bench.connect(path, headers: Self.headers) }
        #expect(refused?.answer.status == .tooManyRequests)
        #expect(refused?.header("x-error-message") == "Invalid Request. Connection Limit Exceeded.")
        #expect(refused.map { String(buffer: $0.answer.body) }?.contains("nginx") == true)
        // The other kind of socket has a limit of its own.
        let other = path == "/smart-stream" ? "/smart-order-update" : "/smart-stream"
        #expect(throws: Never.self) { try bench.connect(other, headers: Self.headers) }
        bench.leave(first)
        #expect(throws: Never.self) { try bench.connect(path, headers: Self.headers) }
    }

    @Test func rolledTokensAreRefused() throws {
        let bench = try VenueBench(.angel)
        try bench.perform("roll", #"{"token":"next"}"#)
        let market = #expect(throws: VenueBench.Refused.self) {
            try bench.connect("/smart-stream", headers: Self.headers)
        }
        #expect(market?.answer.status == .unauthorized)
        let orders = #expect(throws: VenueBench.Refused.self) {
            try bench.connect("/smart-order-update", headers: ["Authorization": "Bearer simtoken"])
        }
        #expect(orders?.answer.status == .forbidden)
        let never = #expect(throws: VenueBench.Refused.self) {
            try bench.connect("/smart-order-update", headers: ["Authorization": "Bearer never"])
        }
        #expect(never?.answer.status == .unauthorized)
        #expect(throws: Never.self) {
            try bench.connect("/smart-order-update", headers: ["Authorization": "Bearer next"])
        }
    }

    private struct LoginAnswer: Decodable {
        struct Tokens: Decodable {
            let jwtToken: String
            let feedToken: String
            let refreshToken: String
        }
        let status: Bool
        let errorcode: String
        let data: Tokens?
    }

    private func logIn(_ bench: VenueBench, key: String = "simkey", _ body: String) throws -> LoginAnswer {
        let request = bench.request(
            .POST, "/rest/auth/angelbroking/user/v1/loginByPassword", headers: ["X-PrivateKey": key], body: body)
        let answer = bench.simulation.answer(request)
        #expect(answer.status == .ok)
        return try JSONDecoder().decode(LoginAnswer.self, from: Data(answer.body.readableBytesView))
    }

    @Test func loginGivesTheTokensOfTheDay() throws {
        let bench = try VenueBench(.angel)
        let body = #"{"clientcode":"SIM001","password":"1234","totp":"123456"}"#
        #expect(try logIn(bench, body).data?.jwtToken == "simtoken")
        try bench.perform("roll", #"{"token":"next"}"#)
        let answer = try logIn(bench, body)
        #expect(answer.status)
        #expect(answer.data?.jwtToken == "next")
        var headers = Self.headers
        headers["Authorization"] = "Bearer next"
        headers["x-feed-token"] = try #require(answer.data?.feedToken)
        #expect(throws: Never.self) { try bench.connect("/smart-stream", headers: headers) }
    }

    @Test(arguments: [
        ("simkey", #"{"clientcode":"SIM001","password":"9","totp":"123456"}"#, "AB1000"),
        ("simkey", #"{"clientcode":"SIM001","password":"1234","totp":"12345"}"#, "AB1050"),
        ("other", #"{"clientcode":"SIM001","password":"1234","totp":"123456"}"#, "AG8004"), ("simkey", "", "AB1000"),
    ])
    func loginRefuses(key: String, body: String, code: String) throws {
        let answer = try logIn(try VenueBench(.angel), key: key, body)
        #expect(!answer.status)
        #expect(answer.errorcode == code)
        #expect(answer.data == nil)
    }
}
