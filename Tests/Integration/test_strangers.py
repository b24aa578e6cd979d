"""Both ends checked by strangers: the brokers' official clients connect to our simulators, and what they decode is compared
with what our adapters decode from the same frames, every field, every mode."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from simulator import Simulator
from strangers.decoding import DEPTH, LTP, QUOTE, Comparison, Wish, decode

STRANGERS = Path(__file__).parent / "strangers"
VALUES = 100_000
#: Seconds: of a day, and of India's clocks ahead of UTC.
DAY, INDIA = 86_400, 19_800


def run(script: str, *arguments, given, folder: Path) -> list[dict]:
    """The lines that a stranger has printed."""
    result = subprocess.run(
        [sys.executable, str(STRANGERS / script), *map(str, arguments)], input=json.dumps(given), capture_output=True,
        text=True, timeout=180, env={"PATH": "/usr/bin:/bin", "SCRATCH": str(folder), "HOME": str(folder)}, cwd=folder)
    assert result.returncode == 0, f"{script}: {result.returncode}\n{result.stderr[-2000:]}"
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def simulator(tmp_path):
    started: list[Simulator] = []

    def start(broker: str, **options) -> Simulator:
        started.append(Simulator(broker, tmp_path, **options).start())
        return started[-1]

    yield start
    for each in started:
        each.stop()


def listed(venue: Simulator) -> list[dict]:
    """What this broker has of the market."""
    return [row for row in venue.get("/_sim/instruments") if row["key"]]


@contextmanager
def orders_placed(venue: Simulator, market: list[dict]):
    """Orders of every life, on every kind of instrument that can be traded, one after another until the block ends."""
    rows = [row for row in market if not row["exchange"].endswith("_INDEX")]
    lives = ["complete", "rejected", "cancelled", "modified", "trigger", "amo", "amo_modified", "amo_cancelled"]
    over = threading.Event()

    def place() -> None:
        number = 0
        while not over.wait(0.02):
            row = rows[number * 7 % len(rows)]
            kind = "SL" if lives[number % len(lives)] == "trigger" else "LIMIT"
            limit = row["ltp"] / 10 ** -row["price_exponent"]
            venue.fault(
                "order", instrument=f"{row['exchange']}:{row['symbol']}", life=lives[number % len(lives)], type=kind,
                side=["BUY", "SELL"][number % 2], product=["CNC", "NRML", "MIS"][number % 3], quantity=100 + number,
                price=limit, interval_ms=0, **({"trigger_price": limit} if kind == "SL" else {}))
            number += 1

    thread = threading.Thread(target=place)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def number(value) -> Decimal:
    """A number as brokers write it in an order: none is 0."""
    return Decimal(str(value or 0))


def compare_order(result: Comparison, ours: list[dict], names: dict[str, object], what: str) -> dict:
    """One update, whose values are what the stranger has read: texts as they are, numbers as numbers."""
    result.equal(len(ours), 1, f"{what}: updates of a message")
    update = ours[0] if ours else {}
    one = Decimal(1).scaleb(update.get("price_exp", 0))
    for field, theirs in names.items():
        mine = update.get(field)
        if field in ("price", "trigger", "average"):
            result.equal(number(mine) * one, number(theirs), f"{what} {field}")
        elif field in ("quantity", "filled", "pending"):
            result.equal(number(mine), number(theirs), f"{what} {field}")
        else:
            result.equal(mine, theirs, f"{what} {field}")
    return update


# MARK: Zerodha


class Kite:
    """KiteTicker's names of our values."""

    PLAIN = {
        "last_traded_quantity": "ltq", "volume_traded": "volume", "total_buy_quantity": "total_buy_qty",
        "total_sell_quantity": "total_sell_qty", "oi": "oi", "oi_day_high": "oi_high", "oi_day_low": "oi_low",
    }
    PRICES = {"last_price": "ltp", "average_traded_price": "avg_px"}
    OHLC = {"open": "open", "high": "high", "low": "low", "close": "close"}

    @staticmethod
    def compare(result: Comparison, ours: dict, theirs: dict) -> None:
        divisor = 10 ** -ours["price_exp"]
        name = f"{theirs['instrument_token']} {theirs['mode']}"

        def price(mantissa):
            return None if mantissa is None else mantissa / divisor

        for key, field in Kite.PRICES.items():
            if key in theirs:
                result.equal(price(ours.get(field)), theirs[key], f"{name} {key}")
        for key, field in Kite.PLAIN.items():
            if key in theirs:
                result.equal(ours.get(field), theirs[key], f"{name} {key}")
        for key, field in Kite.OHLC.items():
            if "ohlc" in theirs:
                result.equal(price(ours.get(field)), theirs["ohlc"][key], f"{name} ohlc.{key}")
        for key, field in (("exchange_timestamp", "ts_exchange"), ("last_trade_time", "ts_last_trade")):
            if isinstance(theirs.get(key), int):
                result.equal(ours.get(field), theirs[key] * 10**9, f"{name} {key}")
        for side, levels in (("buy", "bids"), ("sell", "asks")):
            for index, level in enumerate(theirs.get("depth", {}).get(side, [])):
                # Levels that hold nothing end the book: the wire fills it up with zeros.
                mine = ours[levels][index] if index < len(ours[levels]) else [0, 0, 0]
                result.equal(price(mine[0]), level["price"], f"{name} {side}[{index}].price")
                result.equal(mine[1], level["quantity"], f"{name} {side}[{index}].quantity")
                result.equal(mine[2], level["orders"], f"{name} {side}[{index}].orders")


def test_kite_ticker_and_our_adapter_read_the_same(simulator, tmp_path):
    venue = simulator("zerodha", rate=4_000, seed=11)
    market = listed(venue)
    tokens = [int(row["key"]) for row in market]
    # Every third instrument in each mode, so that each segment has all of them.
    modes = {"full": tokens[0::3], "quote": tokens[1::3], "ltp": tokens[2::3]}
    with orders_placed(venue, market):
        lines = run("kite.py", venue.url, venue.api_key, "simtoken", 8_000, given=modes, folder=tmp_path)
    frames = [(bytes.fromhex(line["raw"]), line["ticks"]) for line in lines if "raw" in line]
    mode_of = {token: mode for mode, all_of in modes.items() for token in all_of}
    bits = {"full": DEPTH, "quote": QUOTE, "ltp": LTP}
    wishes = [
        Wish(number + 1, row["exchange"], f"S{number}", bits[mode_of[int(row["key"])]], row["exchange"], row["key"], 5)
        for number, row in enumerate(market)
    ]
    ours = decode(
        "zerodha", "zerodha", wishes, [frame for frame, _ in frames],
        credentials={"api_key": "k", "access_token": "t"})
    result = Comparison()
    seen = set()
    for mine, (_, theirs) in zip(ours, frames, strict=True):
        result.equal(len(mine.ticks), len(theirs), "ticks of a message")
        for tick, other in zip(mine.ticks, theirs):
            seen.add((other["instrument_token"] & 0xFF, other["mode"]))
            result.equal(wishes[tick["tick"] - 1].token, str(other["instrument_token"]), "instrument")
            Kite.compare(result, tick, other)
    result.check(VALUES)
    assert {mode for _, mode in seen} == {"full", "quote", "ltp"}
    assert {segment for segment, _ in seen} >= {1, 2, 3, 4, 5, 6, 7, 9, 12}
    compare_kite_orders([line for line in lines if "order" in line])


def test_where_kite_ticker_is_wrong(simulator, tmp_path):
    """KiteTicker reads every price unsigned. That is right beyond 2³¹, as for silver on NSE at four decimals, and wrong below
    zero, where futures on MCX have been: there the comparison names its defect instead of sharing it."""
    venue = simulator("zerodha", rate=0, seed=11)
    market = {row["exchange"]: row for row in reversed(listed(venue)) if row["symbol"].endswith("FUT")}
    for exchange, price, raw, theirs in (
        ("NCO", 268_500, 2_685_000_000, 268_500.0), ("NCO", 429_496.72, 4_294_967_200, 429_496.72),
        ("MCX", -2_884, -288_400, (2**32 - 288_400) / 100), ("MCX", 21_474_836.47, 2**31 - 1, 21_474_836.47),
    ):
        row = market[exchange]
        venue.fault("tick", instrument=f"{exchange}:{row['symbol']}", ltp=price)
        lines = run(
            "kite.py", venue.url, venue.api_key, "simtoken", 1, given={"ltp": [int(row["key"])]}, folder=tmp_path)
        assert lines[0]["ticks"][0]["last_price"] == theirs
        wish = Wish(1, exchange, "S", LTP, exchange, row["key"])
        ours = decode(
            "zerodha", "zerodha", [wish], [bytes.fromhex(lines[0]["raw"])],
            credentials={"api_key": "k", "access_token": "t"})
        assert ours[0].ticks[0]["ltp"] == raw


def compare_kite_orders(lines: list[dict]) -> None:
    states = {
        "COMPLETE": "complete", "REJECTED": "rejected", "CANCELLED": "cancelled", "TRIGGER PENDING": "trigger pending"}
    ours = decode(
        "zerodha", "zerodha", [], [line["text"] for line in lines], orders=True,
        credentials={"api_key": "k", "access_token": "t"})
    result = Comparison()
    for mine, line in zip(ours, lines, strict=True):
        theirs = line["order"]
        compare_order(result, mine.orders, {
            "order": theirs["order_id"], "status": states.get(theirs["status"].removesuffix(" AMO"), "open"),
            "broker_exchange": theirs["exchange"], "broker_symbol": theirs["tradingsymbol"],
            "broker_token": str(theirs["instrument_token"]), "action": theirs["transaction_type"],
            "price_type": theirs["order_type"], "product": theirs["product"], "quantity": theirs["quantity"],
            "filled": theirs["filled_quantity"], "pending": theirs["pending_quantity"], "price": theirs["price"],
            "trigger": theirs["trigger_price"], "average": theirs["average_price"],
        }, f"order {theirs['order_id']} {theirs['status']}")
    result.check(1_000)
    assert set(states) <= {line["order"]["status"] for line in lines}


# MARK: Angel One


class Angel:
    """SmartWebSocketV2's names of our values; its prices are mantissas too."""

    NAMES = {
        "last_traded_price": "ltp", "last_traded_quantity": "ltq", "average_traded_price": "avg_px",
        "volume_trade_for_the_day": "volume", "total_buy_quantity": "total_buy_qty",
        "total_sell_quantity": "total_sell_qty", "open_price_of_the_day": "open", "high_price_of_the_day": "high",
        "low_price_of_the_day": "low", "closed_price": "close", "open_interest": "oi",
        "upper_circuit_limit": "upper_limit", "lower_circuit_limit": "lower_limit", "52_week_high_price": "year_high",
        "52_week_low_price": "year_low",
    }
    #: Where the wire says 0 for "not known": indices have no average, no circuits and no open interest.
    ABSENT_IS_ZERO = set(NAMES.values()) - {"ltp"}

    @staticmethod
    def compare(result: Comparison, ours: dict, theirs: dict) -> None:
        name = f"{theirs['exchange_type']}|{theirs['token']} mode {theirs['subscription_mode']}"
        for key, field in Angel.NAMES.items():
            if key in theirs:
                mine = ours.get(field, 0 if field in Angel.ABSENT_IS_ZERO else None)
                result.equal(mine, theirs[key], f"{name} {key}")
        # The stranger reads it where the packets with twenty levels have their second time; the simulator's are the same.
        if "exchange_timestamp" in theirs:
            result.equal(ours.get("ts_exchange"), theirs["exchange_timestamp"] * 10**6, f"{name} exchange_timestamp")
        # Indices have none.
        if theirs.get("sequence_number"):
            result.equal(ours.get("sequence"), theirs["sequence_number"], f"{name} sequence_number")
        if theirs.get("last_traded_timestamp"):
            result.equal(ours.get("ts_last_trade"), theirs["last_traded_timestamp"] * 10**9, f"{name} last trade")
        for key, levels in (
            ("best_5_buy_data", "bids"), ("best_5_sell_data", "asks"), ("depth_20_buy_data", "bids"),
            ("depth_20_sell_data", "asks"),
        ):
            for index, level in enumerate(theirs.get(key, [])):
                book = ours[levels]
                mine = book[index] if index < len(book) else [0, 0, 0]
                orders = level.get("no of orders", level.get("num_of_orders"))
                result.equal(mine, [level["price"], level["quantity"], orders], f"{name} {key}[{index}]")
                result.values += 2


def test_smart_websocket_and_our_adapter_read_the_same(simulator, tmp_path):
    venue = simulator("angel", rate=4_000, seed=12)
    market = listed(venue)
    keys = [tuple(row["key"].split("|")) for row in market]
    chosen = {1: keys[0::3], 2: keys[1::3], 3: keys[2::3], 4: [key for key in keys if key[0] == "1"][:20]}
    given = []
    for mode, wanted in chosen.items():
        for exchange in sorted({exchange for exchange, _ in wanted}):
            given.append([mode, int(exchange), [token for each, token in wanted if each == exchange]])
    lines = run(
        "angel.py", venue.url, "simtoken", venue.api_key, venue.user, "simfeed", 6_000, given=given, folder=tmp_path)
    exchanges = {"1": "NSE", "2": "NFO", "3": "BSE", "4": "BFO", "5": "MCX", "7": "NCDEX", "13": "CDS"}
    result = Comparison()
    seen = set()
    # Each mode by itself: an adapter's wish has one mode, and a stranger may hold several for one token.
    for mode, bit, depth in ((1, LTP, 0), (2, QUOTE, 0), (3, DEPTH, 5), (4, DEPTH, 20)):
        frames = [line for line in lines if line["tick"]["subscription_mode"] == mode]
        wishes = [
            Wish(number + 1, exchanges[exchange], f"S{number}", bit, broker_segment(exchange), token, depth)
            for number, (exchange, token) in enumerate(chosen[mode])
        ]
        ours = decode(
            "angel", "angel", wishes, [bytes.fromhex(line["raw"]) for line in frames],
            credentials={"api_key": "k", "access_token": "t", "feed_token": "f", "user_id": "u"})
        for mine, line in zip(ours, frames, strict=True):
            theirs = line["tick"]
            seen.add((theirs["exchange_type"], mode))
            result.equal(len(mine.ticks), 1, f"ticks of a mode {mode} packet")
            for tick in mine.ticks:
                wish = wishes[tick["tick"] - 1]
                result.equal(wish.token, theirs["token"], "token")
                Angel.compare(result, tick, theirs)
    result.check(VALUES)
    assert {mode for _, mode in seen} == {1, 2, 3, 4}
    assert {exchange for exchange, _ in seen} >= {1, 2, 3, 5, 7, 13}


def test_where_smart_websocket_is_wrong(simulator, tmp_path):
    """SmartWebSocketV2 reads prices and quantities of the twenty levels signed. Shares are never below zero, so what it makes
    of numbers beyond 2³¹ is its defect."""
    venue = simulator("angel", rate=0, seed=12)
    row = next(row for row in listed(venue) if (row["exchange"], row["symbol"]) == ("NSE", "INFY"))
    exchange, token = row["key"].split("|")
    venue.fault("tick", instrument="NSE:INFY", bids=[[25_000_000, 3_000_000_000, 7]])
    lines = run(
        "angel.py", venue.url, "simtoken", venue.api_key, venue.user, "simfeed", 1, given=[[4, int(exchange), [token]]],
        folder=tmp_path)
    theirs = lines[0]["tick"]["depth_20_buy_data"][0]
    assert (theirs["price"], theirs["quantity"]) == (2_500_000_000 - 2**32, 3_000_000_000 - 2**32)
    ours = decode(
        "angel", "angel", [Wish(1, "NSE", "S", DEPTH, "NSE", token, 20)], [bytes.fromhex(lines[0]["raw"])],
        credentials={"api_key": "k", "access_token": "t", "feed_token": "f", "user_id": "u"})
    assert ours[0].ticks[0]["bids"][0] == [2_500_000_000, 3_000_000_000, 7]


def broker_segment(exchange_type: str) -> str:
    return {"1": "NSE", "2": "NFO", "3": "BSE", "4": "BFO", "5": "MCX", "7": "NCDEX", "13": "CDS"}[exchange_type]


# MARK: Noren


class Noren:
    """Keys of a Noren message by our values."""

    PRICES = {"lp": "ltp", "ap": "avg_px", "o": "open", "h": "high", "l": "low", "c": "close", "lc": "lower_limit",
              "uc": "upper_limit", "52h": "year_high", "52l": "year_low"}
    COUNTS = {"v": "volume", "oi": "oi", "poi": "oi_prev", "ltq": "ltq", "tbq": "total_buy_qty",
              "tsq": "total_sell_qty"}

    def __init__(self, result: Comparison):
        self.result = result
        self.books: dict[tuple, dict] = {}

    def compare(self, ours: dict, theirs: dict) -> None:
        name = f"{theirs['t']} {theirs['e']}|{theirs['tk']}"
        one = Decimal(1).scaleb(ours["price_exp"])
        for key, field in Noren.PRICES.items():
            if key in theirs:
                self.result.equal(self.price(ours.get(field), one), Decimal(theirs[key]), f"{name} {key}")
        for key, field in Noren.COUNTS.items():
            if key in theirs:
                self.result.equal(ours.get(field), int(theirs[key]), f"{name} {key}")
        if "ft" in theirs:
            self.result.equal(ours.get("ts_exchange"), int(theirs["ft"]) * 10**9, f"{name} ft")
        if "ltt" in theirs:
            self.trade_time(ours.get("ts_last_trade"), theirs["ltt"], f"{name} ltt")
        if theirs["t"][0] == "t":
            self.top(ours, theirs, one, name)
        else:
            self.book(ours, theirs, one, name)

    @staticmethod
    def price(mantissa: int | None, one: Decimal) -> Decimal | None:
        return None if mantissa is None else mantissa * one

    def trade_time(self, mine: int | None, theirs: str, name: str) -> None:
        """The wire has no date: around midnight a trade may have been yesterday, and then ours says nothing."""
        now = (int(time.time()) + INDIA) % DAY
        if mine is None and (now < 900 or now > DAY - 900):
            return
        hours, minutes, seconds = map(int, theirs.split(":"))
        self.result.equal(
            None if mine is None else (mine // 10**9 + INDIA) % DAY, hours * 3600 + minutes * 60 + seconds, name)

    def top(self, ours: dict, theirs: dict, one: Decimal, name: str) -> None:
        for key, field in (("bp1", "bid_px"), ("sp1", "ask_px")):
            if key in theirs and Decimal(theirs[key]) != 0:
                self.result.equal(self.price(ours.get(field), one), Decimal(theirs[key]), f"{name} {key}")
        for key, field in (("bq1", "bid_qty"), ("sq1", "ask_qty")):
            if key in theirs and int(theirs[key]) != 0:
                self.result.equal(ours.get(field), int(theirs[key]), f"{name} {key}")

    def book(self, ours: dict, theirs: dict, one: Decimal, name: str) -> None:
        merged = self.books.setdefault((theirs["e"], theirs["tk"]), {})
        if theirs["t"] == "dk":
            merged.clear()
        merged |= theirs
        for letter, levels in (("b", "bids"), ("s", "asks")):
            if levels not in ours:
                touched = [key for key in theirs if key[:2] in (letter + "p", letter + "q", letter + "o")]
                self.result.equal(touched, [], f"{name}: {levels} not published")
                continue
            for index in range(5):
                place = str(index + 1)
                theirs_now = [
                    Decimal(merged.get(letter + "p" + place, "0")), int(merged.get(letter + "q" + place, "0")),
                    int(merged.get(letter + "o" + place, "0"))]
                mine = ours[levels][index] if index < len(ours[levels]) else [0, 0, 0]
                self.result.equal([mine[0] * one, mine[1], mine[2]], theirs_now, f"{name} {levels}[{index}]")
                self.result.values += 2


def test_noren_api_and_our_adapter_read_the_same(simulator, tmp_path):
    venue = simulator("flattrade", option="generation=old", rate=4_000, seed=13)
    market = listed(venue)
    scrips = [row["key"] for row in market]
    given = {"t": scrips[0::2], "d": scrips[1::2]}
    with orders_placed(venue, market):
        lines = run("noren.py", venue.url, venue.user, "simtoken", 20_000, given=given, folder=tmp_path)
    frames = [line for line in lines if "raw" in line]
    wishes = []
    for number, row in enumerate(market):
        exchange, token = row["key"].split("|")
        mode = QUOTE if row["key"] in given["t"] else DEPTH
        wishes.append(Wish(number + 1, row["exchange"], f"S{number}", mode, exchange, token, 5 if mode == DEPTH else 0))
    ours = decode(
        "flattrade", "flattrade", wishes, [line["raw"] for line in frames],
        credentials={"user_id": "SIM001", "access_token": "t", "api_key": "k"},
        first=['{"t":"ak","uid":"SIM001","s":"OK"}'])
    result = Comparison()
    reader = Noren(result)
    kinds = set()
    for mine, line in zip(ours, frames, strict=True):
        theirs = line["tick"]
        kinds.add(theirs["t"])
        result.equal(len(mine.ticks), 1, f"ticks of {theirs['t']}")
        for tick in mine.ticks:
            wish = wishes[tick["tick"] - 1]
            result.equal(f"{wish.broker_exchange}|{wish.token}", f"{theirs['e']}|{theirs['tk']}", "scrip")
            reader.compare(tick, theirs)
    result.check(VALUES)
    assert kinds == {"tk", "tf", "dk", "df"}
    compare_noren_orders([line for line in lines if "order" in line])


def compare_noren_orders(lines: list[dict]) -> None:
    states = {
        "COMPLETE": "complete", "REJECTED": "rejected", "CANCELED": "cancelled", "TRIGGER_PENDING": "trigger pending"}
    words = {
        "B": "BUY", "S": "SELL", "C": "CNC", "M": "NRML", "I": "MIS", "LMT": "LIMIT", "MKT": "MARKET", "SL-LMT": "SL",
        "SL-MKT": "SL-M"}
    ours = decode(
        "flattrade", "flattrade", [], [line["text"] for line in lines], orders=True,
        credentials={"user_id": "SIM001", "access_token": "t", "api_key": "k"},
        first=['{"t":"ak","uid":"SIM001","s":"OK"}'])
    result = Comparison()
    for mine, line in zip(ours, lines, strict=True):
        theirs = line["order"]
        compare_order(result, mine.orders, {
            "order": theirs["norenordno"], "status": states.get(theirs["status"], "open"),
            "broker_exchange": theirs["exch"], "broker_symbol": theirs["tsym"], "action": words[theirs["trantype"]],
            "price_type": words[theirs["prctyp"]], "product": words[theirs.get("pcode") or theirs["prd"]],
            "quantity": theirs["qty"], "filled": theirs.get("fillshares"), "price": theirs.get("prc"),
            "pending": number(theirs["qty"]) - number(theirs.get("fillshares")), "trigger": theirs.get("trgprc"),
            "average": theirs.get("avgprc"), "reason": theirs.get("rejreason", ""),
        }, f"order {theirs['norenordno']} {theirs['status']}")
    result.check(1_000)
    assert set(states) <= {line["order"]["status"] for line in lines}
