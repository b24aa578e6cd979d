import Foundation
import Synchronization

/// How ticks are shown: lines of JSON, lines for people, or a table that moves when there is a terminal.
final class TailView: Sendable {
    private enum Style: Sendable { case json, lines, table }

    private struct Table {
        var rows: [String: [String: String]] = [:]
        var order: [String] = []
        var books: [String: String] = [:]
        var drawn = 0
        var last = Date.distantPast
        var messages = 0
    }

    private let closed = Atomic<Bool>(false)
    /// True when standard output takes nothing any more.
    var isClosed: Bool { closed.load(ordering: .relaxed) }

    private let style: Style
    private let table = Mutex(Table())

    /// The style for this standard output.
    static func fitting(json: Bool) -> TailView {
        TailView(json ? .json : isatty(STDOUT_FILENO) == 1 ? .table : .lines)
    }

    private init(_ style: Style) { self.style = style }

    func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    func show(_ message: [String: Any], _ data: Data) {
        switch style {
        case .json: write(String(decoding: data, as: UTF8.self) + "\n")
        case .lines: write(Self.line(message) + "\n")
        case .table: redraw(message)
        }
    }

    /// Draws what is still held back.
    func end() {
        guard style == .table else { return }
        table.withLock { draw(&$0) }
    }

    // MARK: Texts

    private static let columns: [(title: String, keys: [String])] = [
        ("LTP", ["ltp"]), ("CHANGE %", ["change_percent"]), ("BID", ["bid_price"]), ("ASK", ["ask_price"]),
        ("OPEN", ["open"]), ("HIGH", ["high"]), ("LOW", ["low"]), ("VOLUME", ["volume"]),
    ]

    private static func name(_ message: [String: Any]) -> String {
        "\(message["exchange"] as? String ?? "?"):\(message["symbol"] as? String ?? "?")"
    }

    private static func text(_ value: Any?) -> String { value.map { "\($0)" } ?? "" }

    private static func line(_ message: [String: Any]) -> String {
        let data = message["data"] as? [String: Any] ?? [:]
        let values = columns.compactMap { column in
            data[column.keys[0]].map { "\(column.title.lowercased()) \(text($0))" }
        }
        return ([name(message)] + values + [book(data)]).filter { !$0.isEmpty }.joined(separator: "  ")
    }

    /// `bids 3@100.0 2@99.95 | asks 1@100.05 …`
    private static func book(_ data: [String: Any]) -> String {
        guard let depth = data["depth"] as? [String: Any] else { return "" }
        func side(_ key: String) -> String {
            let levels = (depth[key] as? [[String: Any]] ?? []).prefix(5)
            return levels.map { "\(text($0["quantity"]))@\(text($0["price"]))" }.joined(separator: " ")
        }
        return "bids \(side("buy")) | asks \(side("sell"))"
    }

    // MARK: The table

    private func redraw(_ message: [String: Any]) {
        let data = message["data"] as? [String: Any] ?? [:]
        let name = Self.name(message)
        let values = Dictionary(uniqueKeysWithValues: Self.columns.map { ($0.title, Self.text(data[$0.keys[0]])) })
        let book = Self.book(data)
        table.withLock { table in
            if table.rows[name] == nil { table.order.append(name) }
            table.rows[name] = values
            table.books[name] = book
            table.messages += 1
            // Ten pictures a second are enough for an eye.
            if Date().timeIntervalSince(table.last) > 0.1 { draw(&table) }
        }
    }

    private func draw(_ table: inout Table) {
        table.last = Date()
        let titles = Self.columns.map(\.title)
        let rows = table.order.map { name in [name] + titles.map { table.rows[name]?[$0] ?? "" } }
        var lines = TextTable.lines(["SYMBOL"] + titles, rows).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
        lines += table.order.compactMap { name in table.books[name].flatMap { $0.isEmpty ? nil : "\(name)  \($0)" } }
        lines.append("\(table.messages) messages")
        let up = table.drawn > 0 ? "\u{1B}[\(table.drawn)A" : ""
        write(up + lines.map { "\u{1B}[2K\($0)\n" }.joined())
        table.drawn = lines.count
    }

    private func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            closed.store(true, ordering: .relaxed)
        }
    }
}
