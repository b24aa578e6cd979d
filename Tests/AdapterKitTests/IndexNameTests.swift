import AdapterKit
import Testing

@Suite struct IndexNameTests {
    @Test func theDocumentationListsSoMany() {
        #expect(SymbolRules.nseIndices.count == 57)
        #expect(SymbolRules.bseIndices.count == 40)
        for name in SymbolRules.nseIndices.union(SymbolRules.bseIndices) { #expect(SymbolRules.compact(name) == name) }
    }

    @Test func everyDocumentedNameIsFoundHoweverItIsSpelled() {
        for (exchange, names) in [("NSE_INDEX", SymbolRules.nseIndices), ("BSE_INDEX", SymbolRules.bseIndices)] {
            for name in names {
                let spread = name.lowercased().map(String.init).joined(separator: " -")
                #expect(SymbolRules.documentedIndex(name, on: exchange) == name)
                #expect(SymbolRules.documentedIndex(spread, on: exchange) == name)
                #expect(SymbolRules.documentedIndex(name, on: "MCX_INDEX") == nil)
            }
        }
        #expect(SymbolRules.documentedIndex("NIFTY TOP 10 EW", on: "NSE_INDEX") == nil)
        #expect(SymbolRules.documentedIndex("SENSEX", on: "NSE_INDEX") == nil)
    }

    @Test(arguments: [
        ("OILGAS", "BSEOIL&GAS"), ("BSE IT", "BSEINFORMATIONTECHNOLOGY"), ("SNXT50", "BSESENSEXNEXT50"),
        ("AUTO", "BSEAUTO"), ("NIFTY", nil), ("", nil),
    ])
    func codesOfBSE(code: String, name: String?) {
        #expect(SymbolRules.bseIndex(code: code) == name)
    }
}
