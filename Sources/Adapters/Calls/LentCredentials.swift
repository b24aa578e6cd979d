import CFeedhostABI
import MarketData
import Secrets

/// Credentials as C reads them, for one call of `connect()`; overwritten afterwards.
package struct LentCredentials {
    private var texts: [StableText] = []

    /// Lends the credentials to `body`.
    package static func withPointer<R>(
        _ credentials: BrokerCredentials, _ body: (UnsafePointer<fh_credentials>) -> R
    ) -> R {
        var lent = LentCredentials()
        defer { withExtendedLifetime(lent) {} }
        var table = fh_credentials()
        table.size = UInt32(MemoryLayout<fh_credentials>.size)
        table.version = credentials.version
        table.expires_at = fh_ts_none()
        table.user_id = lent.lend(credentials.values["user_id"])
        table.api_key = lent.lend(credentials.values["api_key"])
        table.api_secret = lent.lend(credentials.values["api_secret"])
        table.access_token = lent.lend(credentials.values["access_token"])
        table.feed_token = lent.lend(credentials.values["feed_token"])
        let named = ["user_id", "api_key", "api_secret", "access_token", "feed_token"]
        let fields = credentials.values.filter { !named.contains($0.key) }.map { name, value in
            fh_field(name: lent.lend(Secret(name)), value: lent.lend(value))
        }
        return fields.withUnsafeBufferPointer { fields in
            table.fields = fields.baseAddress
            table.field_count = UInt32(fields.count)
            return withUnsafePointer(to: table, body)
        }
    }

    private mutating func lend(_ secret: Secret?) -> fh_str {
        guard let secret, !secret.isEmpty else { return fh_str(ptr: nil, len: 0) }
        let text = StableText(secret)
        texts.append(text)
        return text.str
    }
}
