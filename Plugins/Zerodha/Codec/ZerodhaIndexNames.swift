import AdapterKit

/// OpenAlgo's names for Kite's indices.
///
/// OpenAlgo has a table of the names that it knows, and leaves every other trading symbol as Kite writes it, spaces and
/// all: `NIFTY TOP 10 EW` is `NSE_INDEX:NIFTY TOP 10 EW`. Clients that come from there ask for these names, so it is the
/// same here.
enum ZerodhaIndexNames {
    /// - Parameter exchange: OpenAlgo's, e.g. `NSE_INDEX`.
    static func symbol(_ tradingSymbol: String, on exchange: String) -> String {
        switch exchange {
        case "NSE_INDEX":
            nse[tradingSymbol] ?? SymbolRules.documentedIndex(tradingSymbol, on: exchange) ?? tradingSymbol
        case "BSE_INDEX":
            SymbolRules.bseIndex(code: tradingSymbol) ?? SymbolRules.documentedIndex(tradingSymbol, on: exchange)
                ?? tradingSymbol
        case "GLOBAL_INDEX":
            tradingSymbol == "GIFT NIFTY" ? "GIFTNIFTY" : tradingSymbol
        default:
            tradingSymbol
        }
    }

    /// Those whose names are more than their letters without spaces.
    private static let nse = [
        "NIFTY 50": "NIFTY", "NIFTY BANK": "BANKNIFTY", "NIFTY FIN SERVICE": "FINNIFTY",
        "NIFTY MID SELECT": "MIDCPNIFTY", "NIFTY MIDCAP SELECT": "MIDCPNIFTY", "NIFTY NEXT 50": "NIFTYNXT50",
    ]
}
