import Foundation
import Logging
import NIOCore
import StreamProxy
import Transport

extension SettingKind {
    /// Before the name of a plugin that accounts come from.
    static let plugin = "plugin:"

    /// The value, or nil when it is not allowed. Never a guess: `8765x` is not a port.
    func parse(_ raw: [String]) -> SettingValue? {
        if separator != nil { return parse(list: raw) }
        guard raw.count == 1, let text = raw.first else { return nil }
        let word = text.trimmingCharacters(in: .whitespaces)
        switch self {
        case .text: return .text(text)
        case .longText(let least): return text.count >= least ? .text(text) : nil
        case .int(let range): return Self.int(word, range).map { .int($0) }
        case .port: return Self.int(word, 0...65_535).map { .int($0) }
        case .bool: return Self.bool(word).map { .bool($0) }
        case .host: return Self.isHost(word) ? .text(word) : nil
        case .seconds(let range):
            return Self.decimal(word).flatMap { range.contains($0) ? .seconds($0) : nil }
        case .level: return Self.level(word).map { .level($0) }
        case .logFormat: return Self.logFormat(text).map { .logFormat($0) }
        case .time: return Self.time(word).map { .time($0) }
        case .choice(let words): return words.contains(word.lowercased()) ? .text(word.lowercased()) : nil
        case .provider(let words):
            let name = word.dropFirst(Self.plugin.count)
            if word.hasPrefix(Self.plugin) { return name.isEmpty || name.contains("/") ? nil : .text(word) }
            return words.contains(word.lowercased()) ? .text(word.lowercased()) : nil
        case .databaseURL: return word.isEmpty || Self.isURL(word) ? .text(word) : nil
        case .endpoint: return word.isEmpty || Self.isEndpoint(word) ? .text(word) : nil
        case .broker: return word.isEmpty || Self.isBroker(word) ? .text(word) : nil
        case .countOrAuto(let range):
            return word.lowercased() == "auto" ? .int(0) : Self.int(word, range).map { .int($0) }
        case .address:
            return word.isEmpty || (try? SocketAddress(ipAddress: word, port: 0)) != nil ? .text(word) : nil
        case .proxy: return word.isEmpty || (try? ProxyAddress(word)) != nil ? .text(word) : nil
        case .brokers, .paths, .brokerMap, .choices, .listeners, .origins, .networks, .proxyExceptions: return nil
        }
    }

    private func parse(list raw: [String]) -> SettingValue? {
        let items = raw.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        switch self {
        case .brokers:
            let names = items.map { $0.lowercased() }
            return names.allSatisfy(Self.isBroker) ? .list(names) : nil
        case .choices(let words):
            let chosen = items.map { item in words.first { $0.lowercased() == item.lowercased() } }
            return chosen.contains(nil) ? nil : .list(chosen.compactMap(\.self))
        case .brokerMap:
            var map: [String: String] = [:]
            for item in items {
                guard let equals = item.firstIndex(of: "=") else { return nil }
                let broker = item[..<equals].trimmingCharacters(in: .whitespaces)
                let value = item[item.index(after: equals)...].trimmingCharacters(in: .whitespaces)
                guard Self.isBroker(broker), !value.isEmpty, map.updateValue(value, forKey: broker) == nil else {
                    return nil
                }
            }
            return .map(map)
        case .listeners:
            return items.allSatisfy { (try? ListenerAddress($0)) != nil } && Set(items).count == items.count
                ? .list(items) : nil
        case .origins: return items.allSatisfy { OriginRule($0) != nil } ? .list(items) : nil
        case .proxyExceptions: return items.allSatisfy { ProxyException($0) != nil } ? .list(items) : nil
        case .networks: return items.allSatisfy { AddressRange($0) != nil } ? .list(items) : nil
        default: return .list(items)
        }
    }

    /// What was probably meant by one of a few words, for the end of an error; empty when nothing resembles it.
    func hint(for raw: [String]) -> String {
        let words: [String]
        switch self {
        case .choice(let all), .choices(let all), .provider(let all): words = all
        default: return ""
        }
        let items = raw.map { $0.trimmingCharacters(in: .whitespaces) }
        let wrong = items.first { item in !words.contains { $0.lowercased() == item.lowercased() } }
        guard let wrong, !wrong.isEmpty else { return "" }
        guard case .provider = self, let colon = wrong.firstIndex(of: ":") else {
            return NearMatch.hint(for: wrong, among: words)
        }
        let name = wrong[wrong.index(after: colon)...]
        // Nothing that a terminal would obey.
        let isPlain = !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || "._-".contains($0) }
        return NearMatch.hint(for: "\(wrong[..<colon]):", among: [Self.plugin])
            .replacing(Self.plugin, with: "\(Self.plugin)\(isPlain ? String(name) : "NAME")")
    }

    static func int(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        guard let number = Int(text), range.contains(number) else { return nil }
        return number
    }

    /// Plain decimals: Swift's own reader also takes `inf`, `nan` and hexadecimal.
    static func decimal(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }) else {
            return nil
        }
        return Double(text)
    }

    static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }

    static func level(_ text: String) -> Logger.Level? {
        switch text.lowercased() {
        case "notset": .trace
        case "warn": .warning
        case "fatal": .critical
        case let word: Logger.Level(rawValue: word)
        }
    }

    static func logFormat(_ text: String) -> LogFormat? {
        switch text.trimmingCharacters(in: .whitespaces).lowercased() {
        case "text": .text
        case "json": .json
        default: text.contains("%(message)") ? .python(text) : nil
        }
    }

    static func time(_ text: String) -> TimeOfDay? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count == 2, (1...2).contains(parts[0].count),
            let hour = int(String(parts[0]), 0...23), let minute = int(String(parts[1]), 0...59)
        else { return nil }
        return TimeOfDay(hour: hour, minute: minute)
    }

    static func isBroker(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }

    static func isHost(_ text: String) -> Bool {
        var v4 = in_addr(), v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 || inet_pton(AF_INET6, text, &v6) == 1 { return true }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        // A name never ends in a number: `127.0.0.1.5` and `300.1.1.1` are addresses with a slip.
        guard text.utf8.count <= 253, let last = labels.last, !last.allSatisfy(\.isNumber) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy {
                    (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95
                }
        }
    }

    static func isURL(_ text: String) -> Bool {
        guard let colon = text.range(of: "://"), colon.upperBound < text.endIndex else { return false }
        let scheme = text[..<colon.lowerBound]
        return scheme.first?.isLetter == true
            && scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            && !text.contains(where: \.isWhitespace)
    }

    static func isEndpoint(_ text: String) -> Bool {
        if text.hasPrefix("ipc://") { return text.utf8.count > 6 }
        guard text.hasPrefix("tcp://"), let colon = text.lastIndex(of: ":") else { return false }
        let host = text.dropFirst(6).prefix(upTo: max(colon, text.index(text.startIndex, offsetBy: 6)))
        let port = text[text.index(after: colon)...]
        guard
            host == "*"
                || isHost(String(host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host))
        else { return false }
        return port == "*" || int(String(port), 0...65_535) != nil
    }
}
