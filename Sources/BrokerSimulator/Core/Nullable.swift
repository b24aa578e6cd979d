/// A member that is `null` when there is nothing to say; an optional would be left out.
enum Nullable<Value: Encodable>: Encodable {
    case null
    case value(Value)

    init(_ value: Value?) { self = value.map { .value($0) } ?? .null }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .value(let value): try container.encode(value)
        }
    }
}
