import NIOCore

/// Packets of the last step of each instrument, shared by all connections that get them.
struct AngelPacketCache {
    private struct Entry {
        var version: UInt64
        var bytes: ByteBuffer
    }

    private var entries: [Entry?]
    private var sequences: [(version: UInt64, number: Int64)]
    private var lastSequence: Int64 = 0
    private static let modes = AngelMode.allCases.count

    init(instruments: Int) {
        entries = Array(repeating: nil, count: instruments * Self.modes)
        sequences = Array(repeating: (0, 0), count: instruments)
    }

    /// - Parameter place: The instrument's, in the market.
    mutating func packet(_ quote: Quote, of listing: AngelListing, at place: Int, mode: AngelMode) -> ByteBuffer {
        let slot = place * Self.modes + Int(mode.rawValue) - 1
        if let entry = entries[slot], entry.version == quote.version { return entry.bytes }
        var bytes = ByteBuffer()
        let sequence = sequence(of: place, version: quote.version)
        AngelPacket.write(quote, of: listing, mode: mode, sequence: sequence, to: &bytes)
        entries[slot] = Entry(version: quote.version, bytes: bytes)
        return bytes
    }

    /// The same for all modes of one step.
    private mutating func sequence(of place: Int, version: UInt64) -> Int64 {
        if sequences[place].number == 0 || sequences[place].version != version {
            lastSequence += 1
            sequences[place] = (version, lastSequence)
        }
        return sequences[place].number
    }
}
