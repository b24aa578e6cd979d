/// One broker's instruments as another program's database has them, to be taken over.
public struct MirroredMaster: Sendable, Hashable {
    /// Whose it is.
    public let broker: String
    /// Differs when the rows do.
    public let fingerprint: String
    public let rows: Int

    package init(broker: String, fingerprint: String, rows: Int) {
        self.broker = broker
        self.fingerprint = fingerprint
        self.rows = rows
    }
}

/// Instruments that another program keeps, and that are copied whenever it has new ones.
package protocol MirroredInstruments: Sendable {
    /// The master that is there now; nil when an earlier look has found it already, or when it is not complete.
    func look() async throws -> MirroredMaster?
    /// Why there is no master, when rows are there.
    var obstacle: String? { get async }
    /// The master was not taken over: the next look finds it again.
    func forget() async
    /// All rows, and how many were left out because they are no instruments.
    func listings() async throws -> (rows: [Listing], leftOut: Int)
    func close() async
}
