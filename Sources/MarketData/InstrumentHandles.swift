import Synchronization

/// Gives every instrument a handle: process-wide, never 0, never reused. Any thread.
public final class InstrumentHandles: Sendable {
    private struct State {
        var handles: [Instrument: UInt32] = [:]
        var instruments: [Instrument] = []
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: Instruments at the most; a client that invents symbols cannot fill the memory.
    public init(capacity: Int = 4_000_000) { self.capacity = capacity }

    /// The instrument's handle, given on first sight; nil when there is no room for another or the name is not plausible.
    public func handle(of instrument: Instrument) -> UInt32? {
        guard instrument.isPlausible else { return nil }
        return state.withLock { state in
            if let handle = state.handles[instrument] { return handle }
            guard state.instruments.count < capacity else { return nil }
            state.instruments.append(instrument)
            let handle = UInt32(state.instruments.count)
            state.handles[instrument] = handle
            return handle
        }
    }

    /// The instrument of a handle that was given before.
    public subscript(handle: UInt32) -> Instrument? {
        state.withLock { state in
            handle > 0 && handle <= state.instruments.count ? state.instruments[Int(handle) - 1] : nil
        }
    }
}
