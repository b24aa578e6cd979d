"""What each row of a broker's instrument master is called: a reading of the rules that owes nothing to the adapters.

It was written by someone who had not seen them, from OpenAlgo's page on symbols, what OpenAlgo's importers do with each
broker's file, and the brokers' formats. `test_naming_rules.py` compares it with the program. Each function gives what OpenAlgo
would store for the row; where Feedhost means to differ, the row of `DELIBERATE` that says why is named beside the rule.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

#: Where Feedhost says something else than OpenAlgo's importer of that broker, and means it.
DELIBERATE = {
    "documented": "OpenAlgo's page names an index that its importer misses for a spelling: the page is what clients go by",
    "squeezed": "OpenAlgo's importer for Zebu knows six indices and leaves the others spaced, those of the other Noren brokers "
    "close them up: one adapter, one spelling (README, Instruments)",
    "format": "OpenAlgo's importer for Angel One leaves the broker's symbol to contracts of NCDEX, on interest rates (FUTIRT) and "
    "on MCX's indices; those for Noren call options on interest rates …OPTIRC: the page's format holds for all contracts",
    "underlying": "OpenAlgo takes the letters that a symbol of BFO begins with for its underlying: M of M&M, nothing of 360ONE",
    "suffix": "OpenAlgo removes -EQ, -BE, -MF and -SG wherever they are in a symbol: only its end is a series",
    "currency tick": "OpenAlgo divides Angel One's ticks of CDS by 100 though some are in the unit of the strikes, 1e-7",
    "rupees": "OpenAlgo divides the ticks of shares at Shoonya and TradeSmart by 100; their files have 0.1 for TCS, which is rupees",
    "no tick": "Flattrade's files have no ticks: OpenAlgo assumes 0.05, which is wrong of most shares; unknown is 0",
    "kind": "OpenAlgo keeps the kind that the broker writes, as AMXIDX or nothing: INDEX and EQ are what its page and others have",
    "namesakes": "OpenAlgo stores two instruments under one name, and which one a client gets is chance (docs/adapters.md)",
}

# MARK: OpenAlgo's page on symbols

NSE_DOCUMENTED = frozenset("""
    NIFTY NIFTYNXT50 FINNIFTY BANKNIFTY MIDCPNIFTY INDIAVIX HANGSENGBEESNAV NIFTY100 NIFTY200 NIFTY500 NIFTYALPHA50 NIFTYAUTO
    NIFTYCOMMODITIES NIFTYCONSUMPTION NIFTYCPSE NIFTYDIVOPPS50 NIFTYENERGY NIFTYFMCG NIFTYGROWSECT15 NIFTYGS10YR NIFTYGS10YRCLN
    NIFTYGS1115YR NIFTYGS15YRPLUS NIFTYGS48YR NIFTYGS813YR NIFTYGSCOMPSITE NIFTYINFRA NIFTYIT NIFTYMEDIA NIFTYMETAL NIFTYMIDLIQ15
    NIFTYMIDCAP100 NIFTYMIDCAP150 NIFTYMIDCAP50 NIFTYMIDSML400 NIFTYMNC NIFTYPHARMA NIFTYPSE NIFTYPSUBANK NIFTYPVTBANK NIFTYREALTY
    NIFTYSERVSECTOR NIFTYSMLCAP100 NIFTYSMLCAP250 NIFTYSMLCAP50 NIFTY100EQLWGT NIFTY100LIQ15 NIFTY100LOWVOL30 NIFTY100QUALTY30
    NIFTY200QUALTY30 NIFTY50DIVPOINT NIFTY50EQLWGT NIFTY50PR1XINV NIFTY50PR2XLEV NIFTY50TR1XINV NIFTY50TR2XLEV NIFTY50VALUE20
""".split())

#: The documented index of each code of the exchange's; those that are their own code come after it.
BSE_OF_CODE = {
    "SNSX50": "SENSEX50", "SNXT50": "BSESENSEXNEXT50", "MID150": "BSE150MIDCAPINDEX", "LMI250": "BSE250LARGEMIDCAPINDEX",
    "MSL400": "BSE400MIDSMALLCAPINDEX", "AUTO": "BSEAUTO", "BSE CG": "BSECAPITALGOODS", "CARBON": "BSECARBONEX",
    "BSE CD": "BSECONSUMERDURABLES", "CPSE": "BSECPSE", "DOL100": "BSEDOLLEX100", "DOL200": "BSEDOLLEX200", "DOL30": "BSEDOLLEX30",
    "ENERGY": "BSEENERGY", "BSEFMC": "BSEFASTMOVINGCONSUMERGOODS", "FINSER": "BSEFINANCIALSERVICES", "GREENX": "BSEGREENEX",
    "BSE HC": "BSEHEALTHCARE", "INFRA": "BSEINDIAINFRASTRUCTUREINDEX", "INDSTR": "BSEINDUSTRIALS",
    "BSE IT": "BSEINFORMATIONTECHNOLOGY", "LRGCAP": "BSELARGECAP", "METAL": "BSEMETAL", "MIDCAP": "BSEMIDCAP",
    "MIDSEL": "BSEMIDCAPSELECTINDEX", "OILGAS": "BSEOIL&GAS", "POWER": "BSEPOWER", "REALTY": "BSEREALTY", "SMLCAP": "BSESMALLCAP",
    "SMLSEL": "BSESMALLCAPSELECTINDEX", "SMEIPO": "BSESMEIPO", "TECK": "BSETECK", "TELCOM": "BSETELECOM",
} | {name: name for name in "SENSEX BANKEX BSE100 BSE200 BSE500 BSEIPO BSEPSU".split()}
BSE_DOCUMENTED = frozenset(BSE_OF_CODE.values())

#: Other codes of the same, in another version of OpenAlgo's table for Zerodha.
BSE_OF_CODE_ELSEWHERE = {
    "SENSEX50": "SENSEX50", "CARBONEX": "BSECARBONEX", "GREENEX": "BSEGREENEX", "FMC": "BSEFASTMOVINGCONSUMERGOODS",
    "FIN": "BSEFINANCIALSERVICES", "IPO": "BSEIPO", "PSU": "BSEPSU", "BSECG": "BSECAPITALGOODS", "BSECD": "BSECONSUMERDURABLES",
    "BSEHC": "BSEHEALTHCARE", "BSEIT": "BSEINFORMATIONTECHNOLOGY"}

#: Long forms of the six that have a ticker, closed up. `NIFTY INDEX` and `NIFTY FIN` are the Noren brokers'.
TICKERS = {
    "NIFTY50": "NIFTY", "NIFTYBANK": "BANKNIFTY", "NIFTYNEXT50": "NIFTYNXT50", "NIFTYFINSERVICE": "FINNIFTY",
    "NIFTYMIDSELECT": "MIDCPNIFTY", "NIFTYMIDCAPSELECT": "MIDCPNIFTY"}
NOREN_TICKERS = TICKERS | {"NIFTYINDEX": "NIFTY", "NIFTYFIN": "FINNIFTY", "NIFTYFINANCIALSERVICES": "FINNIFTY"}

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()


class Named(NamedTuple):
    exchange: str
    symbol: str
    kind: str
    expiry: int = 0
    strike: Decimal = Decimal(0)
    tick: Decimal = Decimal(0)


def plain(number: Decimal) -> str:
    """As in a symbol: 82, 292.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact(name: str) -> str:
    return name.upper().replace(" ", "").replace("-", "")


def ddmmmyy(day: date) -> str:
    return f"{day.day:02}{MONTHS[day.month - 1]}{day.year % 100:02}"


def contract(exchange: str, underlying: str, day: date, kind: str, strike: Decimal, tick: Decimal) -> Named:
    """[Base Symbol][Expiration Date][Strike Price][Option Type]."""
    if kind == "FUT":
        strike = Decimal(0)
    symbol = underlying + ddmmmyy(day) + ("" if kind == "FUT" else plain(strike)) + kind
    return Named(exchange, symbol, kind, day.year * 10_000 + day.month * 100 + day.day, strike, tick)


def number(text: str) -> Decimal:
    return Decimal(text or "0")


# MARK: Zerodha


def zerodha(row: dict) -> Named:
    spelled, kind, exchange, tick = row["tradingsymbol"], row["instrument_type"], row["exchange"], number(row["tick_size"])
    if kind in ("FUT", "CE", "PE"):
        day = datetime.strptime(row["expiry"], "%Y-%m-%d").date()
        return contract(exchange, row["name"], day, kind, number(row["strike"]), tick)
    if exchange in ("GLOBAL", "NSEIX"):  # GIFT Nifty comes from the exchange in GIFT City
        return Named("GLOBAL_INDEX", {"GIFT NIFTY": "GIFTNIFTY"}.get(spelled, spelled), "INDEX", tick=tick)
    if row["segment"] != "INDICES":
        return Named(exchange, spelled, "EQ", tick=tick)
    symbol = spelled  # one that no table has keeps its spaces
    if exchange == "NSE":
        name = TICKERS.get(compact(spelled), compact(spelled))
        symbol = name if name in NSE_DOCUMENTED else spelled  # "documented": HANGSENG BEES-NAV
    elif exchange == "BSE":
        symbol = (BSE_OF_CODE | BSE_OF_CODE_ELSEWHERE).get(spelled, spelled)
    return Named(exchange + "_INDEX", symbol, "INDEX", tick=tick)


# MARK: Angel One


def angel(row: dict) -> Named:
    spelled, name, exchange, kind = row["symbol"], row["name"], row["exch_seg"], row["instrumenttype"]
    tick = number(row["tick_size"]) / 100
    if exchange == "CDS" and number(row["tick_size"]) >= 1000:  # a currency's tick is 0.0025 or less, never 10: "currency tick"
        tick = number(row["tick_size"]) / 10**7
    if kind == "AMXIDX":
        return Named(exchange + "_INDEX", angel_index(exchange, spelled, name), "INDEX", tick=tick)
    if kind[:3] in ("FUT", "OPT"):
        day = datetime.strptime(row["expiry"], "%d%b%Y").date()
        right = "FUT" if kind[:3] == "FUT" else spelled[-2:]
        strike = number(row["strike"]) / (10**7 if exchange == "CDS" else 100)
        return contract(exchange, name, day, right, strike, tick)  # "format"
    base, dash, series = spelled.rpartition("-")
    # "suffix", "kind": what contracts are on has a kind of its own, as COMDTY.
    return Named(exchange, base if dash and series in ("EQ", "BE", "MF", "SG") else spelled, kind or "EQ", tick=tick)


def angel_index(exchange: str, spelled: str, name: str) -> str:
    if exchange == "MCX":
        return spelled
    long = compact((name or spelled).upper().replace("S&P ", ""))
    if exchange == "NSE":
        return TICKERS.get(long, long)
    # "documented": the page has neither BSESENSEX nor AUTO.
    for candidate in (long, long.removeprefix("BSE"), BSE_OF_CODE.get(name), BSE_OF_CODE.get(spelled)):
        if candidate in BSE_DOCUMENTED:
            return candidate
    return long


# MARK: Flattrade, Shoonya, Zebu, TradeSmart


def noren(row: dict) -> Named:
    """`row` has the columns of the three that share a layout; those that a file lacks are empty: "no tick", "rupees"."""
    spelled, exchange, kind, tick = row["TradingSymbol"], row["Exchange"], row["Instrument"], number(row["TickSize"])
    if kind == "INDEX" or kind == "UNDIND":
        return Named(exchange + "_INDEX", noren_index(exchange, spelled), "INDEX", tick=tick)
    if exchange == "NSE":
        base, dash, series = spelled.rpartition("-")
        symbol = base if dash and series in ("EQ", "BE") else spelled
        return Named(exchange, symbol, "EQ" if kind in ("EQ", "BE", "") else kind, tick=tick)
    if exchange == "BSE":
        return Named(exchange, spelled, "EQ", tick=tick)
    day = datetime.strptime(row["Expiry"], "%d-%b-%Y").date()
    right, strike, underlying = row["OptionType"].replace("XX", "FUT"), number(row["StrikePrice"]), row["Symbol"]
    if exchange == "BFO":  # the column Symbol has codes there, as BSXOPT
        right = spelled[-3:] if spelled.endswith("FUT") else spelled[-2:]
        underlying = spelled.removesuffix(right)
        if right != "FUT":
            underlying = underlying.removesuffix(plain(strike))
        month = MONTHS[day.month - 1]
        week = f"{day:%y}{day.month if day.month < 10 else month[0]}{day:%d}"
        underlying = underlying.removesuffix(f"{day:%y}{month}").removesuffix(week)  # "underlying"
    return contract(exchange, underlying, day, right, strike, tick)


def noren_index(exchange: str, spelled: str) -> str:
    name = compact(spelled)
    if exchange == "NSE":
        return NOREN_TICKERS.get(name, name)  # "squeezed"
    bare = name.removeprefix("S&P")
    for candidate in (bare, bare.removeprefix("BSE"), BSE_OF_CODE.get(spelled)):  # "documented"
        if candidate in BSE_DOCUMENTED:
            return candidate
    return name


# MARK: Namesakes

SERIES = ["-EQ", "", "-BE", "-BZ", "-SM", "-ST"]


def claim(symbol: str, spelled: str, token: str) -> tuple:
    """Sorts those who would have one name: the first has it, the others go by the broker's symbol."""
    if spelled.endswith("-EQ"):
        rank = 0
    elif spelled.startswith(symbol):
        series = spelled[len(symbol):]
        rank = SERIES.index(series) if series in SERIES else len(SERIES) if series.startswith("-") else len(SERIES) + 1
    else:
        rank = len(SERIES) + 1
    return rank, spelled.encode(), token.encode()


def settled(wanted: dict[tuple, tuple[Named, str]]) -> dict[tuple, Named]:
    """The names in the end: `wanted` has what each (broker's exchange, token) would be called, and the broker's symbol."""
    groups: dict[tuple, list] = {}
    for key, (named, spelled) in wanted.items():
        groups.setdefault(named[:2], []).append((claim(named.symbol, spelled, key[1]), key))
    names = {}
    for group in groups.values():
        for place, (_, key) in enumerate(sorted(group)):
            named, spelled = wanted[key]
            names[key] = named if place == 0 else named._replace(symbol=spelled)
    return names
