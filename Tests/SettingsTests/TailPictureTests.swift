import Foundation
import Testing

@testable import feedhost

@Suite("The live table, as lines")
struct TailPictureTests {
    private static func picture(_ names: [String], troubles: [String] = []) -> TailPicture {
        var picture = TailPicture()
        picture.rows = names.enumerated().map { number, name in
            .init(
                name: name,
                values: number % 3 == 2 ? nil : TailPicture.columns.map { "\($0.title.count * 1000 + number)" },
                book: "bids 3@1.5 | asks 2@1.6")
        }
        picture.troubles = troubles
        return picture
    }

    @Test(
        "Cells of letters",
        arguments: [
            ("", 0), ("NSE:SBIN", 8), ("币安人生USDT", 12), ("é", 1), ("e\u{301}", 1), ("ｱ", 1), ("Ａ", 2), ("한글", 4),
            ("🚀", 2), ("₹", 1), ("हिन्दी", 5), ("a\u{200B}b", 2), ("…", 1),
        ])
    func cells(text: String, cells: Int) { #expect(CellWidth.of(text) == cells) }

    @Test("Cutting never gives more than asked for, and never half a letter", arguments: 0...14)
    func cut(cells: Int) {
        let cut = CellWidth.cut("币安人生USDT", to: cells)
        #expect(CellWidth.of(cut) <= cells)
        #expect(cells >= 12 ? cut == "币安人生USDT" : cells == 0 ? cut.isEmpty : cut.hasSuffix("…"))
    }

    @Test("What steers a terminal is shown as a question mark")
    func clean() {
        #expect(CellWidth.clean("a\u{1B}[2Jb\u{9B}c\u{202E}d\r\ne\u{2028}") == "a?[2Jb?c?d??e?")
        #expect(CellWidth.clean("ALAN SCOTT 币安") == "ALAN SCOTT 币安")
    }

    @Test("Every width and height: nothing sticks out", arguments: [1, 2, 5, 12, 19, 20, 39, 79, 119, 199])
    func sizes(width: Int) {
        for count in [0, 1, 7, 60] {
            for troubles in [[], ["! zerodha down since 09:15:02 (12 s)", "second"], Array(repeating: "!", count: 50)] {
                for height in [1, 2, 3, 4, 9, 23, 100] {
                    var picture = Self.picture(
                        (0..<count).map { $0 == 1 ? "CRYPTO:币安人生USDT" : "NSE:S\($0)" }, troubles: troubles)
                    let lines = picture.lines(width: width, height: height)
                    #expect(lines.count <= height && lines.allSatisfy { CellWidth.of($0) <= width })
                    #expect(lines.allSatisfy { !$0.hasSuffix(" ") || $0.allSatisfy { $0 == " " } || width < 20 })
                }
            }
        }
    }

    @Test("Waits: 1, 2, 4, 8, then 15 s; from the beginning after a connection that has held")
    func attempts() {
        var attempts = TailAttempts()
        #expect((0..<6).map { _ in attempts.failed() } == [1, 2, 4, 8, 15, 15])
        let now = ContinuousClock.now
        attempts.connected(at: now)
        #expect(attempts.failed(at: now + .seconds(9)) == 15)
        attempts.connected(at: now)
        #expect(attempts.failed(at: now + .seconds(10)) == 1)
    }
}
