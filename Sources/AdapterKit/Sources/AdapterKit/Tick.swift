import CFeedhostABI

/// One update of one instrument, built in place without allocating.
///
/// Only what is set goes out; everything else is "unchanged". A property reads `nil` when it is not in the update, and
/// setting `nil` takes it out again. All prices are mantissas at ``priceExponent``, all quantities at
/// ``quantityExponent``, all times nanoseconds since the Unix epoch, UTC.
///
/// ```swift
/// var tick = Tick(instrument: handle, mode: .lastPrice, priceExponent: -2, receivedAt: frame.receivedAt)
/// tick.lastPrice = 118_775  // 1187.75
/// host.publish(tick)
/// ```
public struct Tick: Sendable {
    /// Properties of a whole update.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The bits as they cross the C interface.
        public var rawValue: UInt16

        /// Wraps the bits `rawValue`.
        @inlinable
        public init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        /// Holds everything known: what is not in it is now unknown, ``Tick/exchangeTime`` included. The book is part of it
        /// in mode ``Mode/depth`` only.
        @inlinable
        public static var snapshot: Flags { Flags(rawValue: UInt16(FH_TF_SNAPSHOT)) }
        /// The last of the updates that one frame produced.
        @inlinable
        public static var last: Flags { Flags(rawValue: UInt16(FH_TF_LAST)) }
        /// The venue's time is implausible and was kept as it came.
        @inlinable
        public static var badTime: Flags { Flags(rawValue: UInt16(FH_TF_BAD_TS)) }
        /// Updates before this one were lost.
        @inlinable
        public static var gapBefore: Flags { Flags(rawValue: UInt16(FH_TF_GAP_BEFORE)) }
        /// Made by the adapter, not by the venue.
        @inlinable
        public static var synthetic: Flags { Flags(rawValue: UInt16(FH_TF_SYNTHETIC)) }
    }

    /// A price, a quantity: the venue has withdrawn it, for example the best bid of an empty side.
    @inlinable
    public static var withdrawn: Int64 { .max }

    @usableFromInline var record: fh_tick

    /// An update without any values yet.
    ///
    /// - Parameters:
    ///   - instrument: the handle from ``SubscriptionRequest``
    ///   - mode: the richest mode that the update belongs to
    ///   - priceExponent: the power of ten of all prices, −18 to 0
    ///   - quantityExponent: the power of ten of all quantities
    ///   - receivedAt: when the frame arrived
    @inlinable
    public init(
        instrument: UInt32, mode: Mode, priceExponent: Int8, quantityExponent: Int8 = 0, receivedAt: UInt64? = nil
    ) {
        record = fh_tick()
        record.instrument = instrument
        record.kind = mode.rawValue
        record.price_exp = priceExponent
        record.qty_exp = quantityExponent
        record.ts_exchange = UInt64.max
        record.ts_recv = receivedAt ?? UInt64.max
        record.sequence = UInt64.max
    }

    /// The handle of the instrument.
    @inlinable
    public var instrument: UInt32 { record.instrument }

    /// The richest mode that this update belongs to.
    @inlinable
    public var mode: Mode {
        get { Mode(rawValue: record.kind) }
        set { record.kind = newValue.rawValue }
    }

    /// Properties of the whole update.
    @inlinable
    public var flags: Flags {
        get { Flags(rawValue: record.flags) }
        set { record.flags = newValue.rawValue }
    }

    /// The power of ten of all prices.
    @inlinable
    public var priceExponent: Int8 { record.price_exp }

    /// The power of ten of all quantities.
    @inlinable
    public var quantityExponent: Int8 { record.qty_exp }

    /// When the venue sent it.
    @inlinable
    public var exchangeTime: UInt64? {
        get { record.ts_exchange == .max ? nil : record.ts_exchange }
        set { record.ts_exchange = newValue ?? .max }
    }

    /// When it arrived here.
    @inlinable
    public var receivedAt: UInt64? {
        get { record.ts_recv == .max ? nil : record.ts_recv }
        set { record.ts_recv = newValue ?? .max }
    }

    /// The sequence number of the venue or broker.
    @inlinable
    public var sequence: UInt64? {
        get { record.sequence == .max ? nil : record.sequence }
        set { record.sequence = newValue ?? .max }
    }

    /// Whether no value has been set.
    @inlinable
    public var isEmpty: Bool { record.fields == 0 }

    /// Whether the update holds any of the values whose `FH_F_*` bits are given, as of `adapter.h`.
    @inlinable
    public func holds(anyOf bits: UInt64) -> Bool { record.fields & bits != 0 }

    @inlinable
    static func read(_ value: Int64, _ fields: UInt64, _ bit: Int) -> Int64? {
        fields & UInt64(truncatingIfNeeded: bit) != 0 ? value : nil
    }

    @inlinable
    static func write(_ value: Int64?, _ slot: inout Int64, _ fields: inout UInt64, _ bit: Int) {
        if let value {
            slot = value
            fields |= UInt64(truncatingIfNeeded: bit)
        } else {
            fields &= ~UInt64(truncatingIfNeeded: bit)
        }
    }
}

/// A price and a quantity: the best bid or the best ask.
public struct BookTop: Hashable, Sendable {
    /// Price mantissa, or ``Tick/withdrawn``.
    public var price: Int64
    /// Quantity mantissa, or ``Tick/withdrawn``.
    public var quantity: Int64

    /// `quantity` at `price`.
    @inlinable
    public init(price: Int64, quantity: Int64) {
        self.price = price
        self.quantity = quantity
    }

    /// An empty side of the book.
    @inlinable
    public static var withdrawn: BookTop { BookTop(price: Tick.withdrawn, quantity: Tick.withdrawn) }
}
