/// A text that cannot be printed by accident: descriptions, interpolation, mirrors and dumps show `‹secret›`.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself. Call it only where the secret is used, never where something is written.
    public let revealed: String

    public init(_ text: String) { revealed = text }

    public var description: String { "‹secret›" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
    public var isEmpty: Bool { revealed.isEmpty }
}
