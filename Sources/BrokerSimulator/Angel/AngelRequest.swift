import Foundation

/// A client's JSON message on the market socket.
struct AngelRequest: Equatable {
    /// Why a message is answered with an error frame. The connection stays up.
    struct Refusal: Error, Equatable {
        let correlationID: String?
        let code: String
        let text: String

        static func badPayload(_ correlationID: String?) -> Refusal {
            Refusal(correlationID: correlationID, code: "E1001", text: "Invalid Request Payload.")
        }

        static func limitExceeded(_ correlationID: String?) -> Refusal {
            Refusal(
                correlationID: correlationID, code: "E1002", text: "Invalid Request. Subscription Limit Exceeded.")
        }

        /// The text frame, with the documented order of its members.
        var frame: String {
            let identity = correlationID.map { "\"correlationID\":\(JSONText.quoted($0))," } ?? ""
            return "{\(identity)\"errorCode\":\"\(code)\",\"errorMessage\":\"\(text)\"}"
        }
    }

    let correlationID: String?
    let subscribes: Bool
    let mode: AngelMode
    let keys: [AngelKey]

    /// - Throws: The error frame that the venue answers with.
    init(_ text: some Sequence<UInt8>) throws(Refusal) {
        let data = Data(text)
        let decoder = JSONDecoder()
        guard let message = try? decoder.decode(Message.self, from: data) else {
            throw .badPayload((try? decoder.decode(Identity.self, from: data))?.correlationID)
        }
        correlationID = message.correlationID
        guard message.action == 0 || message.action == 1, let mode = AngelMode(rawValue: message.params.mode) else {
            throw .badPayload(message.correlationID)
        }
        subscribes = message.action == 1
        self.mode = mode
        var keys: [AngelKey] = []
        for group in message.params.tokenList {
            guard let exchange = AngelExchange(rawValue: group.exchangeType),
                mode != .depth20 || exchange == .nseCash
            else { throw .badPayload(message.correlationID) }
            for token in group.tokens { keys.append(AngelKey(exchange: exchange, token: token)) }
        }
        self.keys = keys
    }

    private struct Identity: Decodable {
        let correlationID: String?
    }

    private struct Message: Decodable {
        let correlationID: String?
        let action: Int
        let params: Parameters
    }

    private struct Parameters: Decodable {
        let mode: UInt8
        let tokenList: [Group]
    }

    private struct Group: Decodable {
        let exchangeType: UInt8
        let tokens: [String]
    }
}
