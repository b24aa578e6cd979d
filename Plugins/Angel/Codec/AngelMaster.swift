import AdapterKit

extension Angel {
    /// The instrument master: one JSON array of objects whose values are all text, tens of megabytes.
    static let master = MasterFile("OpenAPIScripMaster.json") { query throws(AdapterError) in
        MasterRequest(query.setting("master_endpoint"))
    } parse: { bytes, rows throws(AdapterError) in
        var json = JSONScanner(bytes)
        guard json.enterArray() else { throw foreign(bytes) }
        var record = ScripRecord()
        var good = json.offset
        var number = 0
        while json.nextElement() {
            guard record.read(&json) else { break }
            number += 1
            if let row = record.row {
                try rows.append(row)
            } else {
                rows.skip(record.reason, line: number, example: bytes.slice(from: good, to: json.offset).element)
            }
            good = json.offset
        }
        if !json.isFinished {
            rows.doubt(
                "the file is damaged or cut off behind byte \(good), after \(rows.count + rows.skipped) instruments; "
                    + "download it again")
        }
        guard rows.count > 0 else { throw foreign(bytes) }
    }

    private static func foreign(_ bytes: Bytes) -> AdapterError {
        let start = String(bytes.slice(from: 0, to: 60)).split(whereSeparator: \.isNewline).joined(separator: " ")
        return AdapterError(
            .invalid,
            "this is no instrument master of Angel One: OpenAPIScripMaster.json is a JSON array of objects with token, "
                + "symbol and exch_seg, and this begins with: \(start.isEmpty ? "nothing" : start)")
    }
}

extension Bytes {
    /// An element of an array without what separates it from the one before.
    fileprivate var element: Bytes { slice(from: firstIndex(of: UInt8(ascii: "{")) ?? 0) }
}
