import Foundation
import MarketData

/// The folder with the certificates of those who may come in, as it was last read. Used by one thread at a time.
struct CurveClients {
    struct Client: Hashable {
        /// The file's name without `.key`.
        let name: String
        let role: CurveCertificate.Role?
    }

    /// What happened to the folder since it was last read.
    struct Change {
        /// Somebody lost something that they were allowed.
        var hasLost = false
        /// Sentences on files that cannot be used.
        var problems: [String] = []
    }

    let folder: String
    /// By public key, 32 bytes.
    private(set) var byKey: [[UInt8]: Client] = [:]
    private var seen: [String: Mark]?

    /// Tells whether a file is still what it was.
    private struct Mark: Hashable {
        let inode: UInt64
        let size: UInt64
        let changed: Date
    }

    init(folder: String) { self.folder = folder }

    func allows(_ key: [UInt8], _ role: String) -> Bool {
        guard let client = byKey[key] else { return false }
        return client.role == nil || client.role?.rawValue == role
    }

    /// Looks at the folder; nil when nothing has changed. A folder that has gone allows nobody.
    mutating func refresh() -> Change? {
        var change = Change()
        let marks = marks()
        guard marks != seen else { return nil }
        seen = marks
        var fresh: [[UInt8]: Client] = [:]
        if marks == nil { change.problems.append("the folder \(folder) cannot be read: nobody may come in") }
        for name in (marks ?? [:]).keys.sorted() {
            do {
                let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                let certificate = try CurveCertificate(text: text)
                if certificate.secretKey != nil {
                    change.problems.append("\(folder)/\(name) holds a secret key; only public ones belong there")
                }
                if let key = Z85.decode(certificate.publicKey) {
                    fresh[key] = Client(name: String(name.dropLast(4)), role: certificate.role)
                }
            } catch let error as BusCurveError {
                change.problems.append("\(folder)/\(name) is left out: \(error)")
            } catch {
                change.problems.append("\(folder)/\(name) is left out: it cannot be read")
            }
        }
        change.hasLost = byKey.contains { key, client in
            fresh[key].map { $0.role != nil && $0.role != client.role } ?? true
        }
        byKey = fresh
        return change
    }

    private func marks() -> [String: Mark]? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        var marks: [String: Mark] = [:]
        for name in names where name.hasSuffix(".key") {
            guard let facts = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)") else { continue }
            marks[name] = Mark(
                inode: (facts[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0,
                size: (facts[.size] as? NSNumber)?.uint64Value ?? 0,
                changed: facts[.modificationDate] as? Date ?? .distantPast)
        }
        return marks
    }
}
