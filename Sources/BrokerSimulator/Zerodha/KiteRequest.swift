/// What a client asks for: `{"a":"subscribe","v":[408065]}`, `{"a":"mode","v":["full",[408065]]}`.
enum KiteRequest: Decodable, Equatable {
    case subscribe([UInt32])
    case unsubscribe([UInt32])
    case mode(KiteMode, [UInt32])

    private enum CodingKeys: String, CodingKey {
        case action = "a"
        case value = "v"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        switch try values.decode(String.self, forKey: .action) {
        case "subscribe": self = .subscribe(try values.decode([UInt32].self, forKey: .value))
        case "unsubscribe": self = .unsubscribe(try values.decode([UInt32].self, forKey: .value))
        case "mode":
            var pair = try values.nestedUnkeyedContainer(forKey: .value)
            guard let mode = KiteMode(name: try pair.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: pair, debugDescription: "A mode is ltp, quote or full.")
            }
            self = .mode(mode, try pair.decode([UInt32].self))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .action, in: values, debugDescription: "An action is subscribe, unsubscribe or mode.")
        }
    }
}
