import CFeedhostABI
import MarketData
import Secrets

func takeRows(
    _ sink: UnsafeMutableRawPointer?, _ rows: UnsafePointer<fh_master_row>?, _ count: UInt32
) -> fh_status {
    RowSink.at(sink)?.take(rows, count) ?? fh_status(FH_E_INVALID)
}

func takeProblem(_ sink: UnsafeMutableRawPointer?, _ message: fh_str) { RowSink.at(sink)?.fail(message) }

/// Takes the rows of `read()` and `parse()`, and what is said of them.
final class RowSink {
    /// Doubts that are kept: the first ones say what is wrong.
    private static let doubtsKept = 5
    private static let reasonBytes: UInt64 = 100
    private static let exampleBytes: UInt64 = 200

    private let rows: (Listing) throws -> Void
    private(set) var error: (any Error)?
    private(set) var report = MasterReport()
    private let concealment: Concealment
    private let file: String
    private(set) var problem = ""

    init(_ rows: @escaping (Listing) throws -> Void, _ concealment: Concealment, file: String) {
        self.rows = rows
        self.concealment = concealment
        self.file = file
    }

    static func at(_ pointer: UnsafeMutableRawPointer?) -> RowSink? {
        pointer.map { Unmanaged<RowSink>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The adapter says why it cannot read on.
    func fail(_ message: fh_str) { problem = message.line(without: concealment.redaction) }

    /// The adapter says why the file is not to be trusted.
    func doubt(_ sentence: fh_str) {
        guard report.doubts.count < Self.doubtsKept else { return }
        let text = sentence.line(without: concealment.redaction)
        report.doubts.append(text.isEmpty ? "the adapter doubts it and does not say why" : text)
    }

    /// The adapter leaves rows out.
    func leaveOut(_ pointer: UnsafePointer<fh_left_out>?) {
        guard let what = pointer?.pointee, what.size >= UInt32(MemoryLayout<fh_left_out>.size) else { return }
        let reason = what.reason.label(Self.reasonBytes)
        report.leftOut.add(
            reason.isEmpty ? "makes no sense" : reason,
            LeftOutRows.Kind(rawValue: Int(what.kind)) == .foreign ? .foreign : .fault,
            count: max(1, Int(clamping: min(what.count, 1 << 40))),
            example: .init(
                file: file, line: what.line,
                text: fh_str(ptr: what.example.ptr, len: min(what.example.len, Self.exampleBytes)).line(
                    without: concealment.redaction)))
    }

    func take(_ start: UnsafePointer<fh_master_row>?, _ count: UInt32) -> fh_status {
        guard error == nil else { return fh_status(FH_E_INTERNAL) }
        for row in UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count)) {
            guard let listing = Listing(row) else {
                let name = "\(row.exchange.label(40)):\(row.symbol.label(80)), token \(row.broker_token.label(40))"
                report.leftOut.add(
                    "a name that nobody can ask for", .fault, example: .init(file: file, line: 0, text: name))
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
