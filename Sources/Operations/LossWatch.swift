/// Which losses were said already.
struct LossWatch {
    private var said: [String: Int] = [:]

    /// - Returns: A line for each number that is another than at the last look.
    mutating func look(_ figures: Figures) -> [String] {
        var lines: [String] = []
        for (name, value) in figures.losses where said[name, default: 0] != value {
            lines.append("\(name): \(value - said[name, default: 0]) more, \(value) since the start")
            said[name] = value
        }
        return lines
    }
}
