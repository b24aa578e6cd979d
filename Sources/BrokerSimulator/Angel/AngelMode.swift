/// What a subscription asks for. The raw value is the number on the wire, in requests and in byte 0 of every packet.
enum AngelMode: UInt8, CaseIterable, Sendable {
    case lastPrice = 1
    case quote = 2
    case snapQuote = 3
    case depth20 = 4

    /// Size of a packet in bytes.
    var packetSize: Int {
        switch self {
        case .lastPrice: 51
        case .quote: 123
        case .snapQuote: 379
        case .depth20: 443
        }
    }

    /// What `/_sim/state` calls it.
    var name: String {
        switch self {
        case .lastPrice: "ltp"
        case .quote: "quote"
        case .snapQuote: "snapquote"
        case .depth20: "depth20"
        }
    }
}
