import CFeedhostABI
import Testing

@testable import AdapterKit
@testable import AdapterTestKit

/// What a refused upgrade says of waiting.
@Suite struct RefusalTests {
    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ])
    func datesOfHTTPAreRead(text: String, seconds: Int64) {
        #expect(HTTPDate.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 IST", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
    ])
    func whatIsNoDateIsNone(text: String) {
        #expect(HTTPDate.seconds(text) == nil)
    }

    @Test(
        arguments: [
            (["Retry-After": "5"], 5), (["Retry-After": "-5"], 0), (["Retry-After": "9223372036854775807"], 86_400),
            (["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:07 GMT"], 30),
            (["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:50:07 GMT"], 0),
            (["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"], nil), (["Retry-After": "soon"], nil), ([:], nil),
        ] as [([String: String], Int64?)])
    func theWaitIsWhatTheServerNames(headers: [String: String], seconds: Int64?) {
        var memory = BorrowedTexts()
        defer { memory.release() }
        let fields = headers.map { fh_field(name: memory.lend($0.key), value: memory.lend($0.value)) }
        fields.withUnsafeBufferPointer { fields in
            var record = fh_response()
            record.size = UInt32(MemoryLayout<fh_response>.size)
            record.http_status = 429
            record.fields = fields.baseAddress
            record.field_count = UInt32(fields.count)
            #expect(Response(&record)?.retryAfter == seconds.map { .seconds($0) })
        }
    }
}
