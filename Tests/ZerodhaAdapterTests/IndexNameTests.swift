import AdapterKit
import Testing
import ZerodhaAdapter

/// What OpenAlgo makes of Kite's indices, name by name.
@Suite struct ZerodhaIndexNameTests {
    private func symbol(_ name: String, _ exchange: String) throws -> String {
        let line = "9001,1,\(name),\(name),0,,0,0,0,EQ,INDICES,\(exchange)"
        let text = "\(ZerodhaMasterTests.header)\n\(line)\n"
        let row = try #require(
            try MasterRows.rows(of: Zerodha.registration.masters[0], in: Array(text.utf8)).rows.first)
        #expect(row.exchange == (["GLOBAL", "NSEIX"].contains(exchange) ? "GLOBAL_INDEX" : "\(exchange)_INDEX"))
        #expect((row.type, row.brokerSymbol) == ("INDEX", name))
        return row.symbol
    }

    @Test(arguments: [
        ("NIFTY 50", "NIFTY"), ("NIFTY NEXT 50", "NIFTYNXT50"), ("NIFTY FIN SERVICE", "FINNIFTY"),
        ("NIFTY BANK", "BANKNIFTY"), ("NIFTY MID SELECT", "MIDCPNIFTY"), ("INDIA VIX", "INDIAVIX"),
        ("HANGSENG BEES-NAV", "HANGSENGBEESNAV"), ("HANGSENG BEES NAV", "HANGSENGBEESNAV"), ("NIFTY 100", "NIFTY100"),
        ("NIFTY 200", "NIFTY200"), ("NIFTY 500", "NIFTY500"), ("NIFTY ALPHA 50", "NIFTYALPHA50"),
        ("NIFTY AUTO", "NIFTYAUTO"), ("NIFTY COMMODITIES", "NIFTYCOMMODITIES"),
        ("NIFTY CONSUMPTION", "NIFTYCONSUMPTION"), ("NIFTY CPSE", "NIFTYCPSE"),
        ("NIFTY DIV OPPS 50", "NIFTYDIVOPPS50"), ("NIFTY ENERGY", "NIFTYENERGY"), ("NIFTY FMCG", "NIFTYFMCG"),
        ("NIFTY GROWSECT 15", "NIFTYGROWSECT15"), ("NIFTY INFRA", "NIFTYINFRA"), ("NIFTY IT", "NIFTYIT"),
        ("NIFTY MEDIA", "NIFTYMEDIA"), ("NIFTY METAL", "NIFTYMETAL"), ("NIFTY MNC", "NIFTYMNC"),
        ("NIFTY PHARMA", "NIFTYPHARMA"), ("NIFTY PSE", "NIFTYPSE"), ("NIFTY PSU BANK", "NIFTYPSUBANK"),
        ("NIFTY PVT BANK", "NIFTYPVTBANK"), ("NIFTY REALTY", "NIFTYREALTY"), ("NIFTY SERV SECTOR", "NIFTYSERVSECTOR"),
        ("NIFTY MID LIQ 15", "NIFTYMIDLIQ15"), ("NIFTY MIDCAP 50", "NIFTYMIDCAP50"),
        ("NIFTY MIDCAP 100", "NIFTYMIDCAP100"), ("NIFTY MIDCAP 150", "NIFTYMIDCAP150"),
        ("NIFTY MIDSML 400", "NIFTYMIDSML400"), ("NIFTY SMLCAP 50", "NIFTYSMLCAP50"),
        ("NIFTY SMLCAP 100", "NIFTYSMLCAP100"), ("NIFTY SMLCAP 250", "NIFTYSMLCAP250"),
        ("NIFTY100 EQL WGT", "NIFTY100EQLWGT"), ("NIFTY100 LIQ 15", "NIFTY100LIQ15"),
        ("NIFTY100 LOWVOL30", "NIFTY100LOWVOL30"), ("NIFTY100 QUALTY30", "NIFTY100QUALTY30"),
        ("NIFTY200 QUALTY30", "NIFTY200QUALTY30"), ("NIFTY50 DIV POINT", "NIFTY50DIVPOINT"),
        ("NIFTY50 EQL WGT", "NIFTY50EQLWGT"), ("NIFTY50 PR 1X INV", "NIFTY50PR1XINV"),
        ("NIFTY50 PR 2X LEV", "NIFTY50PR2XLEV"), ("NIFTY50 TR 1X INV", "NIFTY50TR1XINV"),
        ("NIFTY50 TR 2X LEV", "NIFTY50TR2XLEV"), ("NIFTY50 VALUE 20", "NIFTY50VALUE20"),
        ("NIFTY GS 10YR", "NIFTYGS10YR"), ("NIFTY GS 10YR CLN", "NIFTYGS10YRCLN"),
        ("NIFTY GS 11 15YR", "NIFTYGS1115YR"), ("NIFTY GS 15YRPLUS", "NIFTYGS15YRPLUS"),
        ("NIFTY GS 4 8YR", "NIFTYGS48YR"), ("NIFTY GS 8 13YR", "NIFTYGS813YR"),
        ("NIFTY GS COMPSITE", "NIFTYGSCOMPSITE"),
    ])
    func ofNSE(name: String, expected: String) throws {
        #expect(try symbol(name, "NSE") == expected)
        #expect(SymbolRules.nseIndices.contains(expected))
    }

    static let bse = [
        ("SNSX50", "SENSEX50"), ("SNXT50", "BSESENSEXNEXT50"), ("MID150", "BSE150MIDCAPINDEX"),
        ("LMI250", "BSE250LARGEMIDCAPINDEX"), ("MSL400", "BSE400MIDSMALLCAPINDEX"), ("AUTO", "BSEAUTO"),
        ("BSE CG", "BSECAPITALGOODS"), ("CARBON", "BSECARBONEX"), ("BSE CD", "BSECONSUMERDURABLES"),
        ("CPSE", "BSECPSE"), ("DOL100", "BSEDOLLEX100"), ("DOL200", "BSEDOLLEX200"), ("DOL30", "BSEDOLLEX30"),
        ("ENERGY", "BSEENERGY"), ("BSEFMC", "BSEFASTMOVINGCONSUMERGOODS"), ("FINSER", "BSEFINANCIALSERVICES"),
        ("GREENX", "BSEGREENEX"), ("BSE HC", "BSEHEALTHCARE"), ("INFRA", "BSEINDIAINFRASTRUCTUREINDEX"),
        ("INDSTR", "BSEINDUSTRIALS"), ("BSE IT", "BSEINFORMATIONTECHNOLOGY"), ("BSEIPO", "BSEIPO"),
        ("LRGCAP", "BSELARGECAP"), ("METAL", "BSEMETAL"), ("MIDCAP", "BSEMIDCAP"), ("MIDSEL", "BSEMIDCAPSELECTINDEX"),
        ("OILGAS", "BSEOIL&GAS"), ("POWER", "BSEPOWER"), ("BSEPSU", "BSEPSU"), ("REALTY", "BSEREALTY"),
        ("SMLCAP", "BSESMALLCAP"), ("SMLSEL", "BSESMALLCAPSELECTINDEX"), ("SMEIPO", "BSESMEIPO"), ("TECK", "BSETECK"),
        ("TELCOM", "BSETELECOM"), ("SENSEX", "SENSEX"), ("BANKEX", "BANKEX"), ("BSE100", "BSE100"),
        ("BSE200", "BSE200"), ("BSE500", "BSE500"),
    ]

    @Test(arguments: bse) func ofBSE(name: String, expected: String) throws {
        #expect(try symbol(name, "BSE") == expected)
    }

    @Test func nothingThatIsDocumentedIsMissing() {
        #expect(Set(Self.bse.map(\.1)) == SymbolRules.bseIndices)
    }

    /// OpenAlgo leaves the names that are in none of its tables as Kite writes them.
    @Test(arguments: [
        ("NIFTY TOP 10 EW", "NSE", "NIFTY TOP 10 EW"), ("NIFTY OIL AND GAS", "NSE", "NIFTY OIL AND GAS"),
        ("NIFTY500 MULTICAP", "NSE", "NIFTY500 MULTICAP"), ("BSE EVI", "BSE", "BSE EVI"), ("BHRT22", "BSE", "BHRT22"),
        ("AUTO", "NSE", "AUTO"), ("MCXBULLDEX", "MCX", "MCXBULLDEX"), ("GIFT NIFTY", "NSEIX", "GIFTNIFTY"),
        ("US TECH 100", "GLOBAL", "US TECH 100"), ("JAPAN225", "GLOBAL", "JAPAN225"),
    ])
    func othersStayAsTheyAre(name: String, exchange: String, expected: String) throws {
        #expect(try symbol(name, exchange) == expected)
    }

    /// A share may be called like an index of BSE.
    @Test func sharesAreNotIndices() throws {
        let text = "\(ZerodhaMasterTests.header)\n7,1,POWER,POWER,0,,0,0.05,1,EQ,BSE,BSE\n"
        let row = try MasterRows.rows(of: Zerodha.registration.masters[0], in: Array(text.utf8)).rows.first
        #expect((row?.exchange, row?.symbol) == ("BSE", "POWER"))
    }
}
