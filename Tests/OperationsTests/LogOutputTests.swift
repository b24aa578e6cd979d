import Logging
import Testing

@testable import Operations

@Suite struct LogOutputTests {
    @Test func everyLineOfTheLogIsClean() {
        for isJSON in [false, true] {
            let output = LogOutput(label: "test", level: .info, isJSON: isJSON)
            let line = output.written(.info, "user \u{1b}[31m\nfake line", ["address": "a\nb\u{9b}"], "now")
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }, "\(line)")
            #expect(line.contains("fake line"))
        }
    }

    @Test(
        "A line as text and as JSON",
        arguments: [
            (false, "now warning disk full broker=zerodha user=anna"),
            (true, #"{"broker":"zerodha","level":"warning","message":"disk full","time":"now","user":"anna"}"#),
        ])
    func shapes(isJSON: Bool, line: String) {
        let output = LogOutput(label: "test", isJSON: isJSON)
        #expect(output.written(.warning, "disk full", ["user": "anna", "broker": "zerodha"], "now") == line)
    }

    @Test func aLevelOfItsOwnComesBeforeTheCommonOne() {
        var output = LogOutput(label: "test", level: .error, isJSON: false)
        #expect(output.logLevel == .error && LogOutput(label: "test", isJSON: false).logLevel == LogOutput.level)
        output.logLevel = .trace
        #expect(output.logLevel == .trace)
    }
}
