"""A reading of the naming rules of its own, from tables: what each broker's row is called, with type, expiry, strike and tick.

Written from OpenAlgo's documentation and the brokers' formats, not from the adapters; `test_naming_rules.py` compares both over
generated masters.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()

NSE_INDICES = set("""
NIFTY NIFTYNXT50 FINNIFTY BANKNIFTY MIDCPNIFTY INDIAVIX HANGSENGBEESNAV NIFTY100 NIFTY200 NIFTY500 NIFTYALPHA50 NIFTYAUTO
NIFTYCOMMODITIES NIFTYCONSUMPTION NIFTYCPSE NIFTYDIVOPPS50 NIFTYENERGY NIFTYFMCG NIFTYGROWSECT15 NIFTYGS10YR NIFTYGS10YRCLN
NIFTYGS1115YR NIFTYGS15YRPLUS NIFTYGS48YR NIFTYGS813YR NIFTYGSCOMPSITE NIFTYINFRA NIFTYIT NIFTYMEDIA NIFTYMETAL NIFTYMIDLIQ15
NIFTYMIDCAP100 NIFTYMIDCAP150 NIFTYMIDCAP50 NIFTYMIDSML400 NIFTYMNC NIFTYPHARMA NIFTYPSE NIFTYPSUBANK NIFTYPVTBANK NIFTYREALTY
NIFTYSERVSECTOR NIFTYSMLCAP100 NIFTYSMLCAP250 NIFTYSMLCAP50 NIFTY100EQLWGT NIFTY100LIQ15 NIFTY100LOWVOL30 NIFTY100QUALTY30
NIFTY200QUALTY30 NIFTY50DIVPOINT NIFTY50EQLWGT NIFTY50PR1XINV NIFTY50PR2XLEV NIFTY50TR1XINV NIFTY50TR2XLEV NIFTY50VALUE20
""".split())

#: BSE's codes, without spaces, and OpenAlgo's names.
BSE_CODES = dict(pair.split("=") for pair in """
SNSX50=SENSEX50 SNXT50=BSESENSEXNEXT50 MID150=BSE150MIDCAPINDEX LMI250=BSE250LARGEMIDCAPINDEX MSL400=BSE400MIDSMALLCAPINDEX
AUTO=BSEAUTO BSECG=BSECAPITALGOODS CARBON=BSECARBONEX BSECD=BSECONSUMERDURABLES CPSE=BSECPSE DOL100=BSEDOLLEX100
DOL200=BSEDOLLEX200 DOL30=BSEDOLLEX30 ENERGY=BSEENERGY BSEFMC=BSEFASTMOVINGCONSUMERGOODS FINSER=BSEFINANCIALSERVICES
GREENX=BSEGREENEX BSEHC=BSEHEALTHCARE INFRA=BSEINDIAINFRASTRUCTUREINDEX INDSTR=BSEINDUSTRIALS BSEIT=BSEINFORMATIONTECHNOLOGY
BSEIPO=BSEIPO LRGCAP=BSELARGECAP METAL=BSEMETAL MIDCAP=BSEMIDCAP MIDSEL=BSEMIDCAPSELECTINDEX OILGAS=BSEOIL&GAS POWER=BSEPOWER
BSEPSU=BSEPSU REALTY=BSEREALTY SMLCAP=BSESMALLCAP SMLSEL=BSESMALLCAPSELECTINDEX SMEIPO=BSESMEIPO TECK=BSETECK TELCOM=BSETELECOM
""".split())
BSE_INDICES = set(BSE_CODES.values()) | {"SENSEX", "BANKEX", "BSE100", "BSE200", "BSE500"}

#: Full names that are not their letters, without spaces.
FAMOUS = {
    "NIFTY50": "NIFTY", "NIFTYBANK": "BANKNIFTY", "NIFTYFINSERVICE": "FINNIFTY", "NIFTYNEXT50": "NIFTYNXT50",
    "NIFTYMIDSELECT": "MIDCPNIFTY", "BSESENSEX": "SENSEX", "BSEBANKEX": "BANKEX", "BSESENSEX50": "SENSEX50"}


def compact(name: str) -> str:
    return re.sub("[ -]", "", name).upper()


def day(text: str) -> date:
    if match := re.fullmatch(r"(\d{2})-?([A-Z]{3})-?(\d{4})", text.upper()):
        return date(int(match[3]), MONTHS.index(match[2]) + 1, int(match[1]))
    return date.fromisoformat(text)


def plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def contract(underlying: str, expiry: date, kind: str, strike: Decimal) -> str:
    stamp = f"{expiry.day:02}{MONTHS[expiry.month - 1]}{expiry.year % 100:02}"
    return underlying + stamp + ("FUT" if kind == "FUT" else plain(strike) + kind)


def named(exchange: str, symbol: str, kind: str, tick=Decimal(0), expiry: date | None = None, strike=Decimal(0)) -> tuple:
    return exchange, symbol, kind, int(expiry.strftime("%Y%m%d")) if expiry else 0, strike, tick


# MARK: Zerodha


def zerodha(row: dict) -> tuple:
    exchange, symbol, kind = row["exchange"], row["tradingsymbol"], row["instrument_type"]
    tick = Decimal(row["tick_size"])
    if exchange in ("GLOBAL", "NSEIX"):
        return named("GLOBAL_INDEX", {"GIFT NIFTY": "GIFTNIFTY"}.get(symbol, symbol), "INDEX", tick)
    if row["segment"] == "INDICES":
        short = compact(symbol)
        if exchange == "NSE" and short in FAMOUS:
            symbol = FAMOUS[short]
        elif exchange == "NSE" and short in NSE_INDICES or exchange == "BSE" and short in BSE_INDICES:
            symbol = short
        elif exchange == "BSE":
            symbol = BSE_CODES.get(short, symbol)
        return named(exchange + "_INDEX", symbol, "INDEX", tick)
    if kind in ("FUT", "CE", "PE"):
        expiry, strike = day(row["expiry"]), Decimal(row["strike"])
        return named(exchange, contract(row["name"], expiry, kind, strike), kind, tick, expiry, strike)
    return named(exchange, symbol, kind, tick)


# MARK: Angel One


def angel(row: dict) -> tuple:
    exchange, symbol, kind = row["exch_seg"], row["symbol"], row["instrumenttype"]
    raw = Decimal(row["tick_size"])
    if exchange == "CDS":
        tick = raw / 100 if raw <= 100 else raw / 10**7 if raw >= 1000 else Decimal(0)
    else:
        tick = raw / 100
    if kind == "AMXIDX":
        name = symbol
        if exchange in ("NSE", "BSE"):
            name = compact(row["name"] or symbol)
            name = name.removeprefix("S&P") if exchange == "BSE" else name
            name = FAMOUS.get(name, name)
            if exchange == "BSE" and name not in BSE_INDICES:
                name = BSE_CODES.get(compact(symbol), name)
        return named(exchange + "_INDEX", name, "INDEX", tick)
    if kind[:3] in ("FUT", "OPT"):
        expiry, right = day(row["expiry"]), "FUT" if kind[:3] == "FUT" else symbol[-2:]
        strike = Decimal(0)
        if right != "FUT":
            strike = Decimal(row["strike"]) / (10**7 if exchange == "CDS" else 100)
        return named(exchange, contract(row["name"], expiry, right, strike), right, tick, expiry, strike)
    return named(exchange, re.sub("-(EQ|BE|MF|SG)$", "", symbol) or symbol, kind or "EQ", tick)


# MARK: The family of Flattrade


def noren(row: dict) -> tuple:
    exchange, symbol, kind = row["Exchange"], row["TradingSymbol"], row["Instrument"]
    tick = Decimal(row.get("TickSize") or 0)
    if kind in ("INDEX", "UNDIND"):
        name = compact(symbol)
        bare = name.removeprefix("S&P")
        if exchange == "BSE":
            known = FAMOUS.get(bare) or BSE_CODES.get(bare) or (bare if bare in BSE_INDICES else name)
        else:
            known = {"NIFTYINDEX": "NIFTY", "NIFTYFIN": "FINNIFTY"}.get(name) or FAMOUS.get(name, name)
        return named(exchange + "_INDEX", known, "INDEX", tick)
    if exchange == "BSE":
        return named(exchange, symbol, "EQ", tick)
    if exchange == "NSE":
        return named(exchange, re.sub("-(EQ|BE)$", "", symbol), "EQ" if kind == "BE" else kind, tick)
    expiry = day(row["Expiry"])
    right = "FUT" if row["OptionType"] == "XX" else row["OptionType"]
    strike = Decimal(0) if right == "FUT" else Decimal(row["StrikePrice"])
    underlying = row["Symbol"]
    if exchange == "BFO":
        month, year = MONTHS[expiry.month - 1], f"{expiry.year % 100:02}"
        week = f"{year}{expiry.month if expiry.month < 10 else month[0]}{expiry.day:02}"
        end = right if right == "FUT" else re.escape(plain(strike)) + right
        underlying = re.fullmatch(f"(.+)({year}{month}|{week}){end}", symbol)[1]
    return named(exchange, contract(underlying, expiry, right, strike), right, tick, expiry, strike)
