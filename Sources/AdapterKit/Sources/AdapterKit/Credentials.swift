import CFeedhostABI

/// What a user has stored for this broker, fresh with every `connect`.
///
/// Read what you need during `connect` and keep nothing that you do not need: the host wipes its copy when the call
/// returns, and hands over new ones, perhaps with today's token, before the next attempt. Unknown values are empty.
public struct Credentials: Sendable {
    /// Rises whenever the user's credentials change.
    public var version: UInt64 = 0
    /// When the token dies: nanoseconds since the Unix epoch, UTC.
    public var expiresAt: UInt64?
    /// The account at the broker.
    public var userID = ""
    /// Of the broker's developer portal.
    public var apiKey = ""
    /// Of the broker's developer portal.
    public var apiSecret = ""
    /// Of today's login.
    public var accessToken = ""
    /// Some brokers have a second token for the feed.
    public var feedToken = ""
    /// Whatever else the descriptor's credential keys name.
    public var fields: [String: String] = [:]

    /// Empty credentials, as a broker without an account gets them.
    public init() {}

    init(_ record: UnsafePointer<fh_credentials>?) {
        guard let record, record.pointee.size >= UInt32(MemoryLayout<fh_credentials>.size) else { return }
        version = record.pointee.version
        expiresAt = record.pointee.expires_at == .max ? nil : record.pointee.expires_at
        userID = String(record.pointee.user_id)
        apiKey = String(record.pointee.api_key)
        apiSecret = String(record.pointee.api_secret)
        accessToken = String(record.pointee.access_token)
        feedToken = String(record.pointee.feed_token)
        for field in UnsafeBufferPointer(start: record.pointee.fields, count: Int(record.pointee.field_count)) {
            fields[String(field.name)] = String(field.value)
        }
    }
}
