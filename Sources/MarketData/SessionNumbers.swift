import Synchronization

/// Gives sessions their numbers: process-wide, never 0, never reused. Any thread.
public enum SessionNumbers {
    private static let last = Atomic<UInt32>(0)

    public static func next() -> UInt32 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
