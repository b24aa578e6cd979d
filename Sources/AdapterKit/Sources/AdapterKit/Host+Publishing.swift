import CFeedhostABI

// Publishing fills a ring in the host and never waits. A full ring drops and counts on its own.
extension Host {
    /// Hands over one update without a book.
    @inlinable
    @discardableResult
    public func publish(_ tick: borrowing Tick) -> Status {
        withUnsafePointer(to: tick.record) { record in
            Status(rawValue: table.pointee.publish_ticks?(context, record, 1) ?? Status.unsupported.rawValue)
        }
    }

    /// Hands over several updates without books.
    @inlinable
    @discardableResult
    public func publish(_ ticks: UnsafeBufferPointer<Tick>) -> Status {
        guard let start = ticks.baseAddress else { return .ok }
        // A struct with one stored property has the layout of that property.
        let records = UnsafeRawPointer(start).assumingMemoryBound(to: fh_tick.self)
        let count = UInt32(clamping: ticks.count)
        return Status(rawValue: table.pointee.publish_ticks?(context, records, count) ?? Status.unsupported.rawValue)
    }

    /// Hands over one update with a book, best level first; `nil` leaves a side as it is, an empty buffer empties it.
    ///
    /// - Parameter limit: the most levels of each side that go out
    @discardableResult
    public func publish(
        _ tick: borrowing Tick, bids: LevelBuffer?, asks: LevelBuffer?, limit: Int = 200
    ) -> Status {
        var record = tick.record
        var bidLevels: (UnsafePointer<fh_level>?, UInt32) = (nil, 0)
        var askLevels: (UnsafePointer<fh_level>?, UInt32) = (nil, 0)
        if let bids {
            record.fields |= UInt64(FH_F_BIDS)
            bidLevels = bids.records(limit: limit)
        }
        if let asks {
            record.fields |= UInt64(FH_F_ASKS)
            askLevels = asks.records(limit: limit)
        }
        // The buffers own the memory that the pointers lead to.
        return withExtendedLifetime(bids) {
            withExtendedLifetime(asks) {
                Status(
                    rawValue: table.pointee.publish_depth?(
                        context, &record, bidLevels.0, bidLevels.1, askLevels.0, askLevels.1)
                        ?? Status.unsupported.rawValue)
            }
        }
    }
}
