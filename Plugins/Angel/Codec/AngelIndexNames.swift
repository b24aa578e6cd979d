import AdapterKit

/// OpenAlgo's names for Angel One's indices.
///
/// For NSE and BSE they come from the column `name`, not from `symbol`: capitals without spaces and hyphens, and without
/// the `S&P` that BSE's indices begin with, e.g. `S&P BSE OIL & GAS` → `BSEOIL&GAS`. Those of MCX keep their symbol.
enum AngelIndexNames {
    /// - Parameter exchange: OpenAlgo's, e.g. `BSE_INDEX`.
    static func symbol(_ symbol: String, name: String, on exchange: String) -> String {
        guard exchange == "NSE_INDEX" || exchange == "BSE_INDEX" else { return symbol }
        var compact = SymbolRules.compact(name.isEmpty ? symbol : name)
        if exchange == "BSE_INDEX", compact.hasPrefix("S&P") { compact.removeFirst(3) }
        if let known = others[compact] { return known }
        if SymbolRules.documentedIndex(compact, on: exchange) != nil || exchange == "NSE_INDEX" { return compact }
        // A name that says nothing, such as the code once more: AUTO, or one that BSE has changed: S&P BSE FINANCE.
        return SymbolRules.bseIndex(code: symbol) ?? compact
    }

    /// Names that are more than their letters.
    private static let others = [
        "NIFTY50": "NIFTY", "NIFTYBANK": "BANKNIFTY", "NIFTYFINSERVICE": "FINNIFTY",
        "NIFTYFINANCIALSERVICES": "FINNIFTY", "NIFTYNEXT50": "NIFTYNXT50", "NIFTYMIDSELECT": "MIDCPNIFTY",
        "NIFTYMIDCAPSELECT": "MIDCPNIFTY", "BSESENSEX": "SENSEX", "BSEBANKEX": "BANKEX", "BSESENSEX50": "SENSEX50",
        "SNSX50": "SENSEX50",
    ]
}
