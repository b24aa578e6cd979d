/// The address of one stream of messages inside the program: whose session, which instrument, how much of it.
///
/// User isolation is part of the address: two users on one broker have two sessions, so no tick can reach the wrong one.
public struct RouteKey: Sendable, Hashable {
    /// Of the broker session; process-wide, never 0, never reused.
    public let session: UInt32
    /// Handle of the instrument.
    public let instrument: UInt32
    public let mode: Mode
    /// Levels of the book; 0 unless the mode is depth.
    public let depth: UInt16
    /// The 20 of a client that wrote `SYMBOL:20`, whatever was granted: the symbol is echoed with it. 0 = none.
    public let suffix: UInt16

    public init(session: UInt32, instrument: UInt32, mode: Mode, depth: UInt16 = 0, suffix: UInt16 = 0) {
        self.session = session
        self.instrument = instrument
        self.mode = mode
        self.depth = mode == .depth ? depth : 0
        self.suffix = suffix
    }

    /// The symbol as the client wrote it.
    public func name(of instrument: Instrument) -> String {
        suffix == 0 ? instrument.symbol : "\(instrument.symbol):\(suffix)"
    }
}

extension RouteKey {
    /// Bytes of ``write(to:mark:)``.
    public static let wireSize = 16

    /// - Parameter mark: A byte for whoever passes it on.
    public func write(to bytes: UnsafeMutableRawPointer, mark: UInt8) {
        bytes.storeBytes(of: mark, as: UInt8.self)
        bytes.storeBytes(of: mode.rawValue, toByteOffset: 1, as: UInt8.self)
        bytes.storeBytes(of: depth, toByteOffset: 2, as: UInt16.self)
        bytes.storeBytes(of: UInt32(suffix), toByteOffset: 4, as: UInt32.self)
        bytes.storeBytes(of: session, toByteOffset: 8, as: UInt32.self)
        bytes.storeBytes(of: instrument, toByteOffset: 12, as: UInt32.self)
    }

    /// Reads what ``write(to:mark:)`` wrote; nil if it is something else.
    public static func read(_ bytes: UnsafeRawBufferPointer) -> (mark: UInt8, key: RouteKey)? {
        guard bytes.count >= wireSize, let mode = Mode(rawValue: bytes[1]) else { return nil }
        let key = RouteKey(
            session: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
            instrument: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self), mode: mode,
            depth: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self),
            suffix: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        return (bytes[0], key)
    }
}
