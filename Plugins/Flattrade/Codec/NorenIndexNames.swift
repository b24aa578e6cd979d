import AdapterKit

/// OpenAlgo's names for the indices of the family, whose files spell them in several ways.
///
/// Capitals without spaces and hyphens, e.g. `Nifty Auto` → `NIFTYAUTO`, but for the few below; on BSE, where a name
/// may begin with `S&P` or be BSE's code, the name that OpenAlgo documents if there is one.
enum NorenIndexNames {
    /// - Parameter exchange: OpenAlgo's: `NSE_INDEX` or `BSE_INDEX`.
    static func symbol(_ tradingSymbol: String, on exchange: String) -> String {
        let compact = SymbolRules.compact(tradingSymbol)
        if let known = others[compact] { return known }
        guard exchange == "BSE_INDEX" else { return compact }
        let bare = compact.hasPrefix("S&P") ? String(compact.dropFirst(3)) : compact
        return SymbolRules.bseIndex(code: bare) ?? SymbolRules.documentedIndex(bare, on: exchange) ?? compact
    }

    /// Names that are more than their letters.
    private static let others = [
        "NIFTY50": "NIFTY", "NIFTYINDEX": "NIFTY", "NIFTYBANK": "BANKNIFTY", "NIFTYFIN": "FINNIFTY",
        "NIFTYFINSERVICE": "FINNIFTY", "NIFTYFINSERVICES": "FINNIFTY", "NIFTYFINANCIALSERVICES": "FINNIFTY",
        "NIFTYNEXT50": "NIFTYNXT50", "NIFTYMIDSELECT": "MIDCPNIFTY", "NIFTYMIDCAPSELECT": "MIDCPNIFTY",
        "BSESENSEX": "SENSEX", "S&PBSESENSEX": "SENSEX", "BSEBANKEX": "BANKEX", "S&PBSEBANKEX": "BANKEX",
        "BSESENSEX50": "SENSEX50", "S&PBSESENSEX50": "SENSEX50",
    ]
}
