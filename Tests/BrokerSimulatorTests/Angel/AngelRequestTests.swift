import Testing

@testable import BrokerSimulator

@Suite struct AngelRequestTests {
    @Test func readsTheDocumentedFrame() throws {
        let text = #"""
            {"correlationID":"abcde12345","action":1,"params":{"mode":1,"tokenList":[
            {"exchangeType":1,"tokens":["10626","5290"]},{"exchangeType":5,"tokens":["234230"]}]}}
            """#
        let request = try AngelRequest(text.utf8)
        #expect(request.correlationID == "abcde12345")
        #expect(request.subscribes)
        #expect(request.mode == .lastPrice)
        #expect(
            request.keys == [
                AngelKey(exchange: .nseCash, token: "10626"), AngelKey(exchange: .nseCash, token: "5290"),
                AngelKey(exchange: .mcx, token: "234230"),
            ])
    }

    @Test func needsNoCorrelationAndTakesALongOne() throws {
        let bare = #"{"action":0,"params":{"mode":3,"tokenList":[]}}"#
        #expect(try AngelRequest(bare.utf8).correlationID == nil)
        #expect(try !AngelRequest(bare.utf8).subscribes)
        let long = #"{"correlationID":"batch_1700000000000_1","action":1,"params":{"mode":1,"tokenList":[]}}"#
        #expect(try AngelRequest(long.utf8).correlationID == "batch_1700000000000_1")
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"action":1}"#, #"{"action":2,"params":{"mode":1,"tokenList":[]}}"#,
        #"{"action":1,"params":{"mode":5,"tokenList":[]}}"#, #"{"action":1,"params":{"mode":0,"tokenList":[]}}"#,
        #"{"action":"1","params":{"mode":1,"tokenList":[]}}"#, #"{"action":1,"params":{"mode":300,"tokenList":[]}}"#,
        #"{"action":1,"params":{"mode":1,"tokenList":[{"exchangeType":6,"tokens":["1"]}]}}"#,
        #"{"action":1,"params":{"mode":1,"tokenList":[{"exchangeType":1,"tokens":[1]}]}}"#,
        #"{"action":1,"params":{"mode":1,"tokenList":[{"exchangeType":1}]}}"#,
        #"{"action":1,"params":{"mode":4,"tokenList":[{"exchangeType":2,"tokens":["1"]}]}}"#,
    ])
    func refusesOtherPayloads(text: String) {
        #expect(throws: AngelRequest.Refusal.badPayload(nil)) { try AngelRequest(text.utf8) }
    }

    @Test func refusalsCarryTheCorrelation() {
        let text = #"{"correlationID":"a\"b","action":"x"}"#
        #expect(throws: AngelRequest.Refusal.badPayload("a\"b")) { try AngelRequest(text.utf8) }
        #expect(
            AngelRequest.Refusal.badPayload("a\"b").frame
                == #"{"correlationID":"a\"b","errorCode":"E1001","errorMessage":"Invalid Request Payload."}"#)
        #expect(
            AngelRequest.Refusal.limitExceeded(nil).frame
                == #"{"errorCode":"E1002","errorMessage":"Invalid Request. Subscription Limit Exceeded."}"#)
    }
}
