import Glibc

/// Texts of at most 255 bytes behind one another in one array, each with its length before it. A text is named by where
/// it begins: 4 bytes instead of a `String`'s 16 and its allocation.
struct TextPool: Sendable {
    /// Position of the empty text.
    static let none: UInt32 = 0

    private(set) var bytes: [UInt8] = [0]

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    /// - Returns: The text's place; ``none`` for the empty one, for one that is too long, and when 4 GiB are full.
    mutating func append(_ text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        guard !text.isEmpty, text.count <= 255, let place = UInt32(exactly: bytes.count) else { return Self.none }
        bytes.append(UInt8(text.count))
        bytes.append(contentsOf: text)
        return place
    }

    func string(_ place: UInt32) -> String {
        with(place) { String(decoding: $0, as: UTF8.self) }
    }

    func equals(_ place: UInt32, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        with(place) { own in
            guard own.count == text.count else { return false }
            guard let left = own.baseAddress, let right = text.baseAddress else { return true }
            return memcmp(left, right, own.count) == 0
        }
    }

    /// Byte by byte, as SQLite's BINARY collation.
    func precedes(_ place: UInt32, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        with(place) { $0.lexicographicallyPrecedes(text) }
    }

    @inline(__always)
    func with<R>(_ place: UInt32, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        bytes.withUnsafeBufferPointer { all in
            let start = Int(place) + 1
            return body(UnsafeBufferPointer(rebasing: all[start..<start + Int(all[start - 1])]))
        }
    }
}

/// A few words that many rows share, such as exchanges: two bytes a row.
struct WordTable: Sendable {
    private(set) var words: [String] = []
    private var numbers: [String: UInt16] = [:]
    /// Rows of one exchange follow each other.
    private var last: (word: String, number: UInt16)?

    /// Nil when 65,535 words are taken.
    mutating func number(_ text: UnsafeBufferPointer<UInt8>) -> UInt16? {
        if let last, last.word.utf8.elementsEqual(text) { return last.number }
        let word = String(decoding: text, as: UTF8.self)
        if let number = numbers[word] {
            last = (word, number)
            return number
        }
        guard words.count < UInt16.max else { return nil }
        let number = UInt16(words.count)
        words.append(word)
        numbers[word] = number
        last = (word, number)
        return number
    }

    func find(_ word: String) -> UInt16? { numbers[word] }

    subscript(_ number: UInt16) -> String { words[Int(number)] }
}
