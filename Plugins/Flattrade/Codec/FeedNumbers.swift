import AdapterKit

/// The numbers of a message as they are written, digits and decimals apart, in the places of ``FeedField``. Borrowed from
/// its ``FeedDecoder``, so that they travel without counting references.
struct FeedNumbers {
    /// The digits of each, without the point. Valid where ``FeedHeader/present`` says so.
    private let values: UnsafeMutablePointer<Int64>
    /// The decimals of each.
    private let places: UnsafeMutablePointer<UInt8>

    init() {
        values = .allocate(capacity: FeedField.count)
        values.initialize(repeating: 0, count: FeedField.count)
        places = .allocate(capacity: FeedField.count)
        places.initialize(repeating: 0, count: FeedField.count)
    }

    func deallocate() {
        values.deallocate()
        places.deallocate()
    }

    @inline(__always)
    func set(_ field: UInt8, _ digits: Int64, places decimals: UInt8) {
        values[Int(field)] = digits
        places[Int(field)] = decimals
    }

    /// The value of a field as a mantissa with `places` decimals; `nil` if it does not fit.
    @inline(__always)
    func scaled(_ field: UInt8, places wanted: UInt8) -> Int64? {
        places[Int(field)] == wanted ? values[Int(field)] : rescaled(field, places: wanted)
    }

    @inline(never)
    private func rescaled(_ field: UInt8, places wanted: UInt8) -> Int64? {
        DecimalText.rescale(values[Int(field)], from: -Int(places[Int(field)]), to: -Int(wanted))
    }

    /// The decimals that every price of the message needs, at least `least`: zeros at the end need none.
    func placesNeeded(_ header: FeedHeader, atLeast least: UInt8) -> UInt8 {
        guard header.mostPlaces > least else { return least }
        var needed = least
        var rest = header.present & FeedField.prices
        while rest != 0 {
            let field = Int(truncatingIfNeeded: rest.trailingZeroBitCount)
            rest &= rest &- 1
            while places[field] > needed, values[field] % 10 == 0 {
                values[field] /= 10
                places[field] -= 1
            }
            needed = max(needed, places[field])
        }
        return needed
    }
}
