/// A `*.so` that was looked at, and what came out.
struct ExaminedFile: Sendable {
    let folder: String
    let file: String
    /// Position of the folder in the search order.
    let rank: Int
    /// Without symbolic links; the path itself when that could not be found out.
    let realPath: String
    /// Nil when there was nothing to identify.
    let identity: FileIdentity?
    let result: Result<PluginFacts, PluginRefusal>

    var path: String { "\(folder)/\(file)" }

    var claims: [ConflictRules.Claim] {
        guard case .success(let facts) = result else { return [] }
        return facts.brokers.map(claim)
    }

    func claim(_ broker: BrokerDescription) -> ConflictRules.Claim {
        .init(
            broker: broker.broker, folder: folder, file: file, rank: rank, servesBroker: broker.servesBroker)
    }
}

/// Everything that can be found out about files without loading one into this process.
struct PluginExamination {
    /// A file to look at.
    struct Candidate {
        let folder: String
        let file: String
        let rank: Int
    }

    let probe: PluginProbe
    var ownership = OwnershipCheck()

    /// - Returns: One result for each candidate, in order.
    func examine(_ candidates: [Candidate]) -> [ExaminedFile] {
        var sound: [Int: PluginProbe.Request] = [:]
        var refusals: [Int: PluginRefusal] = [:]
        var reals: [Int: String] = [:]
        var firstAt: [String: String] = [:]
        for (index, candidate) in candidates.enumerated() {
            do throws(PluginRefusal) {
                let real = try ownership.check(folder: candidate.folder, file: candidate.file)
                reals[index] = real
                if let first = firstAt[real] {
                    throw PluginRefusal("is the same file as \(first)", state: .shadowed)
                }
                firstAt[real] = "\(candidate.folder)/\(candidate.file)"
                try ELFImage.check(path: real)
                guard let identity = FileIdentity(path: real) else { throw PluginRefusal("is gone") }
                sound[index] = PluginProbe.Request(path: real, identity: identity)
            } catch {
                refusals[index] = error
            }
        }
        let answers = probe.probe(Array(sound.values))
        return candidates.enumerated().map { index, candidate in
            let path = "\(candidate.folder)/\(candidate.file)"
            let result: Result<PluginFacts, PluginRefusal> =
                if let request = sound[index], let answer = answers[request] {
                    answer
                } else {
                    .failure(refusals[index] ?? PluginRefusal("could not be probed"))
                }
            return ExaminedFile(
                folder: candidate.folder, file: candidate.file, rank: candidate.rank, realPath: reals[index] ?? path,
                identity: sound[index]?.identity ?? FileIdentity(path: path), result: result)
        }
    }
}
