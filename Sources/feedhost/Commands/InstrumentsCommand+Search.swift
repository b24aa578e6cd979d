import ArgumentParser
import Foundation
import Instruments
import MarketData

extension InstrumentsCommand {
    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Finds instruments by a part of their symbol or name.")
        @Argument(help: "What to look for; capitals do not count.") var text: String
        @Option(help: "Only on this exchange, as in NFO.") var exchange: String?
        @Option(help: "Only of this broker.") var broker: String?
        @Option(help: "Rows at the most.") var limit = 20
        @Flag(help: "As a JSON array.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard (1...100_000).contains(limit) else {
                throw ValidationError("--limit \(limit): give a number from 1 to 100000.")
            }
            guard !text.isEmpty else { throw ValidationError("Give a part of a symbol or of a name.") }
        }

        func run() async throws {
            let settings = try Settings.load(options.input)
            let store = try MasterStore.existing(path: MasterStore.path(beside: settings.store))
            let search = MasterSearch(
                text, exchange: exchange?.uppercased(), broker: broker?.lowercased(), limit: limit)
            let hits = try await store?.search(search) ?? []
            let stored = try await store?.records().map(\.broker) ?? []
            store?.close()
            guard !json else { return try Output.line(Self.json(hits)) }
            guard hits.isEmpty else {
                let rows = hits.map { [$0.listing.instrument.description] + Self.columns($0) }
                return try Output.line(
                    TextTable.lines(
                        ["SYMBOL", "NAME", "TYPE", "LOT", "TICK", "BROKER", "ITS SYMBOL", "ITS TOKEN"], rows))
            }
            let note =
                if stored.isEmpty || broker.map({ !stored.contains($0.lowercased()) }) == true {
                    "No instruments of \(broker ?? "any broker") are stored. `feedhost instruments sync \(broker ?? "BROKER")` downloads them."
                } else {
                    "There is no \(text) among the instruments of \(broker ?? stored.joined(separator: ", "))."
                }
            Output.note(note)
        }

        private static func columns(_ hit: MasterStore.Hit) -> [String] {
            let listing = hit.listing
            return [
                listing.name.isEmpty ? "-" : listing.name, listing.type.isEmpty ? "-" : listing.type,
                listing.lotSize == 0 ? "-" : "\(listing.lotSize)",
                listing.tickSize == 0 ? "-" : decimal(listing.tickSize, listing.priceExponent), hit.broker,
                listing.brokerSymbol, "\(listing.brokerExchange):\(listing.brokerToken)",
            ]
        }

        /// With the keys of the client protocol where it has some.
        private static func json(_ hits: [MasterStore.Hit]) throws -> String {
            let objects = hits.map { hit in
                let listing = hit.listing
                return Found(
                    symbol: listing.instrument.symbol, exchange: listing.instrument.exchange, name: listing.name,
                    instrumenttype: listing.type, expiry: listing.expiry == 0 ? nil : listing.expiry,
                    strike: listing.strike == 0 ? nil : decimal(listing.strike, listing.priceExponent),
                    lotsize: listing.lotSize == 0 ? nil : listing.lotSize,
                    tick_size: listing.tickSize == 0 ? nil : decimal(listing.tickSize, listing.priceExponent),
                    broker: hit.broker, brsymbol: listing.brokerSymbol, brexchange: listing.brokerExchange,
                    token: listing.brokerToken)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(objects), as: UTF8.self)
        }

        /// OpenAlgo's column names; prices are texts, so that no digit is lost. Absent is unknown.
        private struct Found: Encodable {
            let symbol: String
            let exchange: String
            let name: String
            let instrumenttype: String
            /// yyyymmdd.
            let expiry: UInt32?
            let strike: String?
            let lotsize: Int64?
            let tick_size: String?
            let broker: String
            let brsymbol: String
            let brexchange: String
            let token: String
        }

        /// 5 with exponent -2 is `0.05`.
        private static func decimal(_ mantissa: Int64, _ exponent: Int8) -> String {
            "\(Decimal(sign: .plus, exponent: Int(exponent), significand: Decimal(mantissa)))"
        }
    }
}
