/// What the live table shows at one time, and how that fits into a window.
struct TailPicture: Sendable {
    struct Row: Sendable {
        let name: String
        /// By column; nil while nothing has come.
        var values: [String]?
        /// `bids 3@100.0 … | asks …`, or nothing.
        var book = ""
        /// What stands in place of values.
        var remark = "waiting for the first tick"
    }

    /// - importance: The column with the lowest number stays longest when the window is narrow.
    static let columns: [(title: String, key: String, importance: Int)] = [
        ("LTP", "ltp", 0), ("CHANGE %", "change_percent", 1), ("BID", "bid_price", 2), ("ASK", "ask_price", 3),
        ("OPEN", "open", 7), ("HIGH", "high", 5), ("LOW", "low", 6), ("VOLUME", "volume", 4),
    ]

    var rows: [Row] = []
    /// Outages and the like, most urgent first.
    var troubles: [String] = []
    var messages = 0
    /// The widest that each column has been: a table that breathes with every price is hard to read.
    private var widths = columns.map { CellWidth.of($0.title) }

    private static let gap = 2

    /// Call it when the window has another width.
    mutating func forgetWidths() { widths = Self.columns.map { CellWidth.of($0.title) } }

    /// Lines of which none is wider than `width`, and no more than `height`, both at least 1.
    mutating func lines(width: Int, height: Int) -> [String] {
        for values in rows.compactMap(\.values) {
            for (column, value) in values.enumerated() { widths[column] = max(widths[column], CellWidth.of(value)) }
        }
        let (name, columns) = fit(width)
        var lines = [line(["SYMBOL"] + columns.map { Self.columns[$0].title }, name, columns)]
        lines += rows.map { row in
            guard let values = row.values else {
                return "\(CellWidth.pad(CellWidth.cut(row.name, to: name), to: name))  \(row.remark)"
            }
            return line([row.name] + columns.map { values[$0] }, name, columns)
        }
        // Troubles stay when there is little room, books go first.
        let footer = "\(messages) messages"
        let below = (troubles + [footer]).prefix(height < 4 ? 0 : height - 2)
        let room = height - below.count
        if lines.count <= room {
            let books = rows.filter { $0.values != nil && !$0.book.isEmpty }.map { "\($0.name)  \($0.book)" }
            lines += books.prefix(room - lines.count)
        } else if room < 3 {
            // Not even for the titles.
            lines = Array(lines.dropFirst().prefix(room))
        } else {
            let hidden = lines.count - (room - 1)
            lines = lines.prefix(room - 1) + ["… and \(hidden) more; the window is too low"]
        }
        return (lines + below).map { CellWidth.cut($0, to: width) }
    }

    /// The width of the names, and the columns that have room beside them.
    private func fit(_ width: Int) -> (name: Int, columns: [Int]) {
        let name = ([("SYMBOL")] + rows.map(\.name)).map { CellWidth.of($0) }.max() ?? 0
        let isEmpty = Self.columns.indices.map { column in rows.allSatisfy { ($0.values?[column] ?? "").isEmpty } }
        var columns = Array(Self.columns.indices)
        func taken() -> Int { columns.reduce(name) { $0 + Self.gap + widths[$1] } }
        while columns.count > 1, taken() > width {
            // Those that hold nothing go before those that do.
            let least = columns.max {
                (isEmpty[$0] ? 1 : 0, Self.columns[$0].importance) < (isEmpty[$1] ? 1 : 0, Self.columns[$1].importance)
            }
            columns.removeAll { $0 == least }
        }
        return (max(1, min(name, name - (taken() - width))), columns)
    }

    private func line(_ cells: [String], _ name: Int, _ columns: [Int]) -> String {
        let widths = [name] + columns.map { self.widths[$0] }
        let padded = zip(cells, widths).map { CellWidth.pad(CellWidth.cut($0, to: $1), to: $1) }
        // Nothing after the last column: copied lines should not end in spaces.
        return (padded.dropLast() + cells.suffix(1)).joined(separator: String(repeating: " ", count: Self.gap))
    }
}
