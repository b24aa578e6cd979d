// The indices that OpenAlgo's documentation lists ("Symbol format", NSE and BSE index symbols): whatever a broker calls
// them, clients ask for them by these names.
extension SymbolRules {
    /// The documented name that `name` is but for spaces, hyphens and capitals, e.g. `HANGSENG BEES-NAV` →
    /// `HANGSENGBEESNAV` on `NSE_INDEX`; nil if the documentation has none such.
    ///
    /// - Parameter exchange: `NSE_INDEX` or `BSE_INDEX`; of the others no names are documented.
    public static func documentedIndex(_ name: String, on exchange: String) -> String? {
        let compact = compact(name)
        switch exchange {
        case "NSE_INDEX": return nseIndices.contains(compact) ? compact : nil
        case "BSE_INDEX": return bseIndices.contains(compact) ? compact : nil
        default: return nil
        }
    }

    /// The documented name of an index by the code under which BSE disseminates it, e.g. `SNXT50` → `BSESENSEXNEXT50`,
    /// `OILGAS` → `BSEOIL&GAS`; nil for any other text. Several brokers show these codes as symbols.
    public static func bseIndex(code: String) -> String? { bseCodes[compact(code)] }

    /// Capitals without spaces and hyphens, which is what OpenAlgo makes of most names of indices.
    public static func compact(_ name: String) -> String {
        String(decoding: name.uppercased().utf8.filter { $0 != 0x20 && $0 != UInt8(ascii: "-") }, as: UTF8.self)
    }

    /// All documented names of `NSE_INDEX`.
    public static let nseIndices: Set<String> = [
        "NIFTY", "NIFTYNXT50", "FINNIFTY", "BANKNIFTY", "MIDCPNIFTY", "INDIAVIX", "HANGSENGBEESNAV", "NIFTY100",
        "NIFTY200", "NIFTY500", "NIFTYALPHA50", "NIFTYAUTO", "NIFTYCOMMODITIES", "NIFTYCONSUMPTION", "NIFTYCPSE",
        "NIFTYDIVOPPS50", "NIFTYENERGY", "NIFTYFMCG", "NIFTYGROWSECT15", "NIFTYGS10YR", "NIFTYGS10YRCLN",
        "NIFTYGS1115YR", "NIFTYGS15YRPLUS", "NIFTYGS48YR", "NIFTYGS813YR", "NIFTYGSCOMPSITE", "NIFTYINFRA", "NIFTYIT",
        "NIFTYMEDIA", "NIFTYMETAL", "NIFTYMIDLIQ15", "NIFTYMIDCAP100", "NIFTYMIDCAP150", "NIFTYMIDCAP50",
        "NIFTYMIDSML400", "NIFTYMNC", "NIFTYPHARMA", "NIFTYPSE", "NIFTYPSUBANK", "NIFTYPVTBANK", "NIFTYREALTY",
        "NIFTYSERVSECTOR", "NIFTYSMLCAP100", "NIFTYSMLCAP250", "NIFTYSMLCAP50", "NIFTY100EQLWGT", "NIFTY100LIQ15",
        "NIFTY100LOWVOL30", "NIFTY100QUALTY30", "NIFTY200QUALTY30", "NIFTY50DIVPOINT", "NIFTY50EQLWGT",
        "NIFTY50PR1XINV", "NIFTY50PR2XLEV", "NIFTY50TR1XINV", "NIFTY50TR2XLEV", "NIFTY50VALUE20",
    ]

    /// All documented names of `BSE_INDEX`.
    public static let bseIndices: Set<String> = Set(bseCodes.values).union([
        "SENSEX", "BANKEX", "BSE100", "BSE200", "BSE500",
    ])

    /// BSE has had two codes for some indices.
    private static let bseCodes = [
        "SNSX50": "SENSEX50", "SNXT50": "BSESENSEXNEXT50", "MID150": "BSE150MIDCAPINDEX",
        "LMI250": "BSE250LARGEMIDCAPINDEX", "MSL400": "BSE400MIDSMALLCAPINDEX", "AUTO": "BSEAUTO",
        "BSECG": "BSECAPITALGOODS", "CARBON": "BSECARBONEX", "CARBONEX": "BSECARBONEX", "BSECD": "BSECONSUMERDURABLES",
        "CPSE": "BSECPSE", "DOL100": "BSEDOLLEX100", "DOL200": "BSEDOLLEX200", "DOL30": "BSEDOLLEX30",
        "ENERGY": "BSEENERGY", "BSEFMC": "BSEFASTMOVINGCONSUMERGOODS", "FMC": "BSEFASTMOVINGCONSUMERGOODS",
        "FINSER": "BSEFINANCIALSERVICES", "FIN": "BSEFINANCIALSERVICES", "GREENX": "BSEGREENEX",
        "GREENEX": "BSEGREENEX", "BSEHC": "BSEHEALTHCARE", "INFRA": "BSEINDIAINFRASTRUCTUREINDEX",
        "INDSTR": "BSEINDUSTRIALS", "BSEIT": "BSEINFORMATIONTECHNOLOGY", "BSEIPO": "BSEIPO", "IPO": "BSEIPO",
        "LRGCAP": "BSELARGECAP", "METAL": "BSEMETAL", "MIDCAP": "BSEMIDCAP", "MIDSEL": "BSEMIDCAPSELECTINDEX",
        "OILGAS": "BSEOIL&GAS", "POWER": "BSEPOWER", "BSEPSU": "BSEPSU", "PSU": "BSEPSU", "REALTY": "BSEREALTY",
        "SMLCAP": "BSESMALLCAP", "SMLSEL": "BSESMALLCAPSELECTINDEX", "SMEIPO": "BSESMEIPO", "TECK": "BSETECK",
        "TELCOM": "BSETELECOM",
    ]
}
