// What a refusal says, and what it does not.
extension Response {
    /// True for a web page: what proxies, CDNs, firewalls and maintenance servers answer with, and no API.
    public var isPage: Bool {
        if let type = header("Content-Type")?.lowercased(), type.contains("html") { return true }
        var index = 0
        while index < body.count, [0x20, 0x09, 0x0D, 0x0A].contains(body[index]) { index += 1 }
        return index < body.count && body[index] == UInt8(ascii: "<")
    }

    /// Whether the body is no page and names one of these: then it is taken for the venue's own words. Letters count as
    /// they are written. Bodies above 16 KiB are no words.
    public func says(_ words: [String]) -> Bool {
        guard !body.isEmpty, body.count <= 16_384, !isPage else { return false }
        let text = String(body)
        return words.contains { text.contains($0) }
    }

    /// How long the venue asks us to wait: a day at most. Nil if it says nothing that can be read.
    public var retryAfter: Duration? {
        guard let text = header("Retry-After") else { return nil }
        if let seconds = Int64(text) { return .seconds(min(max(0, seconds), 86_400)) }
        // A date is held against the server's own, so that this machine's clock does not matter.
        guard let then = HTTPDate.seconds(text), let now = header("Date").flatMap(HTTPDate.seconds) else { return nil }
        return .seconds(min(max(0, then - now), 86_400))
    }

    /// A sentence for the log. The body stays out of it: whose it is nobody knows.
    public var summary: String {
        guard httpStatus != 0 else { return "the socket could not be opened" }
        let answer = "the server answered HTTP \(httpStatus)\(isPage ? " with a web page" : "")"
        guard httpStatus == 400 || httpStatus == 401 || httpStatus == 403 else { return answer }
        return answer
            + ", not in the venue's own words: a proxy or firewall on the way may have said so, and that is no verdict on the credentials"
    }
}

/// Dates of HTTP (RFC 9110 section 5.6.7), in the one form that may be sent: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since the Unix epoch.
    static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])).map({ Int64($0) + 1 }), let year = Int64(parts[3]),
            (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        // Years that begin in March: the leap day is the last one.
        let shifted = month > 2 ? year : year - 1
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + ofYear - 719_468
        return days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]
    }
}
