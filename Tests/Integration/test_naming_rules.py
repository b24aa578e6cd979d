"""The adapters' names beside those of another reading of the rules, over generated masters of every broker."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import random
import sqlite3
import zipfile
from decimal import Decimal

import pytest

import naming_rules as rules

#: Of each broker.
ROWS = 17_000
SEED = int(os.environ.get("FEEDHOST_SEED", "0")) or random.randrange(1, 1 << 32)

#: Names as they are in the market, with what makes them hard: digits first and last, `&`, hyphens, ends like FUT, CE and PE, months.
FAMOUS = (
    "360ONE 3MINDIA 20MICRONS 5PAISA 63MOONS 21STCENMGM M&M M&MFIN L&TFH J&KBANK GVT&D ARE&M BAJAJ-AUTO NAM-INDIA MCDOWELL-N "
    "NIFTY BANKNIFTY FINNIFTY MIDCPNIFTY NIFTYNXT50 SENSEX SENSEX50 BANKEX RELIANCE ACE ICE TYPE FUTURE CEAT PEL DECCANCE "
    "MAYURUNIQ SEPC OCTAVE JUNIORBEES GOLD GOLDM GOLD10GM GOLDGUINEA8GM CRUDEOIL CRUDEOILM NATURALGAS USDINR JPYINR EURUSD 726GS2032 91DTB "
    "MCXBULLDEX BRENTCRUDEOIL X V2RETAIL A2ZINFRA 11NSETEST SILVER100 SURANAT&P UMIYA-MRO ETERNAL 8.9JSWSL30").split()
SYLLABLES = "RE LI AN CE TA TE SB IN HD FC M& BA JAJ- 360 3M 50 9 NO VA X2 PE FUT JAN DEC OCT".split()
INDEX_WORDS = "NIFTY TOP 10 EW 20 OIL AND GAS INDIA MIDSMALL 150 MOMENTUM 30 QUALITY NEW AGE NON-CYCLICAL".split()
#: Every index of NSE that OpenAlgo documents, in the brokers' spelling.
NSE_NAMES = [name.strip() for name in """
    NIFTY 50, NIFTY NEXT 50, NIFTY FIN SERVICE, NIFTY BANK, NIFTY MID SELECT, INDIA VIX, HANGSENG BEES-NAV, NIFTY 100, NIFTY 200,
    NIFTY 500, NIFTY ALPHA 50, NIFTY AUTO, NIFTY COMMODITIES, NIFTY CONSUMPTION, NIFTY CPSE, NIFTY DIV OPPS 50, NIFTY ENERGY,
    NIFTY FMCG, NIFTY GROWSECT 15, NIFTY GS 10YR, NIFTY GS 10YR CLN, NIFTY GS 11 15YR, NIFTY GS 15YRPLUS, NIFTY GS 4 8YR,
    NIFTY GS 8 13YR, NIFTY GS COMPSITE, NIFTY INFRA, NIFTY IT, NIFTY MEDIA, NIFTY METAL, NIFTY MID LIQ 15, NIFTY MIDCAP 100,
    NIFTY MIDCAP 150, NIFTY MIDCAP 50, NIFTY MIDSML 400, NIFTY MNC, NIFTY PHARMA, NIFTY PSE, NIFTY PSU BANK, NIFTY PVT BANK,
    NIFTY REALTY, NIFTY SERV SECTOR, NIFTY SMLCAP 100, NIFTY SMLCAP 250, NIFTY SMLCAP 50, NIFTY100 EQL WGT, NIFTY100 LIQ 15,
    NIFTY100 LOWVOL30, NIFTY100 QUALTY30, NIFTY200 QUALTY30, NIFTY50 DIV POINT, NIFTY50 EQL WGT, NIFTY50 PR 1X INV,
    NIFTY50 PR 2X LEV, NIFTY50 TR 1X INV, NIFTY50 TR 2X LEV, NIFTY50 VALUE 20
""".split(",")]
assert len(NSE_NAMES) == len(rules.NSE_DOCUMENTED)
#: The names of BSE's documented indices in full, as Angel One (after `S&P `) and Flattrade have them.
BSE_LONG = {
    "SENSEX": "BSE SENSEX", "BANKEX": "BSE BANKEX", "SNSX50": "BSE SENSEX 50", "SNXT50": "BSE SENSEX NEXT 50", "BSE100": "BSE 100",
    "BSE200": "BSE 200", "BSE500": "BSE 500", "MID150": "BSE 150 MIDCAP INDEX", "LMI250": "BSE 250 LARGEMIDCAP INDEX",
    "MSL400": "BSE 400 MIDSMALLCAP INDEX", "AUTO": "BSE AUTO", "BSE CG": "BSE CAPITAL GOODS", "CARBON": "BSE CARBONEX",
    "BSE CD": "BSE CONSUMER DURABLES", "CPSE": "BSE CPSE", "DOL100": "BSE DOLLEX 100", "DOL200": "BSE DOLLEX 200",
    "DOL30": "BSE DOLLEX 30", "ENERGY": "BSE ENERGY", "BSEFMC": "BSE FAST MOVING CONSUMER GOODS",
    "FINSER": "BSE FINANCIAL SERVICES", "GREENX": "BSE GREENEX", "BSE HC": "BSE HEALTHCARE", "INFRA": "BSE INDIA INFRASTRUCTURE INDEX",
    "INDSTR": "BSE INDUSTRIALS", "BSE IT": "BSE INFORMATION TECHNOLOGY", "BSEIPO": "BSE IPO", "LRGCAP": "BSE LARGECAP",
    "METAL": "BSE METAL", "MIDCAP": "BSE MIDCAP", "MIDSEL": "BSE MIDCAP SELECT INDEX", "OILGAS": "BSE OIL & GAS", "POWER": "BSE POWER",
    "BSEPSU": "BSE PSU", "REALTY": "BSE REALTY", "SMLCAP": "BSE SMALLCAP", "SMLSEL": "BSE SMALLCAP SELECT INDEX",
    "SMEIPO": "BSE SME IPO", "TECK": "BSE TECK", "TELCOM": "BSE TELECOM"}
assert BSE_LONG.keys() == rules.BSE_OF_CODE.keys()
BSE_OTHERS = {
    "BHRT22": "BSE BHARAT 22 INDEX", "CDGS": "BSE CONSUMER DISCRETIONARY GOODS & SERVICES", "BSEEVI": "BSE ENHANCED VALUE INDEX"}
#: What stands for an underlying of BFO in the Noren brokers' column Symbol; shares have codes that say nothing.
BFO_CODES = {"SENSEX": "BSX", "BANKEX": "BKX", "SENSEX50": "SX50"}
GLOBAL_NAMES = [
    "GIFT NIFTY", *"AUS200 FRANCE40 GERMANY40 HANGSENG JAPAN225 SHANGHAICHINA UK100 US100 US10YRYIELD US30 US500 USCOMPOSITE".split()]


class Maker:
    """Rows with every kind of name. Some have a name in common; no two have the broker's symbol in common."""

    def __init__(self, broker: str):
        self.broker = broker
        self.random = random.Random(f"{SEED} {broker}")
        self.token = 1000
        self.wanted: dict[tuple, set[str]] = {}
        self.spelled: dict[tuple, str] = {}
        self.bases: list[str] = []
        self.contracts: dict[str, list] = {}

    def next_token(self) -> str:
        self.token += 1
        return str(self.token)

    def root(self, spaces: bool = False) -> str:
        if self.random.random() < 0.3:
            return self.random.choice(FAMOUS)
        while True:
            parts = [self.random.choice(SYLLABLES) for _ in range(self.random.randint(1, 5))]
            name = (" " if spaces and self.random.random() < 0.1 else "").join(parts).rstrip("-&")
            if name:
                return name

    def share(self, spaces: bool = False) -> str:
        """One in five has the base of another one, so that series meet."""
        if self.bases and self.random.random() < 0.2:
            return self.random.choice(self.bases)
        self.bases.append(self.root(spaces))
        return self.bases[-1]

    def day(self) -> datetime.date:
        """Any day, and those that are easily got wrong."""
        if self.random.random() < 0.1:
            return self.random.choice([
                datetime.date(2028, 2, 29), datetime.date(2026, 12, 31), datetime.date(2027, 1, 1), datetime.date(2030, 6, 27),
                datetime.date(2036, 12, 29), datetime.date(2026, 9, 9), datetime.date(2026, 11, 11), datetime.date(2024, 7, 29)])
        return datetime.date(2026, 1, 1) + datetime.timedelta(days=self.random.randrange(900))

    def strike(self, exchange: str) -> Decimal:
        if exchange in ("CDS", "BCD"):
            return Decimal(self.random.randrange(1, 60_000)) * Decimal("0.0025")
        return self.random.choice([
            Decimal(self.random.randrange(1, 2000)) * 50, Decimal(self.random.randrange(1, 9000)),
            Decimal(self.random.randrange(1, 90_000)) / 20, Decimal(self.random.randrange(1, 9)) * 100_000])

    def written(self, number: Decimal) -> str:
        """As a file may write it: 82, 82.0, 82.50."""
        text = rules.plain(number)
        return text + self.random.choice(["", "", "0", "00"] if "." in text else ["", "", ".0", ".00"])

    def cased(self, text: str) -> str:
        return self.random.choice([text.upper(), text.upper(), text.title()])

    def right(self) -> str:
        return self.random.choice(["FUT", "CE", "PE", "CE", "PE"])

    def terms(self, exchange: str, spaces: bool = False) -> tuple[str, str, Decimal, datetime.date]:
        """Of a contract. One in thirty has those of another one, as an adjusted contract may."""
        same = self.contracts.setdefault(exchange, [])
        if not same or self.random.random() > 1 / 30:
            same.append((self.root(spaces), self.right(), self.strike(exchange), self.day()))
            return same[-1]
        return self.random.choice(same)

    def exchange(self, names: str) -> str:
        return self.random.choice(names.split())

    def index(self, number: int, exchanges: str) -> tuple[str, str]:
        """Its exchange, and its name there or its code: the documented ones first, each at least once."""
        known = [("NSE", name) for name in NSE_NAMES] + [("BSE", code) for code in (*rules.BSE_OF_CODE, *BSE_OTHERS)]
        known = [pair for pair in known if pair[0] in exchanges.split()]
        if number < len(known):
            return known[number]
        exchange = self.exchange(exchanges)
        if exchange in ("NSE", "BSE") and (exchange == "BSE" or self.random.random() < 0.3):
            return self.random.choice([pair for pair in known if pair[0] == exchange])
        if exchange == "NSE":
            return exchange, " ".join(self.random.choice(INDEX_WORDS) for _ in range(self.random.randint(2, 5)))
        return exchange, "MCX" + self.root()

    def accepts(self, named: rules.Named, spelled: str) -> bool:
        """Not if another one would be left without any name of its own."""
        place, own = (named.exchange, named.symbol), (named.exchange, spelled)
        group = self.wanted.setdefault(place, set())
        if own in self.spelled or self.spelled.get(place, named.symbol) != named.symbol:
            return False
        if own != place and self.wanted.get(own):
            return False
        both = [*group, spelled]
        if named.symbol in both and any(one.endswith("-EQ") for one in both):
            return False
        group.add(spelled)
        self.spelled[own] = named.symbol
        return True


def zerodha_row(make: Maker, number: int) -> dict:
    row = dict.fromkeys(
        "instrument_token exchange_token tradingsymbol name last_price expiry strike tick_size lot_size instrument_type "
        "segment exchange".split(), "")
    row |= {"instrument_token": make.next_token(), "exchange_token": "1", "strike": "0", "lot_size": "1", "last_price": "0"}
    row["tick_size"] = make.random.choice(["0.05", "0.01", "1", "0.0025", "0", "0.1", "0.5"])
    if number < 600:
        exchange, symbol = make.index(number, "NSE NSE BSE MCX GLOBAL NSEIX")
        if exchange == "BSE" and number > 200:
            symbol = make.random.choice([symbol, *rules.BSE_OF_CODE_ELSEWHERE, "BSE SENSEX SIXTY 65:35", "BSE LGMD60:40ST DIV50"])
        elif exchange in ("GLOBAL", "NSEIX"):
            symbol = GLOBAL_NAMES[0] if exchange == "NSEIX" else make.random.choice(GLOBAL_NAMES[1:])
        segment = make.random.choice(["INDICES", exchange]) if exchange in ("GLOBAL", "NSEIX") else "INDICES"
        return row | {"exchange": exchange, "segment": segment, "tradingsymbol": symbol, "name": symbol, "instrument_type": "EQ"}
    exchange = make.exchange("NSE BSE NFO NFO NFO BFO MCX CDS BCD NCO")
    if exchange in ("NSE", "BSE"):
        name = make.share(spaces=exchange == "BSE")
        series = make.random.choice(["", "", "-BE", "-BZ", "-SM", "-ST", "-GS"]) if exchange == "NSE" else ""
        return row | {"exchange": exchange, "segment": exchange, "tradingsymbol": name + series, "name": name, "instrument_type": "EQ"}
    name, right, strike, day = make.terms(exchange, spaces=exchange == "NCO")
    return row | {
        "exchange": exchange, "segment": exchange + ("-FUT" if right == "FUT" else "-OPT"),
        "tradingsymbol": f"{name}{day:%y}X{row['instrument_token']}{right}".replace(" ", ""), "name": name, "expiry": day.isoformat(),
        "strike": "0" if right == "FUT" else make.written(strike), "instrument_type": right}


def angel_row(make: Maker, number: int) -> dict:
    row = {"token": make.next_token(), "expiry": "", "strike": "-1.000000", "lotsize": "1", "freeze_qty": "0", "is_cas_enabled": False}
    row["tick_size"] = make.random.choice(["5.000000", "1.000000", "100.000000", "0.000000", "10.000000"])
    if number < 600:
        exchange, symbol = make.index(number, "NSE NSE BSE MCX")
        name = symbol
        if exchange == "NSE":
            name = make.random.choice([symbol, rules.TICKERS.get(rules.compact(symbol), symbol)])
            symbol = make.random.choice([symbol, symbol.title()])
        elif exchange == "BSE":
            name = "S&P " + BSE_OTHERS[symbol] if symbol in BSE_OTHERS else make.random.choice(
                ["S&P " + BSE_LONG[symbol], BSE_LONG[symbol], symbol])
        return row | {"symbol": symbol, "name": name, "instrumenttype": "AMXIDX", "exch_seg": exchange, "strike": "0.000000"}
    exchange = make.exchange("NSE NSE BSE NFO NFO NFO BFO MCX NCDEX CDS")
    if exchange in ("NSE", "BSE"):
        name = make.share(spaces=exchange == "BSE")
        series = make.random.choice("-EQ,-EQ,-EQ,-BE,-BE,-BZ,-MF,-SG,-SM,-ST,-GS,-YL,-EQX,".split(",")) if exchange == "NSE" else ""
        return row | {"symbol": name + series, "name": name, "instrumenttype": "", "exch_seg": exchange}
    if exchange in ("MCX", "CDS") and make.random.random() < 0.02:  # what the contracts are on
        name = f"{make.root()}{row['token']}"
        return row | {
            "symbol": name, "name": name, "exch_seg": exchange, "instrumenttype": "COMDTY" if exchange == "MCX" else "UNDCUR",
            "tick_size": "0.000000"}
    name, right, strike, day = make.terms(exchange)
    if exchange == "CDS":
        row["tick_size"] = make.random.choice(["0.250000", "25000.000000", "0.010000", "1000.000000", "1.000000", "100000.000000"])
    kinds = {"CDS": "CUR CUR IRC" + (" IRT" if right == "FUT" else ""), "MCX": "COM IDX ENR BLN" if right == "FUT" else "FUT BLN", "NCDEX": "COM"}
    symbol = f"{name}{day:%y}X{row['token']}{right}"
    if exchange == "NFO":  # OpenAlgo leaves those as they are, and they are as its page wants them
        symbol = rules.contract(exchange, name, day, right, strike, Decimal(0)).symbol
    scale = 10**7 if exchange == "CDS" else 100
    return row | {
        "symbol": symbol, "name": name, "exch_seg": exchange,
        "instrumenttype": ("FUT" if right == "FUT" else "OPT") + make.exchange(kinds.get(exchange, "STK IDX")),
        "expiry": make.cased(f"{day.day:02}{rules.MONTHS[day.month - 1]}{day.year}"),
        "strike": row["strike"] if right == "FUT" else f"{strike * scale:.6f}"}


def noren_row(make: Maker, number: int) -> dict:
    row = dict.fromkeys("Exchange Token LotSize Symbol TradingSymbol Instrument Expiry StrikePrice OptionType TickSize".split(), "")
    row |= {"Token": make.next_token(), "LotSize": "1"}
    flattrade = make.broker == "flattrade"
    if not flattrade:
        row["TickSize"] = make.random.choice(["0.05", "0.01", "0.0025", "0.1", "0.5", "1", "1.00"])
    if number < 600:
        exchange, symbol = make.index(number, "NSE NSE BSE" if flattrade else "NSE")
        if number > 200 and make.random.random() < 0.1 and exchange == "NSE":
            symbol = make.random.choice([
                "NIFTY FIN", "NIFTY FINANCIAL SERVICES", "NIFTY MIDCAP SELECT", "MIDCPNIFTY", "FINNIFTY", "NIFTYNXT50", "INDIAVIX",
                "NIFTY M150 QLTY50", "Nifty100ESGSecLdr", "NIFTY AlphaLowVol", "Nifty FinSrv25 50", "NIFTY LARGEMID250",
                *([] if flattrade else ["NIFTY INDEX"])])
        if exchange == "BSE":
            long = BSE_LONG.get(symbol)
            symbol = make.random.choice(["S&P " + long, long.title(), long]) if long else symbol
        elif flattrade and make.random.random() < 0.7:
            symbol = symbol.title()
        return row | {
            "Exchange": exchange, "Symbol": "X", "TradingSymbol": symbol, "Instrument": "INDEX" if exchange == "NSE" else "UNDIND",
            "TickSize": ""}
    exchange = make.exchange("NSE NSE BSE NFO NFO BFO BFO CDS MCX")
    row["Exchange"] = exchange
    if exchange in ("NSE", "BSE"):
        name = make.share(spaces=exchange == "BSE")
        series = make.random.choice("EQ EQ EQ BE BE BZ SM ST GB IV BL MF N3".split())
        return row | {
            "Symbol": name, "TradingSymbol": f"{name}-{series}" if exchange == "NSE" else name,
            "Instrument": make.random.choice([series, series, "EQ"]) if exchange == "NSE" else make.exchange("A B T X XT")}
    name, right, strike, day = make.terms(exchange)
    price = "" if right == "FUT" else rules.plain(strike)
    symbol = name + rules.ddmmmyy(day) + ("" if right == "FUT" and exchange == "MCX" else right[0] + price)
    row["Symbol"] = name
    if exchange == "BFO":
        month = rules.MONTHS[day.month - 1]
        week = f"{day:%y}{day.month if day.month < 10 else month[0]}{day:%d}"
        symbol = name + make.random.choice([f"{day:%y}{month}", week]) + price + right
        if not flattrade:
            code = BFO_CODES.get(name) or make.random.choice(["ONWL", "MNML", "ZOMA"])
            row["Symbol"] = code + ("FUT" if right == "FUT" else "OPT")
    future, option = {"CDS": ("FUTCUR FUTIRC", "OPTCUR OPTIRC"), "MCX": ("FUTCOM FUTIDX", "OPTFUT")}.get(
        exchange, ("FUTSTK FUTIDX", "OPTSTK OPTIDX"))
    return row | {
        "TradingSymbol": symbol, "Instrument": make.exchange(future if right == "FUT" else option),
        "Expiry": make.cased(f"{day.day:02}-{rules.MONTHS[day.month - 1]}-{day.year}"),
        "StrikePrice": make.exchange("0 -0.01 -1e-07") if right == "FUT" else make.written(strike),
        "OptionType": "XX" if right == "FUT" else right}


# MARK: Files


def table(rows: list[dict], columns: dict[str, str], end: str = "") -> str:
    """`columns`: of the file, and where each comes from; nowhere: 1. `end`: some brokers end each line with a comma."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end + "\n")
    writer.writerow(columns)
    writer.writerows([row.get(key, "1") for key in columns.values()] for row in rows)
    return out.getvalue()


def zerodha_files(broker: str, rows: list[dict]) -> dict[str, bytes]:
    return {"instruments.csv": table(rows, {key: key for key in rows[0]}).encode()}


def angel_files(broker: str, rows: list[dict]) -> dict[str, bytes]:
    return {"OpenAPIScripMaster.json": json.dumps(rows).encode()}


def flattrade_files(broker: str, rows: list[dict]) -> dict[str, bytes]:
    columns = {
        "Exchange": "Exchange", "Token": "Token", "Lotsize": "LotSize", "Symbol": "Symbol", "Tradingsymbol": "TradingSymbol",
        "Instrument": "Instrument", "Expiry": "Expiry", "Strike": "StrikePrice", "Optiontype": "OptionType"}
    names = {"NSE": "NSE_Equity.csv", "BSE": "BSE_Equity.csv", "CDS": "Currency_Derivatives.csv", "MCX": "Commodity.csv"}
    files: dict[str, list[dict]] = {}
    for row in rows:
        kind = "Index" if row["Instrument"].endswith("IDX") else "Equity"
        files.setdefault(names.get(row["Exchange"]) or f"{row['Exchange'].title()}_{kind}_Derivatives.csv", []).append(row)
    return {name: table(part, columns).encode() for name, part in files.items()}


def family_files(broker: str, rows: list[dict]) -> dict[str, bytes]:
    layouts = {
        "NSE": "Exchange Token LotSize Symbol TradingSymbol Instrument TickSize",
        "NFO": "Exchange Token LotSize Symbol TradingSymbol Expiry Instrument OptionType StrikePrice TickSize",
        "CDS": "Exchange Token LotSize Precision Multiplier Symbol TradingSymbol Expiry Instrument OptionType StrikePrice TickSize",
        "MCX": "Exchange Token LotSize GNGD Symbol TradingSymbol Expiry Instrument OptionType StrikePrice TickSize"}
    files = {}
    for exchange in ("NSE", "BSE", "NFO", "BFO", "CDS", "MCX"):
        columns = {name: name for name in layouts[{"BSE": "NSE", "BFO": "NFO"}.get(exchange, exchange)].split()}
        if exchange == "BFO" and broker != "shoonya":  # two of the three have another name for the column there
            columns = {{"StrikePrice": "Strike"}.get(name, name): key for name, key in columns.items()}
            if broker == "zebu":
                del columns["OptionType"]
        text = table([row for row in rows if row["Exchange"] == exchange], columns, end=",")
        if exchange == "CDS":  # there only the header ends so
            text = text.replace(",\n", "\n").replace("\n", ",\n", 1)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{exchange}_symbols.txt", text)
        files[f"{exchange}_symbols.txt.zip"] = buffer.getvalue()
    return files


#: The maker of rows, the rule, the files, and the columns of the broker's exchange, token and symbol.
NOREN_KEYS = ("Exchange", "Token", "TradingSymbol")
BROKERS = {
    "zerodha": (zerodha_row, rules.zerodha, zerodha_files, ("exchange", "instrument_token", "tradingsymbol")),
    "angel": (angel_row, rules.angel, angel_files, ("exch_seg", "token", "symbol")),
    "flattrade": (noren_row, rules.noren, flattrade_files, NOREN_KEYS),
    "shoonya": (noren_row, rules.noren, family_files, NOREN_KEYS),
    "zebu": (noren_row, rules.noren, family_files, NOREN_KEYS),
    "tradesmart": (noren_row, rules.noren, family_files, NOREN_KEYS),
}


def test_the_examples_of_openalgos_page():
    """The other reading itself says what the page, and a database of OpenAlgo's, have."""
    for symbol, underlying, expiry, kind, strike in [
        ("BANKNIFTY24APR24FUT", "BANKNIFTY", "2024-04-24", "FUT", "0"), ("USDINR10MAY24FUT", "USDINR", "2024-05-10", "FUT", "0"),
        ("726GS203325APR24FUT", "726GS2033", "2024-04-25", "FUT", "0"), ("CRUDEOIL18DEC26FUT", "CRUDEOIL", "2026-12-18", "FUT", "-0.01"),
        ("NIFTY28MAR2420800CE", "NIFTY", "2024-03-28", "CE", "20800"), ("VEDL25APR24292.5CE", "VEDL", "2024-04-25", "CE", "292.50"),
        ("USDINR19APR2482CE", "USDINR", "2024-04-19", "CE", "82.0000"), ("726GS203225APR2497PE", "726GS2032", "2024-04-25", "PE", "97"),
    ]:
        day = datetime.date.fromisoformat(expiry)
        assert rules.contract("X", underlying, day, kind, Decimal(strike), Decimal(0)).symbol == symbol
    assert {rules.TICKERS.get(rules.compact(name), rules.compact(name)) for name in NSE_NAMES} == rules.NSE_DOCUMENTED
    assert {rules.angel_index("BSE", code, "S&P " + name) for code, name in BSE_LONG.items()} == rules.BSE_DOCUMENTED
    assert {rules.noren_index("BSE", name) for name in BSE_LONG.values()} == rules.BSE_DOCUMENTED
    assert all(rules.angel_index("BSE", code, code) == name for code, name in rules.BSE_OF_CODE.items())


@pytest.mark.parametrize("broker", BROKERS)
def test_both_readings_agree(broker, home):
    print("seed", SEED)
    row_of, rule, files_of, (exchange_key, token_key, symbol_key) = BROKERS[broker]
    make = Maker(broker)
    wanted, rows = {}, {}
    number = 0
    while len(rows) < ROWS:
        row = row_of(make, number)
        number += 1
        named = rule(row)
        if make.accepts(named, row[symbol_key]):
            key = (row[exchange_key], row[token_key])
            rows[key], wanted[key] = row, (named, row[symbol_key])
    expected = rules.settled(wanted)
    shuffled = list(rows.values())
    make.random.shuffle(shuffled)  # whose name it is does not depend on the file's order
    paths = []
    for name, content in files_of(broker, shuffled).items():
        path = home.folder / name
        path.write_bytes(content)
        paths.append(str(path))
    folders = [word for folder in home.plugins for word in ("--plugins", str(folder))]
    home.cli("instruments", "import", broker, *paths, *folders)
    with sqlite3.connect(home.folder / "instruments.sqlite") as store:
        stored = store.execute(
            "SELECT broker_exchange, broker_token, exchange, symbol, type, expiry, strike, tick_size, price_exp FROM instruments "
            "WHERE broker = ?", [broker]).fetchall()
    found = {
        (exchange, token): (*name, Decimal(strike).scaleb(exponent), Decimal(tick).scaleb(exponent))
        for exchange, token, *name, strike, tick, exponent in stored}
    # The two indices of each exchange that the family's adapter adds when a file leaves them out.
    added = {key: found.pop(key) for key in list(found) if key not in expected}
    assert all(name[0].endswith("_INDEX") for name in added.values()) and len(added) <= 4, added
    differences = [(rows[key], name, found.get(key)) for key, name in expected.items() if found.get(key) != name]
    assert not differences, f"seed {SEED}: {len(differences)} differ, such as {differences[:5]}"
