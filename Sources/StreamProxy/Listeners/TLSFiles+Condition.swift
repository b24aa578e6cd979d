import Glibc
import NIOSSL

extension TLSFiles {
    /// What became of a look at the pair.
    public struct Condition: Sendable, Hashable {
        /// Why it cannot be used, as a sentence without its end; nil when it can.
        public let trouble: String?
        /// From when to when the server's certificate counts, in seconds since 1970.
        public let validity: ClosedRange<Int>?
        /// Whether every user of this machine can read the key.
        public let isKeyOpenToAll: Bool
    }

    /// Looks at the pair as a start does. Blocks for as long as the disk does.
    public func condition() -> Condition {
        var trouble: String?
        do throws(Unusable) { _ = try load() } catch { trouble = error.description }
        var status = stat()
        return Condition(
            trouble: trouble, validity: validity,
            isKeyOpenToAll: stat(key, &status) == 0 && status.st_mode & 0o004 != 0)
    }

    private var validity: ClosedRange<Int>? {
        guard let first = try? NIOSSLCertificate.fromPEMFile(certificate).first else { return nil }
        let (start, end) = (Int(first.notValidBefore), Int(first.notValidAfter))
        return start <= end ? start...end : nil
    }
}
