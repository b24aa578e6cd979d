import CFeedhostABI

/// The adapter's half of `feedhost.instruments/1`.
// Unchecked: written once when it is made, only read afterwards, never freed.
struct InstrumentsTable: @unchecked Sendable {
    static let shared = InstrumentsTable()
    let pointer = StaticTables.value(makeInstrumentsTable())
}

private func masterFile(_ adapter: fh_str, _ file: UInt32) -> MasterFile? {
    guard let files = AdapterEntry.registration(String(adapter))?.masters, files.indices.contains(Int(file)) else {
        return nil
    }
    return files[Int(file)]
}

private func makeInstrumentsTable() -> fh_instruments {
    var table = fh_instruments()
    table.size = UInt32(MemoryLayout<fh_instruments>.size)
    table.name = { adapter, file in
        // The registration keeps the text for the life of the process, and so does this copy of it.
        AdapterEntry.registration(String(adapter)).flatMap { $0.masterNames[Int(file)] } ?? fh_str()
    }
    table.locate = { query, sink, request in
        guard let query, query.pointee.size >= UInt32(MemoryLayout<fh_master_query>.size), let request,
            let file = masterFile(query.pointee.adapter_id, query.pointee.file)
        else { return Status.invalid.rawValue }
        do throws(AdapterError) {
            let wanted = try file.locate(MasterQuery(query.pointee))
            wanted.withRecord { request(sink, $0) }
            return Status.ok.rawValue
        } catch {
            return error.failure.rawValue
        }
    }
    table.parse = { adapter, file, bytes, rows, sink, problem in
        guard let rows, let file = masterFile(adapter, file) else { return Status.invalid.rawValue }
        var taken = MasterRows { rows(sink, $0.baseAddress, UInt32($0.count)) }
        do throws(AdapterError) {
            try file.read(Bytes(bytes), into: &taken)
            // This host cannot be told of a doubt, so it is a refusal.
            if let doubt = taken.doubts.first ?? file.strangers(taken) { throw AdapterError(.invalid, doubt) }
            return Status.ok.rawValue
        } catch {
            if let problem { error.message.withBorrowed { problem(sink, $0) } }
            return error.failure.rawValue
        }
    }
    table.read = { adapter, file, bytes, target in
        guard let target, target.pointee.size >= UInt32(MemoryLayout<fh_master_sink>.size),
            let rows = target.pointee.rows, let file = masterFile(adapter, file)
        else { return Status.invalid.rawValue }
        let (sink, host) = (target.pointee.sink, target.pointee)
        var taken = MasterRows {
            rows(sink, $0.baseAddress, UInt32($0.count))
        } tell: { skipped in
            guard let leftOut = host.left_out else { return }
            skipped.withRecord { leftOut(sink, $0) }
        }
        do throws(AdapterError) {
            try file.read(Bytes(bytes), into: &taken)
            for doubt in taken.doubts + [file.strangers(taken)].compactMap(\.self) {
                doubt.withBorrowed { host.doubt?(sink, $0) }
            }
            return Status.ok.rawValue
        } catch {
            error.message.withBorrowed { host.problem?(sink, $0) }
            return error.failure.rawValue
        }
    }
    return table
}

extension Skipped {
    fileprivate func withRecord(_ body: (UnsafePointer<fh_left_out>) -> Void) {
        reason.description.withBorrowed { text in
            var record = fh_left_out()
            record.size = UInt32(MemoryLayout<fh_left_out>.size)
            record.kind = UInt32(reason.isFault ? FH_LEFT_OUT_FAULT : FH_LEFT_OUT_FOREIGN)
            record.count = 1
            record.line = UInt64(clamping: line)
            record.reason = text
            record.example = fh_str(example.buffer)
            body(&record)
        }
    }
}

extension MasterQuery {
    fileprivate init(_ query: fh_master_query) {
        func fields(_ start: UnsafePointer<fh_field>?, _ count: UInt32) -> [String: String] {
            var values: [String: String] = [:]
            for field in UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count)) {
                values[String(field.name)] = String(field.value)
            }
            return values
        }
        self.init(
            settings: fields(query.settings, query.setting_count),
            credentials: fields(query.credentials, query.credential_count))
    }
}

extension MasterRequest {
    fileprivate func withRecord(_ body: (UnsafePointer<fh_request>) -> Void) {
        var arena = TextArena()
        let places = [arena.add(url)] + headers.flatMap { [arena.add($0.0), arena.add($0.1)] }
        arena.withTexts(places) { texts in
            let fields = stride(from: 1, to: texts.count, by: 2).map {
                fh_field(name: texts[$0], value: texts[$0 + 1])
            }
            fields.withUnsafeBufferPointer { fields in
                var request = fh_request()
                request.size = UInt32(MemoryLayout<fh_request>.size)
                request.method = UInt32(FH_HTTP_GET)
                request.url = texts[0]
                request.field_count = UInt32(fields.count)
                request.fields = fields.baseAddress
                body(&request)
            }
        }
    }
}
