import CFeedhostABI
import MarketData
import NIOCore

/// A broker's instrument master as its adapter offers it: `feedhost.instruments/1`.
///
/// `@unchecked Sendable`: ``table`` points to a static of the plugin, which by contract never changes, is never unmapped
/// and whose functions may be called from any thread.
public struct InstrumentSource: InstrumentMaster, @unchecked Sendable {
    static let id = "feedhost.instruments/1"
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
            let pointer = Self.id.withCString({ extensionOf(nil, $0) })
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
    ) throws -> Int {
        try withoutActuallyEscaping(rows) { rows in
            let sink = RowSink(rows, concealment)
            let id = StableText(description.id)
            let content = fh_str(
                ptr: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: UInt64(bytes.count))
            let status = table.pointee.parse?(
                id.str, UInt32(file), content,
                { sink, rows, count in
                    guard let sink else { return fh_status(FH_E_INVALID) }
                    return Unmanaged<RowSink>.fromOpaque(sink).takeUnretainedValue().take(rows, count)
                }, Unmanaged.passUnretained(sink).toOpaque(),
                { sink, message in
                    guard let sink else { return }
                    Unmanaged<RowSink>.fromOpaque(sink).takeUnretainedValue().fail(message)
                })
            // Ours first: the adapter has only passed it on.
            if let error = sink.error { throw error }
            guard status == fh_status(FH_OK) else {
                let reason = sink.problem.isEmpty ? "status \(status ?? 0)" : sink.problem
                throw FeedError(
                    .broker, "\(files[file]) is not what the adapter for \(broker) can read: \(reason)")
            }
            return sink.leftOut
        }
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

/// Takes the rows of `parse()`.
private final class RowSink {
    private let rows: (Listing) throws -> Void
    private(set) var error: (any Error)?
    private(set) var leftOut = 0
    private let concealment: Concealment
    private(set) var problem = ""

    init(_ rows: @escaping (Listing) throws -> Void, _ concealment: Concealment) {
        self.rows = rows
        self.concealment = concealment
    }

    /// The adapter says why it cannot read on.
    func fail(_ message: fh_str) { problem = message.line(without: concealment.redaction) }

    func take(_ start: UnsafePointer<fh_master_row>?, _ count: UInt32) -> fh_status {
        guard error == nil else { return fh_status(FH_E_INTERNAL) }
        for row in UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count)) {
            guard let listing = Listing(row) else {
                leftOut += 1
                continue
            }
            do {
                try rows(listing)
            } catch {
                self.error = error
                return fh_status(FH_E_INTERNAL)
            }
        }
        return fh_status(FH_OK)
    }
}

extension Listing {
    /// Nil when the row cannot be looked up or shown.
    fileprivate init?(_ row: fh_master_row) {
        guard let symbol = row.symbol.name(), let exchange = row.exchange.name(),
            let brokerSymbol = row.broker_symbol.name(), let brokerExchange = row.broker_exchange.name(),
            let brokerToken = row.broker_token.name(), !brokerToken.isEmpty || !brokerSymbol.isEmpty,
            (-18...0).contains(row.price_exp)
        else { return nil }
        let instrument = Instrument(exchange: exchange, symbol: symbol)
        guard instrument.isPlausible else { return nil }
        self.init(
            instrument: instrument, brokerSymbol: brokerSymbol, brokerExchange: brokerExchange,
            brokerToken: brokerToken, name: row.name.label(200), type: row.type.label(32),
            priceExponent: row.price_exp, tickSize: max(0, row.tick_size), strike: max(0, row.strike),
            lotSize: max(0, row.lot_size), expiry: row.expiry)
    }
}

extension fh_str {
    /// The text; nil when it is longer than look-ups take, or holds what no name holds.
    fileprivate func name() -> String? { len <= 255 && isPlain ? text : nil }

    /// Text that is only shown: cut where it is too long, on one line.
    fileprivate func label(_ limit: UInt64) -> String {
        let short = fh_str(ptr: ptr, len: min(len, limit))
        // Most are plain, and going through characters takes many times as long.
        return short.isPlain ? short.text : short.line
    }

    private var isPlain: Bool {
        guard let ptr else { return true }
        for index in 0..<Int(len) where UInt8(bitPattern: ptr[index]) < 0x20 { return false }
        return true
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
