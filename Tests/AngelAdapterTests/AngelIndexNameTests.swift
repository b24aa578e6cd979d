import AdapterKit
import AngelAdapter
import Testing

/// What OpenAlgo makes of Angel One's indices, name by name: those of NSE and BSE go by the column `name`.
@Suite struct AngelIndexNameTests {
    private func symbol(_ symbol: String, _ name: String, _ segment: String) throws -> String {
        let record =
            #"[{"token":"9001","symbol":"\#(symbol)","name":"\#(name)","expiry":"","strike":"0.000000","lotsize":"1","instrumenttype":"AMXIDX","exch_seg":"\#(segment)","tick_size":"0.000000"}]"#
        let row = try #require(
            try MasterRows.rows(of: Angel.registration.masters[0], in: Array(record.utf8)).rows.first)
        #expect((row.exchange, row.type, row.brokerSymbol) == ("\(segment)_INDEX", "INDEX", symbol))
        return row.symbol
    }

    static let bse = [
        ("SENSEX", "SENSEX", "SENSEX"), ("SENSEX", "S&P BSE SENSEX", "SENSEX"), ("BANKEX", "S&P BSE BANKEX", "BANKEX"),
        ("SNSX50", "S&P BSE SENSEX 50", "SENSEX50"), ("SNXT50", "S&P BSE SENSEX NEXT 50", "BSESENSEXNEXT50"),
        ("BSE100", "S&P BSE 100", "BSE100"), ("BSE200", "S&P BSE 200", "BSE200"), ("BSE500", "S&P BSE 500", "BSE500"),
        ("MID150", "S&P BSE 150 MIDCAP INDEX", "BSE150MIDCAPINDEX"),
        ("LMI250", "S&P BSE 250 LARGEMIDCAP INDEX", "BSE250LARGEMIDCAPINDEX"),
        ("MSL400", "S&P BSE 400 MIDSMALLCAP INDEX", "BSE400MIDSMALLCAPINDEX"), ("AUTO", "S&P BSE AUTO", "BSEAUTO"),
        ("BSE CG", "S&P BSE CAPITAL GOODS", "BSECAPITALGOODS"), ("CARBON", "S&P BSE CARBONEX", "BSECARBONEX"),
        ("BSE CD", "S&P BSE CONSUMER DURABLES", "BSECONSUMERDURABLES"), ("CPSE", "S&P BSE CPSE", "BSECPSE"),
        ("DOL30", "S&P BSE DOLLEX 30", "BSEDOLLEX30"), ("DOL100", "S&P BSE DOLLEX 100", "BSEDOLLEX100"),
        ("DOL200", "S&P BSE DOLLEX 200", "BSEDOLLEX200"), ("ENERGY", "S&P BSE ENERGY", "BSEENERGY"),
        ("BSEFMC", "S&P BSE FAST MOVING CONSUMER GOODS", "BSEFASTMOVINGCONSUMERGOODS"),
        ("FINSER", "S&P BSE FINANCIAL SERVICES", "BSEFINANCIALSERVICES"),
        ("GREENX", "S&P BSE GREENEX", "BSEGREENEX"), ("BSE HC", "S&P BSE HEALTHCARE", "BSEHEALTHCARE"),
        ("INFRA", "S&P BSE INDIA INFRASTRUCTURE INDEX", "BSEINDIAINFRASTRUCTUREINDEX"),
        ("INDSTR", "S&P BSE INDUSTRIALS", "BSEINDUSTRIALS"),
        ("BSE IT", "S&P BSE INFORMATION TECHNOLOGY", "BSEINFORMATIONTECHNOLOGY"), ("BSEIPO", "S&P BSE IPO", "BSEIPO"),
        ("LRGCAP", "S&P BSE LARGECAP", "BSELARGECAP"), ("METAL", "S&P BSE METAL", "BSEMETAL"),
        ("MIDCAP", "S&P BSE MIDCAP", "BSEMIDCAP"), ("MIDSEL", "S&P BSE MIDCAP SELECT INDEX", "BSEMIDCAPSELECTINDEX"),
        ("OILGAS", "S&P BSE OIL & GAS", "BSEOIL&GAS"), ("POWER", "S&P BSE POWER", "BSEPOWER"),
        ("BSEPSU", "S&P BSE PSU", "BSEPSU"), ("REALTY", "S&P BSE REALTY", "BSEREALTY"),
        ("SMLCAP", "S&P BSE SMALLCAP", "BSESMALLCAP"),
        ("SMLSEL", "S&P BSE SMALLCAP SELECT INDEX", "BSESMALLCAPSELECTINDEX"),
        ("SMEIPO", "S&P BSE SME IPO", "BSESMEIPO"),
        ("TECK", "S&P BSE TECK", "BSETECK"), ("TELCOM", "S&P BSE TELECOM", "BSETELECOM"),
    ]

    @Test(arguments: bse) func ofBSE(symbol: String, name: String, expected: String) throws {
        #expect(try self.symbol(symbol, name, "BSE") == expected)
        // In a file whose names are the codes once more.
        #expect(try self.symbol(symbol, symbol, "BSE") == expected)
        #expect(try self.symbol(symbol, "", "BSE") == expected)
    }

    @Test func nothingThatIsDocumentedIsMissing() {
        #expect(Set(Self.bse.map(\.2)) == SymbolRules.bseIndices)
    }

    @Test(arguments: [
        ("Nifty 50", "NIFTY", "NIFTY"), ("Nifty 50", "NIFTY 50", "NIFTY"), ("Nifty Bank", "BANKNIFTY", "BANKNIFTY"),
        ("Nifty Bank", "NIFTY BANK", "BANKNIFTY"), ("Nifty Next 50", "NIFTY NEXT 50", "NIFTYNXT50"),
        ("Nifty Fin Service", "FINNIFTY", "FINNIFTY"), ("NIFTY MID SELECT", "MIDCPNIFTY", "MIDCPNIFTY"),
        ("India VIX", "INDIA VIX", "INDIAVIX"), ("HangSeng BeES-NAV", "HANGSENG BEES-NAV", "HANGSENGBEESNAV"),
        ("Nifty GS 11 15Yr", "NIFTY GS 11 15YR", "NIFTYGS1115YR"),
        ("NIFTY OIL AND GAS", "NIFTY OIL AND GAS", "NIFTYOILANDGAS"),
        ("NIFTY TOP 10 EW", "NIFTY TOP 10 EW", "NIFTYTOP10EW"), ("Nifty IT", "", "NIFTYIT"),
    ])
    func ofNSE(symbol: String, name: String, expected: String) throws {
        #expect(try self.symbol(symbol, name, "NSE") == expected)
    }

    @Test func everyDocumentedNameOfNSEComesThrough() throws {
        for name in SymbolRules.nseIndices { #expect(try symbol("Other", name, "NSE") == name) }
    }

    /// BSE has more indices than OpenAlgo documents.
    @Test(arguments: [
        ("BHRT22", "S&P BSE BHARAT 22 INDEX", "BSEBHARAT22INDEX"), ("FIN", "S&P BSE FINANCE", "BSEFINANCIALSERVICES"),
    ])
    func othersOfBSE(symbol: String, name: String, expected: String) throws {
        #expect(try self.symbol(symbol, name, "BSE") == expected)
    }

    @Test func thoseOfMCXKeepTheirSymbol() throws {
        #expect(try symbol("MCXBULLDEX", "MCX iCOMDEX Bullion", "MCX") == "MCXBULLDEX")
    }
}
