import NIOWebSocket

/// Which close codes may travel (RFC 6455 section 7.4).
enum WebSocketCloseCode {
    static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1_000...1_003, 1_007...1_014, 3_000...4_999: true
        default: false
        }
    }
}

extension WebSocketMessageKind {
    var frameOpcode: WebSocketOpcode {
        switch self {
        case .text: .text
        case .binary: .binary
        case .ping: .ping
        case .pong: .pong
        }
    }
}
