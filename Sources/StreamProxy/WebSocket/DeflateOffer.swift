/// Agreement on permessage-deflate (RFC 7692).
///
/// Our own side takes nothing over from one message to the next: a frame is compressed once for all of its clients, and a
/// connection keeps no zlib state. A client may keep its window unless it has said that it does not; then we keep what it
/// has sent last, and no more of it than the window that is agreed on.
struct DeflateOffer: Equatable {
    /// Our window, in bits: 4 KiB, as OpenAlgo's proxy (`websockets`) uses. Frames rarely exceed it, and without context
    /// takeover a larger one would remember nothing more. Clients that can keep to one as small are asked to.
    static let windowBits = 12

    /// The value of `Sec-WebSocket-Extensions` in our answer.
    let answer: String
    /// Bytes of what the client has sent that its next message may refer to; 0 when messages stand alone.
    let window: Int

    /// What is agreed on, or nil when none of the offers can be met.
    /// - Parameters:
    ///   - offers: All extensions that the client offers, the one that it likes best first.
    ///   - grants: Whether there is room for a window of so many bytes; asked at most once.
    static func accept(_ offers: [ExtensionOffer], grants: (_ window: Int) -> Bool) -> DeflateOffer? {
        for offer in offers {
            if let asked = Asked(offer) { return DeflateOffer(asked, grants) }
        }
        return nil
    }

    private init(_ asked: Asked, _ grants: (Int) -> Bool) {
        // A client that names a limit keeps to it, whatever is answered (RFC 7692 section 7.1.2.2).
        let isLimited = asked.clientBits != nil
        let bits = min(asked.clientBits ?? 15, isLimited ? Self.windowBits : 15)
        let keeps = !asked.clientForgets && grants(1 << bits)
        window = keeps ? 1 << bits : 0
        answer =
            "permessage-deflate; server_no_context_takeover"
            + (keeps ? "" : "; client_no_context_takeover")
            + (asked.limitsServer ? "; server_max_window_bits=\(Self.windowBits)" : "")
            + (keeps && isLimited ? "; client_max_window_bits=\(bits)" : "")
    }

    /// What one offer says, if it can be met.
    private struct Asked {
        var clientForgets = false
        /// The largest window that the client would use; nil when it does not say that it can do with a smaller one.
        var clientBits: Int?
        /// Whether it wants to be told our window.
        var limitsServer = false

        /// - Returns: Nil for what RFC 7692 section 7 wants declined: parameters that are unknown, doubled or have a value
        ///   that is none, and what we cannot do.
        init?(_ offer: ExtensionOffer) {
            guard offer.name == "permessage-deflate" else { return nil }
            var seen: Set<String> = []
            for parameter in offer.parameters {
                guard seen.insert(parameter.name).inserted else { return nil }
                let bits = parameter.value.flatMap(Self.bits)
                switch parameter.name {
                case "server_no_context_takeover":
                    guard parameter.value == nil else { return nil }
                case "client_no_context_takeover":
                    guard parameter.value == nil else { return nil }
                    clientForgets = true
                case "client_max_window_bits":
                    guard parameter.value == nil || bits != nil else { return nil }
                    clientBits = bits ?? 15
                case "server_max_window_bits":
                    // Smaller windows than ours would need a frame compressed for them alone.
                    guard let bits, bits >= DeflateOffer.windowBits else { return nil }
                    limitsServer = true
                default:
                    return nil
                }
            }
        }

        /// 8 to 15, without leading zeros.
        private static func bits(_ value: String) -> Int? {
            guard value.utf8.allSatisfy(\.isDigit), value.first != "0", let bits = Int(value), (8...15).contains(bits)
            else { return nil }
            return bits
        }
    }
}

extension StringProtocol where SubSequence == Substring {
    /// Without white space at the ends.
    var trimmed: Substring {
        guard let start = firstIndex(where: { !$0.isWhitespace }), let end = lastIndex(where: { !$0.isWhitespace })
        else { return self[startIndex..<startIndex] }
        return self[start...end]
    }
}
