import CZlib
import NIOCore
import NIOHTTP1
import Testing

@testable import BrokerSimulator

@Suite struct NorenFileTests {
    private static let expiry = CalendarDay(year: 2025, month: 9, day: 16)

    private func instrument(
        _ segment: Segment, _ root: String, _ contract: SimulatedInstrument.Contract, tick: Int64 = 5
    ) -> SimulatedInstrument {
        SimulatedInstrument(
            segment: segment, token: 7, root: root, name: root, contract: contract, tickSize: tick, lotSize: 75,
            basePrice: 100)
    }

    private var samples: [SimulatedInstrument] {
        var nifty = instrument(.nseIndex, "NIFTY", .index)
        nifty.indexTokens = .init(kite: 1, angel: 2, noren: 26_000)
        var sensex = instrument(.bseIndex, "SENSEX", .index)
        sensex.indexTokens = .init(kite: 1, angel: 2, noren: 1)
        return [
            instrument(.nse, "NTPC", .cash), nifty, instrument(.bse, "NTPC", .cash), sensex,
            instrument(.nfo, "NIFTY", .future(expiry: Self.expiry)),
            instrument(.nfo, "NIFTY", .option(expiry: Self.expiry, strike: 2_500_000, right: .call)),
            instrument(.nfo, "NTPC", .option(expiry: Self.expiry, strike: 33_250, right: .put)),
            instrument(.cds, "USDINR", .option(expiry: Self.expiry, strike: 832_500, right: .call), tick: 25),
            instrument(.mcx, "GOLD", .future(expiry: Self.expiry), tick: 100),
            instrument(.bfo, "SENSEX", .option(expiry: Self.expiry, strike: 8_200_000, right: .put)),
        ]
    }

    @Test func flattradeHasEightCSVFiles() {
        let files = NorenMaster.files(samples, style: .csv).mapValues { String(buffer: $0) }
        let header = "Exchange,Token,Lotsize,Symbol,Tradingsymbol,Instrument,Expiry,Strike,Optiontype\n"
        #expect(files.count == 8)
        let expected = [
            "NSE_Equity": "NSE,7,75,NTPC,NTPC-EQ,EQ,,,\nNSE,26000,75,NIFTY,Nifty 50,INDEX,,,\n",
            "BSE_Equity": "BSE,7,75,NTPC,NTPC,A,,,\nBSE,1,75,SENSEX,SENSEX,UNDIND,,,\n",
            "Nfo_Index_Derivatives": "NFO,7,75,NIFTY,NIFTY16SEP25F,FUTIDX,16-SEP-2025,0,XX\n"
                + "NFO,7,75,NIFTY,NIFTY16SEP25C25000,OPTIDX,16-SEP-2025,25000,CE\n",
            "Nfo_Equity_Derivatives": "NFO,7,75,NTPC,NTPC16SEP25P332.5,OPTSTK,16-SEP-2025,332.5,PE\n",
            "Bfo_Index_Derivatives": "BFO,7,75,SENSEX,SENSEX25SEP82000PE,OPTIDX,16-SEP-2025,82000,PE\n",
            "Bfo_Equity_Derivatives": "",
            "Currency_Derivatives": "CDS,7,75,USDINR,USDINR16SEP25C83.25,OPTCUR,16-SEP-2025,83.25,CE\n",
            "Commodity": "MCX,7,75,GOLD,GOLD16SEP25,FUTCOM,16-SEP-2025,0,XX\n",
        ]
        for (name, rows) in expected { #expect(files["/scripmaster/\(name).csv"] == header + rows) }
    }

    /// What is in an archive with one entry: its name and content, by way of the central directory.
    private func unpack(_ archive: ByteBuffer) throws -> (name: String, text: String) {
        let end = archive.readableBytes - 22
        #expect(archive.getInteger(at: end, endianness: .little, as: UInt32.self) == 0x0605_4b50)
        let directory = Int(try #require(archive.getInteger(at: end + 16, endianness: .little, as: UInt32.self)))
        #expect(archive.getInteger(at: directory, endianness: .little, as: UInt32.self) == 0x0201_4b50)
        #expect(archive.getInteger(at: 0, endianness: .little, as: UInt32.self) == 0x0403_4b50)
        let checksum = try #require(archive.getInteger(at: directory + 16, endianness: .little, as: UInt32.self))
        let packed = Int(try #require(archive.getInteger(at: directory + 20, endianness: .little, as: UInt32.self)))
        let size = Int(try #require(archive.getInteger(at: directory + 24, endianness: .little, as: UInt32.self)))
        let length = Int(try #require(archive.getInteger(at: directory + 28, endianness: .little, as: UInt16.self)))
        #expect(directory == 30 + length + packed)
        let name = try #require(archive.getString(at: 30, length: length))
        #expect(archive.getString(at: directory + 46, length: length) == name)
        var input = try #require(archive.getBytes(at: 30 + length, length: packed))
        var output = [UInt8](repeating: 0, count: size)
        var stream = z_stream()
        try #require(inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { inflateEnd(&stream) }
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                return inflate(&stream, Z_FINISH)
            }
        }
        #expect(status == Z_STREAM_END)
        #expect(UInt32(truncatingIfNeeded: crc32(0, output, UInt32(size))) == checksum)
        return (name, String(decoding: output, as: UTF8.self))
    }

    @Test func othersHaveSixZippedTexts() throws {
        let files = NorenMaster.files(samples, style: .zippedText)
        #expect(files.count == 6)
        let derivatives = "Symbol,TradingSymbol,Expiry,Instrument,OptionType,StrikePrice,TickSize,\n"
        let expected = [
            "NSE": "Exchange,Token,LotSize,Symbol,TradingSymbol,Instrument,TickSize,\n"
                + "NSE,7,75,NTPC,NTPC-EQ,EQ,0.05,\nNSE,26000,75,NIFTY,NIFTY INDEX,INDEX,0.05,\n",
            "BSE": "Exchange,Token,LotSize,Symbol,TradingSymbol,Instrument,TickSize,\nBSE,7,75,NTPC,NTPC,A,0.05,\n",
            "NFO": "Exchange,Token,LotSize,\(derivatives)NFO,7,75,NIFTY,NIFTY16SEP25F,16-SEP-2025,FUTIDX,XX,0,0.05,\n"
                + "NFO,7,75,NIFTY,NIFTY16SEP25C25000,16-SEP-2025,OPTIDX,CE,25000,0.05,\n"
                + "NFO,7,75,NTPC,NTPC16SEP25P332.5,16-SEP-2025,OPTSTK,PE,332.5,0.05,\n",
            "CDS": "Exchange,Token,LotSize,Precision,Multiplier,\(derivatives)"
                + "CDS,7,75,4,1000,USDINR,USDINR16SEP25C83.25,16-SEP-2025,OPTCUR,CE,83.25,0.0025,\n",
            "MCX": "Exchange,Token,LotSize,GNGD,\(derivatives)"
                + "MCX,7,75,1,GOLD,GOLD16SEP25,16-SEP-2025,FUTCOM,XX,0,1.00,\n",
            "BFO": "Exchange,Token,LotSize,\(derivatives)"
                + "BFO,7,75,SENSEX,SENSEX25SEP82000PE,16-SEP-2025,OPTIDX,PE,82000,0.05,\n",
        ]
        for (exchange, text) in expected {
            let archive = try unpack(try #require(files["/\(exchange)_symbols.txt.zip"]))
            #expect(archive.name == "\(exchange)_symbols.txt")
            #expect(archive.text == text)
        }
    }

    @Test func filesAreServedWhereTheEndpointsSay() throws {
        for kind in [VenueKind.flattrade, .shoonya] {
            let bench = try VenueBench(kind)
            let address = ServerAddress(host: "here", port: 80)
            for master in bench.simulation.venue.endpoints(at: address).masters {
                let path = String(master.dropFirst("http://here:80".count))
                let answer = bench.simulation.answer(bench.request(.GET, path))
                #expect(answer.status == .ok && answer.body.readableBytes > 50, "\(path)")
            }
        }
    }

    @Test func loginGivesTheTokenOfTheDay() throws {
        let bench = try VenueBench(.flattrade)
        try bench.perform("roll", #"{"token":"next"}"#)
        func post(_ path: String, _ body: String) -> String {
            String(buffer: bench.simulation.answer(bench.request(.POST, path, body: body)).body)
        }
        let checksum = SHA256Text.of("simkeycodesimsecret")
        let flattrade = #"{"api_key":"simkey","request_code":"code","api_secret":"\#(checksum)"}"#
        #expect(post("/trade/apitoken", flattrade).contains(#""token":"next""#))
        #expect(post("/trade/apitoken", flattrade.replacing("\"code\"", with: "\"other\"")).contains("Not_Ok"))
        let other = SHA256Text.of("simkeysimsecretcode")
        let family = #"jData={"code":"code","checksum":"\#(other)"}"#
        #expect(post("/NorenWClientAPI/GenAcsTok", family).contains(#""access_token":"next""#))
        #expect(post("/NorenWClientAPI/GenAcsTok", family.replacing(other, with: checksum)).contains("Not_Ok"))
        let appKey = SHA256Text.of("SIM001|simsecret")
        func quick(_ password: String, _ digits: String) -> String {
            post(
                "/NorenWClientTP/QuickAuth",
                #"jData={"uid":"SIM001","pwd":"\#(SHA256Text.of(password))","factor2":"\#(digits)","appkey":"\#(appKey)"}"#
            )
        }
        #expect(quick("1234", "123456").contains(#""susertoken":"next""#))
        #expect(quick("wrong", "123456").contains("Not_Ok"))
        #expect(quick("1234", "12345").contains("Not_Ok"))
    }
}
