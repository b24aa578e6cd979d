import AdapterKit
import AdapterTestKit
import CFeedhostABI
import FlattradeAdapter
import Foundation
import Testing

@Suite struct NorenMasterTests {
    static let header = "Exchange,Token,Lotsize,Symbol,Tradingsymbol,Instrument,Expiry,Strike,Optiontype"
    static let family =
        "Exchange,Token,LotSize,Symbol,TradingSymbol,Expiry,Instrument,OptionType,StrikePrice,TickSize,"

    private func rows(_ text: String, broker: Int = 0) throws -> (rows: [MasterRow], skipped: Int) {
        try MasterRows.rows(of: Noren.registrations[broker].masters[0], in: Array(text.utf8))
    }

    private func row(_ line: String, family: Bool = false) throws -> MasterRow {
        let text = "\(family ? Self.family : Self.header)\n\(line)\n"
        return try #require(try rows(text, broker: family ? 1 : 0).rows.first)
    }

    @Test(arguments: [
        ("NSE,11630,1,NTPC,NTPC-EQ,EQ,,,", "NTPC", "NSE", "EQ"), ("NSE,5,1,X,X-BE,BE,,,", "X", "NSE", "EQ"),
        ("NSE,6,1,X,X-EQUITY-SM,SM,,,", "X-EQUITY-SM", "NSE", "SM"),
        ("NSE,2031,1,M&M,M&M-EQ,EQ,,,", "M&M", "NSE", "EQ"),
        ("BSE,500325,1,RELIANCE,RELIANCE,A,,,", "RELIANCE", "BSE", "EQ"),
        ("NSE,26000,1,Nifty 50,Nifty 50,INDEX,,,", "NIFTY", "NSE_INDEX", "INDEX"),
        ("NSE,26000,1,Nifty 50,NIFTY INDEX,INDEX,,,", "NIFTY", "NSE_INDEX", "INDEX"),
        ("NSE,26009,1,Nifty Bank,Nifty Bank,INDEX,,,", "BANKNIFTY", "NSE_INDEX", "INDEX"),
        ("NSE,26037,1,Nifty Fin Services,Nifty Fin Services,INDEX,,,", "FINNIFTY", "NSE_INDEX", "INDEX"),
        ("NSE,26013,1,Nifty Next 50,Nifty Next 50,INDEX,,,", "NIFTYNXT50", "NSE_INDEX", "INDEX"),
        ("NSE,26017,1,INDIA VIX,INDIA VIX,INDEX,,,", "INDIAVIX", "NSE_INDEX", "INDEX"),
        ("NSE,26014,1,Nifty Auto,Nifty Auto,INDEX,,,", "NIFTYAUTO", "NSE_INDEX", "INDEX"),
        ("BSE,1,1,SENSEX,S&P BSE SENSEX,UNDIND,,,", "SENSEX", "BSE_INDEX", "INDEX"),
    ])
    func cashAndIndices(line: String, symbol: String, exchange: String, type: String) throws {
        let row = try row(line)
        #expect((row.symbol, row.exchange, row.type) == (symbol, exchange, type))
        #expect(row.brokerExchange == String(line.prefix(3)))
        #expect((row.expiry, row.strike, row.tickSize, row.lotSize) == (nil, 0, 0, 1))
    }

    @Test(arguments: [
        ("NFO,53001,65,NIFTY,NIFTY25AUG26F,FUTIDX,25-AUG-2026,0,XX", "NIFTY25AUG26FUT", "NFO", "FUT"),
        ("NFO,45065,65,NIFTY,NIFTY16SEP25C25000,OPTIDX,16-Sep-2025,25000.00,CE", "NIFTY16SEP2525000CE", "NFO", "CE"),
        ("NFO,45066,200,M&M,M&M28NOV24P2980,OPTSTK,28-NOV-2024,2980.5,PE", "M&M28NOV242980.5PE", "NFO", "PE"),
        ("CDS,1234,1000,USDINR,USDINR27NOV24F,FUTCUR,27-NOV-2024,,XX", "USDINR27NOV24FUT", "CDS", "FUT"),
        ("CDS,1235,1000,USDINR,USDINR27NOV24C82.25,OPTCUR,27-NOV-2024,82.25,CE", "USDINR27NOV2482.25CE", "CDS", "CE"),
        ("MCX,477869,100,CRUDEOIL,CRUDEOIL18DEC26,FUTCOM,18-DEC-2026,0,", "CRUDEOIL18DEC26FUT", "MCX", "FUT"),
        ("BFO,800001,20,BSXOPT,SENSEX26NOV2480000CE,OPTIDX,29-NOV-2026,80000,CE", "SENSEX29NOV2680000CE", "BFO", "CE"),
        (
            "BFO,800002,20,SX50OPT,SENSEX5026NOV2480000PE,OPTIDX,29-NOV-2026,80000,PE", "SENSEX5029NOV2680000PE", "BFO",
            "PE"
        ),
        ("BFO,800003,20,RELI,RELIANCE26NOVFUT,FUTSTK,26-NOV-2026,0,", "RELIANCE26NOV26FUT", "BFO", "FUT"),
    ])
    func derivatives(line: String, symbol: String, exchange: String, type: String) throws {
        let row = try row(line)
        #expect((row.symbol, row.exchange, row.type) == (symbol, exchange, type))
        #expect(row.brokerExchange == exchange)
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        #expect((row.brokerToken, row.brokerSymbol) == (String(fields[1]), String(fields[4])))
        #expect(row.lotSize == Int64(fields[2]))
        #expect(row.expiry != nil)
        #expect(row.priceExponent == (exchange == "CDS" ? -4 : -2))
        #expect((row.strike > 0) == (type != "FUT"))
    }

    @Test func theFamilyHasTickSizes() throws {
        let option = try row("NFO,45065,65,NIFTY,NIFTY16SEP25C25000,16-SEP-2025,OPTIDX,CE,25000,0.05,", family: true)
        #expect(
            (option.symbol, option.strike, option.tickSize, option.lotSize) == ("NIFTY16SEP2525000CE", 2_500_000, 5, 65)
        )
        let future = try row("CDS,1234,1000,USDINR,USDINR27NOV24F,27-NOV-2024,FUTCUR,XX,0,0.0025,", family: true)
        #expect((future.symbol, future.tickSize, future.priceExponent) == ("USDINR27NOV24FUT", 25, -4))
        let text =
            "Exchange,Token,LotSize,Symbol,TradingSymbol,Instrument,TickSize,\r\nNSE,22,1,ACC,ACC-EQ,EQ,0.05,\r\n"
        let share = try #require(try rows(text, broker: 2).rows.first)
        #expect((share.symbol, share.tickSize, share.brokerSymbol) == ("ACC", 5, "ACC-EQ"))
    }

    @Test func addsTheIndicesThatAreKnownAndMissing() throws {
        let nse = try rows("\(Self.header)\nNSE,22,1,ACC,ACC-EQ,EQ,,,\nNSE,26000,1,Nifty 50,Nifty 50,INDEX,,,\n").rows
        #expect(nse.map(\.symbol) == ["ACC", "NIFTY", "BANKNIFTY"])
        #expect((nse[2].exchange, nse[2].brokerExchange, nse[2].brokerToken) == ("NSE_INDEX", "NSE", "26009"))
        let bse = try rows("\(Self.header)\nBSE,500410,1,ACC,ACC,A,,,\n").rows
        #expect(
            bse.map { "\($0.exchange):\($0.symbol)=\($0.brokerExchange)|\($0.brokerToken)" }.dropFirst()
                == ["BSE_INDEX:SENSEX=BSE|1", "BSE_INDEX:BANKEX=BSE|12"])
        let nfo = try rows("\(Self.header)\nNFO,53001,65,NIFTY,NIFTY25AUG26F,FUTIDX,25-AUG-2026,0,XX\n").rows
        #expect(nfo.count == 1)
    }

    @Test func leavesOutWhatMakesNoSense() throws {
        let result = try rows(
            """
            \(Self.header)
            CDS,3,1,USDINR,USDINR,UNDCUR,,,
            NFO,1,65,NIFTY,NIFTYX,OPTIDX,31-FEB-2026,25000,CE
            NFO,2,65,NIFTY,NIFTYX,OPTIDX,25-AUG-2026,abc,CE
            NFO,4,65,NIFTY,NIFTYX,OPTIDX,25-AUG-2026,25000,ZZ
            NFO,x,65,NIFTY,NIFTY25AUG26F,FUTIDX,25-AUG-2026,0,XX
            NYSE,7,1,IBM,IBM,EQ,,,
            short
            NFO,8,65,NIFTY,NIFTY25AUG26F,FUTIDX,25-AUG-2026,0,XX
            """)
        #expect(result.rows.map(\.brokerToken) == ["8"])
        #expect(result.skipped == 7)
    }

    @Test(arguments: ["<html>No such key</html>", "", "\(header)\nfoo,bar\n"])
    func anotherFileIsRefused(text: String) {
        let error = #expect(throws: AdapterError.self) { try rows(text) }
        #expect(error?.status == .invalid)
        #expect(error?.message.isEmpty == false)
    }

    @Test func knowsItsFiles() throws {
        #expect(
            Noren.registrations[0].masters.map(\.name) == [
                "NSE_Equity.csv", "BSE_Equity.csv", "Nfo_Equity_Derivatives.csv", "Nfo_Index_Derivatives.csv",
                "Bfo_Equity_Derivatives.csv", "Bfo_Index_Derivatives.csv", "Currency_Derivatives.csv", "Commodity.csv",
            ])
        for broker in 1...3 {
            #expect(
                Noren.registrations[broker].masters.map(\.name)
                    == ["NSE", "BSE", "NFO", "BFO", "CDS", "MCX"].map { "\($0)_symbols.txt.zip" })
        }
    }

    @Test(arguments: [
        (0, nil, "https://flattrade.s3.ap-south-1.amazonaws.com/scripmaster/NSE_Equity.csv"),
        (0, "http://127.0.0.1:9/files/", "http://127.0.0.1:9/files/NSE_Equity.csv"),
        (1, nil, "https://api.shoonya.com/NSE_symbols.txt.zip"), (2, nil, "https://go.mynt.in/NSE_symbols.txt.zip"),
        (3, nil, "https://v2api.tradesmartonline.in/NSE_symbols.txt.zip"),
    ])
    func findsItsFilesWhereTheSettingSays(broker: Int, folder: String?, url: String) throws {
        let host = try InMemoryHost(norenEntry, adapter: broker)
        let table = try #require(host.adapter.pointee.extension?(nil, "feedhost.instruments/1"))
            .assumingMemoryBound(to: fh_instruments.self)
        var key = try #require(host.descriptor.pointee.config_keys)
        while String(cString: key.pointee.name) != "master_endpoint" { key += 1 }
        let value = try folder ?? String(cString: #require(key.pointee.default_value))
        var found = ""
        let status = value.withCString { value in
            "master_endpoint".withCString { name in
                var setting = fh_field(
                    name: fh_str(ptr: name, len: 15), value: fh_str(ptr: value, len: UInt64(strlen(value))))
                var query = fh_master_query()
                query.size = UInt32(MemoryLayout<fh_master_query>.size)
                query.adapter_id = fh_str(
                    ptr: host.descriptor.pointee.id, len: UInt64(strlen(host.descriptor.pointee.id)))
                query.setting_count = 1
                return withUnsafePointer(to: &setting) { setting in
                    query.settings = setting
                    return withUnsafeMutablePointer(to: &found) { found in
                        table.pointee.locate(&query, found) { sink, request in
                            guard let request, let start = request.pointee.url.ptr else { return }
                            let bytes = UnsafeRawBufferPointer(start: start, count: Int(request.pointee.url.len))
                            sink?.assumingMemoryBound(to: String.self).pointee = String(decoding: bytes, as: UTF8.self)
                        }
                    }
                }
            }
        }
        #expect((status, found) == (Int32(FH_OK), url))
    }
}
