/// Agreement on permessage-deflate (RFC 7692), without context takeover on either side: a frame is then compressed once
/// for all of its clients, and a connection keeps no zlib state.
enum DeflateOffer {
    /// Our window, in bits: 4 KiB, as OpenAlgo's proxy (`websockets`) uses. Frames rarely exceed it, and without context
    /// takeover a larger one would remember nothing more.
    static let windowBits = 12

    /// The value of `Sec-WebSocket-Extensions` in our answer, or nil when none of the offers can be met.
    /// - Parameter headers: Every value of the header in the request, in order.
    static func answer(to headers: [String]) -> String? {
        for offer in headers.joined(separator: ",").split(separator: ",").prefix(maxOffers) {
            if let answer = answer(toOne: offer) { return answer }
        }
        return nil
    }

    /// A client has one or two; a header may be 80 KB long.
    private static let maxOffers = 16

    private static func answer(toOne offer: Substring) -> String? {
        let parts = offer.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmed }
        guard parts.first?.lowercased() == "permessage-deflate" else { return nil }
        var answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        var seen: Set<String> = []
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = pair.first.map({ $0.trimmed.lowercased() }), seen.insert(name).inserted else { return nil }
            let value = pair.count > 1 ? pair[1].trimmed : nil
            switch name {
            case "server_no_context_takeover", "client_no_context_takeover":
                guard value == nil else { return nil }
            case "client_max_window_bits":
                // Only says that it could keep to a smaller window; we inflate with the largest.
                guard value == nil || bits(value) != nil else { return nil }
            case "server_max_window_bits":
                // Smaller windows than ours would need a frame compressed for them alone: declined.
                guard let bits = bits(value), bits >= windowBits else { return nil }
                answer += "; server_max_window_bits=\(windowBits)"
            default:
                return nil
            }
        }
        return answer
    }

    /// 8 to 15, without leading zeros, quoted or not.
    private static func bits(_ value: Substring?) -> Int? {
        guard var value else { return nil }
        if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
        guard value.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), value.first != "0", let bits = Int(value),
            (8...15).contains(bits)
        else { return nil }
        return bits
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
