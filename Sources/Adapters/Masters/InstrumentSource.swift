import CFeedhostABI
import MarketData
import NIOCore
import Secrets
import Transport

/// A broker's instrument master as its adapter offers it: `feedhost.instruments/1`.
///
/// `@unchecked Sendable`: ``table`` points to a static of the plugin, which by contract never changes, is never unmapped
/// and whose functions may be called from any thread.
public struct InstrumentSource: InstrumentMaster, @unchecked Sendable {
    /// Size of the table in ABI 1.0.
    private static let firstSize = 32
    private static let maxFiles = 64

    public let broker: String
    public let files: [String]
    private let description: BrokerDescription
    private let table: UnsafePointer<fh_instruments>
    private let concealment: Concealment

    /// Asks the adapter; nil when it has no master. Calls into the adapter: not for event loops.
    public init?(_ adapter: LoadedAdapter) {
        guard adapter.hasMaster, let extensionOf = adapter.table.pointee.extension,
            let pointer = ExtensionID.instruments.withCString({ extensionOf(nil, $0) })
        else { return nil }
        let table = pointer.assumingMemoryBound(to: fh_instruments.self)
        guard table.pointee.size >= Self.firstSize, let name = table.pointee.name, table.pointee.locate != nil,
            table.pointee.parse != nil
        else { return nil }
        let id = StableText(adapter.description.id)
        var files: [String] = []
        while files.count < Self.maxFiles {
            let file = name(id.str, UInt32(files.count)).line
            guard !file.isEmpty else { break }
            files.append(String(file.prefix(128)))
        }
        guard !files.isEmpty else { return nil }
        self.table = table
        concealment = Concealment(shared: adapter.concealment)
        self.files = files
        description = adapter.description
        broker = adapter.broker
    }

    public func locate(
        _ file: Int, settings: [String: Secret], credentials: [String: Secret]
    ) throws -> MasterLocation {
        concealment.add(settings: settings, of: description)
        concealment.add(credentials: credentials)
        let lent = LentFields(settings, credentials, id: description.id)
        defer { withExtendedLifetime(lent) {} }
        let sink = LocationSink()
        let status = lent.withQuery(file: UInt32(file)) { query in
            table.pointee.locate?(query, Unmanaged.passUnretained(sink).toOpaque()) { sink, request in
                guard let sink else { return }
                Unmanaged<LocationSink>.fromOpaque(sink).takeUnretainedValue().take(request)
            }
        }
        guard status == fh_status(FH_OK) else { throw refusal(status, file: file, credentials: credentials) }
        guard let result = sink.result else { throw broken("does not say where \(files[file]) is") }
        do {
            return try result.get()
        } catch {
            throw broken("cannot say where \(files[file]) is: \(error)")
        }
    }

    public func parse(
        _ file: Int, _ bytes: UnsafeRawBufferPointer, rows: (Listing) throws -> Void
    ) throws -> MasterReport {
        try withoutActuallyEscaping(rows) { rows in
            let sink = RowSink(rows, concealment, file: files[file])
            let id = StableText(description.id)
            let content = fh_str(
                ptr: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: UInt64(bytes.count))
            let status = call(id.str, UInt32(file), content, sink)
            // Ours first: the adapter has only passed it on.
            if let error = sink.error { throw error }
            guard status == fh_status(FH_OK) else {
                let reason = sink.problem.isEmpty ? "status \(status ?? 0)" : sink.problem
                throw FeedError(
                    .broker, "\(files[file]) is not what the adapter for \(broker) can read: \(reason)")
            }
            return sink.report
        }
    }

    /// `read()` where the adapter has it, else `parse()` of ABI 1.0, which says nothing of what it leaves out.
    private func call(_ id: fh_str, _ file: UInt32, _ content: fh_str, _ sink: RowSink) -> fh_status? {
        let pointer = Unmanaged.passUnretained(sink).toOpaque()
        let end = MemoryLayout<fh_instruments>.offset(of: \.read).map { $0 + MemoryLayout<UnsafeRawPointer>.size }
        guard let end, table.pointee.size >= UInt32(end), let read = table.pointee.read else {
            return table.pointee.parse?(id, file, content, takeRows, pointer, takeProblem)
        }
        var target = fh_master_sink(
            size: UInt32(MemoryLayout<fh_master_sink>.size), reserved: 0, sink: pointer, rows: takeRows,
            problem: takeProblem,
            left_out: { sink, what in RowSink.at(sink)?.leaveOut(what) },
            doubt: { sink, sentence in RowSink.at(sink)?.doubt(sentence) })
        return read(id, file, content, &target)
    }

    private func refusal(_ status: fh_status?, file: Int, credentials: [String: Secret]) -> FeedError {
        guard status == fh_status(FH_E_AUTH) else {
            return broken("cannot say where \(files[file]) is: status \(status ?? 0); look at its settings")
        }
        let missing = description.credentialKeys.map(\.name).filter { credentials[$0]?.isEmpty ?? true }
        let what = missing.isEmpty ? "other credentials" : missing.joined(separator: ", ")
        return FeedError(
            .authentication,
            "The download of \(files[file]) needs credentials at \(broker) that are not stored (\(what)). Set them with `feedhost credentials set USER --broker \(broker) KEY=VALUE …`."
        )
    }

    private func broken(_ sentence: String) -> FeedError {
        FeedError(.broker, "The adapter for \(broker) \(sentence).")
    }
}

/// What `locate()` has asked for, copied.
private final class LocationSink {
    private(set) var result: Result<MasterLocation, TransportFailure>?

    func take(_ request: UnsafePointer<fh_request>?) {
        guard result == nil else { return }
        do throws(TransportFailure) {
            let request = try AdapterRequest(request)
            var location = MasterLocation(
                url: Secret(request.url), fields: request.fields.map { ($0.name, Secret($0.value)) })
            if request.method == UInt32(FH_HTTP_POST) { location.body = Array(request.body.readableBytesView) }
            location.patience = max(location.patience, .milliseconds(request.timeout))
            result = .success(location)
        } catch {
            result = .failure(error)
        }
    }
}

/// Settings and credentials as C reads them, for one call of `locate()`; overwritten afterwards.
private struct LentFields {
    private let id: StableText
    private let settings: [(StableText, StableText)]
    private let credentials: [(StableText, StableText)]

    init(_ settings: [String: Secret], _ credentials: [String: Secret], id: String) {
        self.id = StableText(id)
        self.settings = settings.map { (StableText($0), StableText($1)) }
        self.credentials = credentials.map { (StableText($0), StableText($1)) }
    }

    func withQuery<R>(file: UInt32, _ body: (UnsafePointer<fh_master_query>) -> R) -> R {
        let settings = settings.map { fh_field(name: $0.str, value: $1.str) }
        let credentials = credentials.map { fh_field(name: $0.str, value: $1.str) }
        return settings.withUnsafeBufferPointer { settings in
            credentials.withUnsafeBufferPointer { credentials in
                var query = fh_master_query()
                query.size = UInt32(MemoryLayout<fh_master_query>.size)
                query.file = file
                query.adapter_id = id.str
                query.settings = settings.baseAddress
                query.credentials = credentials.baseAddress
                query.setting_count = UInt32(settings.count)
                query.credential_count = UInt32(credentials.count)
                return withUnsafePointer(to: query, body)
            }
        }
    }
}
