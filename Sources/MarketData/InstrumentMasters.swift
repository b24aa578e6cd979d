import Secrets

/// The instrument masters that loaded adapters offer, with what downloading them takes but for somebody's credentials.
package protocol InstrumentMasters: Sendable {
    /// Brokers with a master, sorted.
    var brokers: [String] { get }
    /// - Throws: An error whose text says why there is none and what to do about it.
    func master(_ broker: String) throws -> any InstrumentMaster
    /// The adapter's, defaults included.
    func settings(_ broker: String) -> [String: Secret]
    /// On the way that this machine's connections to the broker take.
    func download(_ broker: String) -> any MasterDownload
}
