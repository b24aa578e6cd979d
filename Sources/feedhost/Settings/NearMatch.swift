import MarketData

/// Says what somebody probably meant.
enum NearMatch {
    /// ` Did you mean port?`, or nothing.
    static func hint(for word: String, among candidates: some Sequence<String>) -> String {
        EditDistance.nearest(to: word, among: candidates).map { " Did you mean \($0)?" } ?? ""
    }
}
