import Foundation
import MarketData
import Secrets

/// A token taken apart, with nothing of it believed yet (RFC 7515 section 7.1).
struct CompactToken {
    /// Bytes; a token with long permissions has 2,000.
    static let longest = 8192

    let algorithm: JWTConfiguration.Algorithm
    let keyID: String?
    /// What is signed: the first two segments as they came, and the dot between them.
    let signedBytes: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]

    /// - Throws: ``FeedError`` for everything that is no signed token.
    init(_ key: Secret) throws {
        let bytes = Array(key.revealed.utf8)
        guard bytes.count <= Self.longest else {
            throw FeedError(.authentication, "The token is longer than \(Self.longest) bytes")
        }
        let segments = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard segments.count == 3 else {
            throw FeedError(.authentication, "The API key is not a signed token (JWT)")
        }
        guard let header = Base64URL.decode(segments[0]), let payload = Base64URL.decode(segments[1]),
            let signature = Base64URL.decode(segments[2])
        else { throw FeedError(.authentication, "The token is damaged: it is not base64url") }
        guard let fields = try? JSONDecoder().decode(Header.self, from: Data(header)) else {
            throw FeedError(.authentication, "The token is damaged: its header makes no sense")
        }
        // What is critical and not understood must not be ignored (RFC 7515 section 4.1.11).
        guard !fields.hasCritical else {
            throw FeedError(.authentication, "The token demands extensions (crit) that this host does not have")
        }
        guard let algorithm = JWTConfiguration.Algorithm(rawValue: fields.alg) else {
            throw FeedError(.authentication, "The token is signed in a way that is not allowed here")
        }
        self.algorithm = algorithm
        keyID = fields.kid
        signedBytes = Array(bytes[..<segments[1].endIndex])
        self.payload = payload
        self.signature = signature
    }

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let hasCritical: Bool

        private enum Name: String, CodingKey { case alg, kid, crit }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Name.self)
            alg = try fields.decode(String.self, forKey: .alg)
            kid = fields.contains(.kid) ? try fields.decode(String.self, forKey: .kid) : nil
            hasCritical = fields.contains(.crit)
        }
    }
}
