import FoundationEssentials

/// What the probed child writes: ``ready`` before it opens the file, then one line of JSON.
struct ProbeMessage: Codable {
    /// The child runs and is about to open the file; the time limit counts from here.
    static let ready: [UInt8] = Array("ready\n".utf8)
    /// Longer answers are cut, and so not understood.
    static let limit = 1 << 20

    /// Repeats what the parent passed: a constructor that ends the process with status 0 does not know it.
    let token: String
    let facts: PluginFacts?
    /// False when another message with more facts is to follow. Should the child end before it, these are all.
    var isLast = true
    let refusal: PluginRefusal?

    func line() -> [UInt8] {
        guard let json = try? JSONEncoder().encode(self) else { return [] }
        return [UInt8](json) + [0x0A]
    }

    /// The last message with that token among the complete lines; anything else that a constructor wrote is skipped.
    static func find(in bytes: [UInt8], token: String) -> ProbeMessage? {
        guard let end = bytes.lastIndex(of: 0x0A) else { return nil }
        for line in bytes[..<end].split(separator: 0x0A).reversed() where line.first == 0x7B {
            if let message = try? JSONDecoder().decode(ProbeMessage.self, from: Data(line)), message.token == token {
                return message
            }
        }
        return nil
    }
}
