/// What became of a file in a plugin folder.
public enum PluginState: String, Sendable, Hashable, Codable {
    /// In the registry.
    case loaded
    /// Looked at and not taken; the reason says why and how to mend it.
    case refused
    /// Sound, but another file serves that broker.
    case shadowed
    /// Sound, but the list of valid brokers leaves it out.
    case disabled
    /// Not a plugin by its name.
    case ignored
    /// It crashed, hung or left in the probe; it is tried again when the file changes.
    case quarantined
}

/// Why a file was not taken: one sentence for the person who put it there.
public struct PluginRefusal: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// ``PluginState/refused`` or ``PluginState/quarantined``.
    public let state: PluginState
    /// Without the file's name, which the list shows beside it.
    public let reason: String

    public init(_ reason: String, state: PluginState = .refused) {
        self.state = state
        self.reason = reason
    }

    public var description: String { reason }
}
