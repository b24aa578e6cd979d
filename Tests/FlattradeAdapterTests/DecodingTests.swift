import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@Suite struct NorenDecodingTests {
    static let snapshot =
        #"{"t":"tk","e":"NSE","tk":"11630","ts":"NTPC-EQ","pp":"2","ls":"1","ti":"0.05","lp":"118.55","pc":"1.32","o":"118.20","h":"118.65","l":"118.10","c":"117.00","ap":"118.39","v":"162220","bp1":"118.45","bq1":"26","sp1":"118.50","sq1":"6325","ft":"1638512684"}"#
    static let delta = #"{"t":"tf","e":"NSE","tk":"11630","lp":"118.60","ft":"1638512686"}"#

    private func touchline(_ mode: Int = FH_MODE_QUOTE) throws -> InMemoryHost {
        let host = try openNoren()
        host.want(["NSE|11630"], mode)
        return host
    }

    @Test func decodesASnapshot() throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        let tick = host.lastRecord
        let day = FH_F_LTP | FH_F_OPEN | FH_F_HIGH | FH_F_LOW | FH_F_CLOSE | FH_F_AVG | FH_F_VOLUME
        #expect(tick.fields == UInt64(day | FH_F_BID | FH_F_ASK))
        #expect(tick.flags == UInt16(FH_TF_SNAPSHOT | FH_TF_LAST))
        #expect((tick.kind, tick.price_exp, tick.qty_exp) == (UInt16(FH_MODE_QUOTE), -2, 0))
        #expect((tick.ltp, tick.open, tick.high, tick.low, tick.close) == (11855, 11820, 11865, 11810, 11700))
        #expect((tick.avg_px, tick.volume) == (11839, 162_220))
        #expect((tick.bid_px, tick.bid_qty, tick.ask_px, tick.ask_qty) == (11845, 26, 11850, 6325))
        #expect(tick.ts_exchange == 1_638_512_684_000_000_000)
        #expect((tick.ts_recv, tick.sequence) == (host.now, .max))
        #expect(host.metrics.isEmpty)
    }

    @Test func aDeltaChangesOnlyWhatItCarries() throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        host.deliver(Self.delta)
        let tick = host.lastRecord
        #expect(tick.fields == UInt64(FH_F_LTP))
        #expect((tick.ltp, tick.flags, tick.kind) == (11860, UInt16(FH_TF_LAST), UInt16(FH_MODE_LTP)))
        #expect(tick.ts_exchange == 1_638_512_686_000_000_000)
    }

    @Test func toleratesWhiteSpaceAndBareNumbers() throws {
        let host = try touchline()
        host.deliver(
            "\n{ \"t\" : \"tf\", \"e\" :\"NSE\",\t\"tk\": \"11630\" , \"lp\": 118.6 , \"v\":null, \"x\":[1,{\"y\":\"}\"}], \"oi\":7 }\r\n"
        )
        #expect(host.lastRecord.fields == UInt64(FH_F_LTP | FH_F_OI))
        #expect((host.lastRecord.ltp, host.lastRecord.oi) == (11860, 7))
        #expect(host.metrics.isEmpty)
    }

    @Test(arguments: ["0", "0.0", "0.00", "0.0000", "-0.00", "", "-", "NA"])
    func noDayPriceIsOverwrittenByZeroOrAPlaceholder(text: String) throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        let names = ["o", "h", "l", "c", "ap", "lp", "uc", "lc", "52h", "52l"]
        host.deliver(feed("tf", "NSE|11630", names.map { ($0, text) } + [("v", "5")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_VOLUME))
        #expect(host.metrics.isEmpty)
    }

    @Test func zeroQuantitiesAreRealZeros() throws {
        let host = try touchline()
        host.deliver(feed("tf", "NSE|11630", [("v", "0"), ("oi", "0"), ("tbq", "0")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_VOLUME | FH_F_OI | FH_F_TOTAL_BUY))
    }

    @Test func aDeltaWithoutPriceIsNoTrade() throws {
        let host = try touchline(FH_MODE_LTP)
        host.deliver(Self.snapshot)
        host.deliver(feed("tf", "NSE|11630", [("bq1", "27"), ("ft", "1638512687")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_BID))
        // The price of the level is remembered; only its quantity came.
        #expect((host.lastRecord.bid_px, host.lastRecord.bid_qty) == (11845, 27))
        let count = host.tickCount
        host.deliver(feed("tf", "NSE|11630", [("ft", "1638512688"), ("pc", "1.4")]))
        #expect(host.tickCount == count, "nothing has changed that a tick could carry")
    }

    @Test func theTotalOfTheUnderlyingIsNotTheTurnover() throws {
        let host = try touchline()
        host.deliver(feed("tf", "NSE|11630", [("toi", "900"), ("oi", "100"), ("poi", "90")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_OI | FH_F_OI_PREV))
        #expect((host.lastRecord.oi, host.lastRecord.oi_prev) == (100, 90))
    }

    @Test func aDeltaBeforeItsSnapshotSaysOnlyWhatItKnows() throws {
        let host = try touchline()
        host.deliver(feed("tf", "NSE|11630", [("lp", "118.60"), ("bq1", "3")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_LTP))
        #expect(host.lastRecord.flags & UInt16(FH_TF_SNAPSHOT) == 0)
        #expect(host.results.isEmpty, "only a snapshot confirms")
    }

    @Test func whatASnapshotLacksIsUnknown() throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        host.deliver(feed("tk", "NSE|11630", [("pp", "2"), ("c", "117.00"), ("lp", "-"), ("v", "")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_CLOSE))
        #expect(host.lastRecord.flags & UInt16(FH_TF_SNAPSHOT) != 0)
        host.deliver(feed("tf", "NSE|11630", [("bq1", "9"), ("lp", "118.00")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_LTP), "the bid price of the first snapshot is forgotten")
    }

    @Test func anEmptySideIsWithdrawn() throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        host.deliver(feed("tf", "NSE|11630", [("bp1", "0.00"), ("bq1", "0")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_BID))
        #expect((host.lastRecord.bid_px, host.lastRecord.bid_qty) == (.max, .max))
    }

    @Test func precisionComesWithTheSnapshot() throws {
        let host = try openNoren()
        host.want(["CDS|1234", "NSE|22"], FH_MODE_QUOTE)
        host.deliver(feed("tf", "CDS|1234", [("lp", "83.1175")]))
        #expect((host.lastRecord.price_exp, host.lastRecord.ltp) == (-4, 831_175))
        // `pp` behind the prices, and fewer decimals than it says.
        host.deliver(feed("tk", "CDS|1234", [("lp", "83.1"), ("o", "83"), ("pp", "4")]))
        #expect((host.lastRecord.price_exp, host.lastRecord.ltp, host.lastRecord.open) == (-4, 831_000, 830_000))
        host.deliver(feed("tk", "NSE|22", [("lp", "83.1"), ("pp", "4")]))
        #expect((host.lastRecord.price_exp, host.lastRecord.ltp) == (-4, 831_000))
    }

    @Test func aFinerPriceThanThePrecisionStaysExact() throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        host.deliver(feed("tf", "NSE|11630", [("ap", "118.391"), ("bq1", "30")]))
        let tick = host.lastRecord
        #expect((tick.price_exp, tick.avg_px, tick.bid_px, tick.bid_qty) == (-3, 118_391, 118_450, 30))
        host.deliver(feed("tf", "NSE|11630", [("ap", "118.4000000000")]))
        #expect((host.lastRecord.price_exp, host.lastRecord.avg_px) == (-3, 118_400))
        #expect(host.metrics.isEmpty)
    }

    @Test func valuesThatAreNoNumbersAreLeftOutAndCounted() throws {
        let host = try touchline()
        let wrong = ["12a", "1.2.3", "1e5", " 5", "1234567890123456789", "0.123456789123", "{}"]
        for text in wrong {
            host.deliver(feed("tf", "NSE|11630", [("lp", text), ("v", "8")]))
            #expect(host.lastRecord.fields == UInt64(FH_F_VOLUME), "\(text)")
        }
        #expect(host.metric(FH_M_FRAMES_BAD) == Int64(wrong.count))
        host.deliver(feed("tf", "NSE|11630", [("v", "1.5"), ("lp", "2")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_LTP))
    }

    @Test func tokensOfOtherExchangesAreOtherScrips() throws {
        let host = try openNoren()
        host.want(["NSE|1", "BSE|1", "MCX|1"], FH_MODE_LTP)
        for (exchange, handle) in [("BSE", 2), ("MCX", 3), ("NSE", 1)] {
            host.deliver(feed("tf", "\(exchange)|1", [("lp", "1.00")]))
            #expect(host.lastRecord.instrument == UInt32(handle))
        }
        host.deliver(feed("tf", "CDS|1", [("lp", "1.00")]))
        host.deliver(feed("tf", "NSE|01", [("lp", "1.00")]))
        host.deliver(#"{"t":"tf","tk":"1","lp":"1.00"}"#)
        #expect(host.tickCount == 3)
        #expect((host.metric(FH_M_FRAMES_IGNORED), host.metric(FH_M_FRAMES_BAD)) == (1, 2))
    }

    @Test(arguments: [
        "", "{", "[]", "nonsense", #"{"t":"tf","e":"NSE","tk":"11630","lp":"118.60""#,
        #"{"t":"tf","e":"NSE","tk":"11630","lp":"118.60"}}"#, #"{"t":"tf","e":"NSE","tk":"11630","lp":118.60"#,
        #"{"t":"tf","e":"NSE","tk":"11630",}"#, #"{"t":"tf" "e":"NSE"}"#, #"{"t":"tf","e":"NSE","tk":"11630","lp"}"#,
        #"{"t":"tf","e":"NSE","tk":"11630","lp":"118.60\"}"#,
    ])
    func countsWhatIsNoMessage(text: String) throws {
        let host = try touchline()
        host.deliver(text)
        #expect(host.tickCount == 0)
        #expect(host.metric(FH_M_FRAMES_BAD) == 1)
    }

    /// Numbers of one to sixteen digits are read in words of eight; wherever one stands, it is the same.
    @Test func aNumberOfAnyLengthStandsAnywhere() throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        for length in 1...16 {
            let digits = String("1234567890123456".prefix(length))
            for (first, second) in [("v", "ltq"), ("ltq", "v")] {
                host.deliver(feed("tf", "NSE|11630", [(first, digits), (second, "8")]))
                let tick = host.lastRecord
                let (volume, quantity) = first == "v" ? (tick.volume, tick.ltq) : (tick.ltq, tick.volume)
                #expect(volume == Int64(digits) && quantity == 8, "\(digits)")
            }
            for point in 1..<length where length <= 10 {
                let text = "\(digits.prefix(point)).\(digits.dropFirst(point))"
                for members in [[("ap", text), ("v", "123456789")], [("v", "123456789"), ("ap", text)]] {
                    host.deliver(feed("tk", "NSE|11630", [("pp", "8")]))
                    host.deliver(feed("tf", "NSE|11630", members))
                    let scale = (0..<(8 - min(8, length - point))).reduce(Int64(1)) { power, _ in power * 10 }
                    let expected = length - point <= 8 ? Int64(digits).map { $0 * scale } : nil
                    #expect(host.lastRecord.volume == 123_456_789)
                    if let expected { #expect(host.lastRecord.avg_px == expected, "\(text)") }
                }
            }
        }
    }

    @Test(arguments: [
        #""ab\"c":"5","#, #""a\\":"5","#, #""lp\"":"5","#, #""":"5","#, #""12345678":"5","#, #""123456789":"5","#,
        #""\"":"5","#, #""x":"\"","#, #""x":"a\\","#, #""x":"12345678","#, #""x":"1234567\"","#, #""x":"\\\"\\","#,
        #""x" : "5" , "#, "\"x\"\n:\t5\r,",
    ])
    func membersThatAreNotKnownDoNotConfuse(member: String) throws {
        let host = try touchline()
        host.deliver(Self.snapshot)
        host.deliver(#"{\#(member)"t":"tf","e":"NSE",\#(member)"tk":"11630",\#(member)"lp":"118.85","v":"77"}"#)
        #expect((host.lastRecord.ltp, host.lastRecord.volume) == (11_885, 77))
        #expect(host.metrics.isEmpty)
    }

    @Test func textsWithEscapesDoNotConfuse() throws {
        let host = try touchline()
        host.deliver(
            #"{"t":"tk","e":"NSE","tk":"11630","ts":"M\u0026M\"-EQ\\","ord_msg":"a \"lp\":\"1\" b","a\"b":"c","abcdefg\"":"1","lp":"118.60"}"#
        )
        #expect((host.lastRecord.fields, host.lastRecord.ltp) == (UInt64(FH_F_LTP), 11860))
        #expect(host.metrics.isEmpty)
    }

    @Test func anImplausibleTimeIsMarked() throws {
        let host = try touchline()
        host.deliver(feed("tf", "NSE|11630", [("lp", "1.00"), ("ft", "1999999999")]))
        #expect(host.lastRecord.flags == UInt16(FH_TF_LAST | FH_TF_BAD_TS))
        #expect(host.lastRecord.ts_exchange == 1_999_999_999_000_000_000)
        host.deliver(feed("tf", "NSE|11630", [("lp", "1.00"), ("ft", "0")]))
        #expect((host.lastRecord.flags, host.lastRecord.ts_exchange) == (UInt16(FH_TF_LAST), .max))
        host.deliver(feed("tf", "NSE|11630", [("lp", "1.00"), ("ft", "999999999999999999"), ("ltt", "10:00:00")]))
        #expect(host.lastRecord.ts_exchange == .max)
    }
}
