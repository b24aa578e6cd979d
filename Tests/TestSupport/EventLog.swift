import Logging

/// Hands every line of a logger to a test.
package struct EventLog: LogHandler {
    private let take: @Sendable (LogEvent) -> Void
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel = Logger.Level.trace

    package init(_ take: @escaping @Sendable (LogEvent) -> Void) { self.take = take }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) { take(event) }
}
