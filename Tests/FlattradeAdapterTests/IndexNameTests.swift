import AdapterKit
import FlattradeAdapter
import Testing

/// What OpenAlgo makes of the family's indices, name by name. All four brokers have the same rule.
@Suite struct NorenIndexNameTests {
    private func symbol(_ name: String, _ exchange: String, broker: Int) throws -> String {
        let type = exchange == "NSE" ? "INDEX" : "UNDIND"
        let text =
            broker == 0
            ? "\(NorenMasterTests.header)\n\(exchange),26000,1,X,\(name),\(type),,,\n"
            : "Exchange,Token,LotSize,Symbol,TradingSymbol,Instrument,TickSize,\n\(exchange),26000,1,X,\(name),\(type),0.05,\n"
        let row = try #require(
            try MasterRows.rows(of: Noren.registrations[broker].masters[0], in: Array(text.utf8)).rows.first)
        #expect((row.exchange, row.type, row.brokerSymbol) == ("\(exchange)_INDEX", "INDEX", name))
        return row.symbol
    }

    @Test(arguments: [
        ("Nifty 50", "NIFTY"), ("NIFTY INDEX", "NIFTY"), ("Nifty Bank", "BANKNIFTY"), ("NIFTY BANK", "BANKNIFTY"),
        ("NIFTY FIN", "FINNIFTY"), ("Nifty Fin Service", "FINNIFTY"), ("Nifty Fin Services", "FINNIFTY"),
        ("Nifty Financial Services", "FINNIFTY"), ("FINNIFTY", "FINNIFTY"), ("Nifty Next 50", "NIFTYNXT50"),
        ("NIFTY MID SELECT", "MIDCPNIFTY"), ("Nifty Midcap Select", "MIDCPNIFTY"), ("MIDCPNIFTY", "MIDCPNIFTY"),
        ("INDIAVIX", "INDIAVIX"), ("India VIX", "INDIAVIX"), ("HANGSENG BEES-NAV", "HANGSENGBEESNAV"),
        ("Nifty GS 11 15Yr", "NIFTYGS1115YR"), ("NIFTY TOP 10 EW", "NIFTYTOP10EW"), ("AUTO", "AUTO"),
    ])
    func ofNSE(name: String, expected: String) throws {
        for broker in 0...3 { #expect(try symbol(name, "NSE", broker: broker) == expected) }
    }

    @Test(arguments: [
        ("SENSEX", "SENSEX"), ("BSE SENSEX", "SENSEX"), ("S&P BSE SENSEX", "SENSEX"), ("BSE SENSEX 50", "SENSEX50"),
        ("S&P BSE SENSEX 50", "SENSEX50"), ("SNSX50", "SENSEX50"), ("S&P BSE SENSEX Next 50", "BSESENSEXNEXT50"),
        ("BSE BANKEX", "BANKEX"), ("BSE Auto", "BSEAUTO"), ("S&P BSE AUTO", "BSEAUTO"), ("AUTO", "BSEAUTO"),
        ("S&P BSE OIL & GAS", "BSEOIL&GAS"), ("OILGAS", "BSEOIL&GAS"), ("BSE IT", "BSEINFORMATIONTECHNOLOGY"),
        ("BSE Bharat 22 Index", "BSEBHARAT22INDEX"),
    ])
    func ofBSE(name: String, expected: String) throws {
        for broker in 0...3 { #expect(try symbol(name, "BSE", broker: broker) == expected) }
    }

    @Test func everyDocumentedNameComesThrough() throws {
        for name in SymbolRules.nseIndices { #expect(try symbol(name, "NSE", broker: 0) == name) }
        for name in SymbolRules.bseIndices { #expect(try symbol(name, "BSE", broker: 0) == name) }
    }
}
