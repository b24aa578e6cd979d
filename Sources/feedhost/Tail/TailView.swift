import Foundation

/// How ticks are shown: lines of JSON, lines for people, or a table that moves when there is a terminal for it. Confined to
/// the task of its ``Tail``.
final class TailView {
    enum Style: Sendable { case json, lines, table }

    /// The style for this standard output.
    static func fitting(json: Bool) -> Style { json ? .json : Terminal.isDrawable ? .table : .lines }

    private let style: Style
    /// What stands above the table; written already.
    private let heading: String
    private var picture = TailPicture()
    private var places: [String: Int] = [:]
    private var outages = TailOutages()
    private var size = Terminal.size
    /// Lines of the picture on the screen.
    private var drawn = 0
    private var isStale = false
    private var lastSecond = 0

    init(_ style: Style, instruments: [String], heading: String = "") {
        self.style = style
        self.heading = heading
        for name in instruments { _ = place(CellWidth.clean(name)) }
        if style == .table { Terminal.watchStops() }
    }

    // MARK: What has happened

    /// - Throws: ``Output/Closed``, or ``StartError`` when nothing can be written.
    func tick(_ message: [String: Any], _ data: Data) throws {
        picture.messages += 1
        switch style {
        case .json: try Output.line(String(decoding: data, as: UTF8.self))
        case .lines: try Output.line(TailTexts.line(message))
        case .table:
            let values = message["data"] as? [String: Any] ?? [:]
            let place = place(TailTexts.name(message))
            picture.rows[place].values = TailPicture.columns.map { TailTexts.text(values[$0.key]) }
            picture.rows[place].book = TailTexts.book(values)
            isStale = true
        }
    }

    /// What stands in place of a symbol's values until they come.
    func remark(_ name: String, _ text: String) {
        let text = CellWidth.clean(text)
        guard style == .table else { return Output.note("\(CellWidth.clean(name)): \(text)") }
        let place = place(CellWidth.clean(name))
        picture.rows[place].values = nil
        picture.rows[place].remark = text
        isStale = true
    }

    func notice(_ message: [String: Any]) {
        outages.take(message)
        if style != .table { Output.note(TailTexts.notice(message)) }
        isStale = true
    }

    /// The connection to the host is gone.
    /// - Parameter next: When the next one is tried.
    func lostHost(_ text: String, next: Date) {
        outages.host = .init(text: CellWidth.clean(text), since: outages.host?.since ?? Date(), next: next)
        if style != .table {
            let wait = max(1, Int(next.timeIntervalSinceNow.rounded()))
            Output.note("\(TailTexts.clock(Date()))  \(CellWidth.clean(text)). Connecting again in \(wait) s.")
        }
        isStale = true
    }

    /// Connected and subscribed again.
    func foundHost() {
        guard let lost = outages.host else { return }
        outages = TailOutages()
        let seconds = Int(Date().timeIntervalSince(lost.since).rounded())
        if style != .table { Output.note("\(TailTexts.clock(Date()))  Connected again after \(seconds) s.") }
        isStale = true
    }

    // MARK: The table

    /// Ten pictures a second are enough for an eye.
    func beat() throws {
        guard style == .table else { return }
        let second = Int(Date().timeIntervalSince1970)
        if !outages.isEmpty, second != lastSecond { isStale = true }
        lastSecond = second
        let size = Terminal.size
        let isOther = size != self.size || Terminal.takeWasStopped()
        if isStale || isOther || drawn == 0 { try draw(size, anew: isOther) }
    }

    /// Draws what is still held back.
    func end() throws {
        guard style == .table else { return }
        try draw(Terminal.size, anew: Terminal.size != size)
        if size.lines < 2 { try Output.write("\r\n") }
    }

    private func draw(_ size: Terminal.Size, anew: Bool) throws {
        if size.columns != self.size.columns { picture.forgetWidths() }
        self.size = size
        isStale = false
        picture.troubles = outages.lines()
        // The cursor stands in the line below, and the last column stays free: writing there wraps on some terminals.
        let lines = picture.lines(width: max(1, size.columns - 1), height: max(1, size.lines - 1))
        var text = ""
        if anew {
            // The terminal has folded the old lines in its own way: only a clean screen is certain.
            text = "\u{1B}[H\u{1B}[2J"
            let above = heading.split(separator: "\n", omittingEmptySubsequences: false)
            if above.count + lines.count < size.lines { text += heading }
        } else if drawn > 0 {
            text = "\r\u{1B}[\(drawn)A"
        }
        if size.lines < 2 {
            // There is no line below.
            drawn = lines.count
            return try Output.write("\r\u{1B}[2K\(lines.last ?? "")")
        }
        // Without wrapping, a letter that is wider than it should be costs a cell and not a line.
        text += "\u{1B}[?7l" + lines.map { "\u{1B}[2K\($0)\r\n" }.joined() + "\u{1B}[J\u{1B}[?7h"
        drawn = lines.count
        try Output.write(text)
    }

    private func place(_ name: String) -> Int {
        if let place = places[name] { return place }
        places[name] = picture.rows.count
        picture.rows.append(.init(name: name))
        return picture.rows.count - 1
    }
}
