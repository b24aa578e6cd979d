/// Why a simulator does not start, or does not do what it was told.
public struct SimulatorError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, where, and what to do about it.
    public let description: String

    init(_ description: String) { self.description = description }
}
