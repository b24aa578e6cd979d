"""The `binance` adapter against a local stand-in for the venue, seen through OpenAlgo's own client."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest
from openalgo import api
from websockets.exceptions import ConnectionClosed

import capture
from client import assert_unbroken
from host import DEADLINE, wait_until
from venue import Venue, aggregate_trade, book_ticker, partial_book, ticker, trade

SYMBOLS = ["AAAUSDT", "BBBBTC", "CCCETH", "1DDDEUR"]
LTP_STREAMS = ("trade", "aggTrade")
QUOTE_STREAMS = (*LTP_STREAMS, "ticker", "bookTicker")


def streams(symbol: str, *kinds: str) -> list[str]:
    return [f"{symbol.lower()}@{kind}" for kind in kinds]


@pytest.fixture
def venue():
    with Venue() as venue:
        yield venue


@pytest.fixture
def feed(start_host, connect):
    """`feed(venue)`: a host on it, and a client of its user."""
    def start(venue: Venue, **options):
        host = start_host(users={"alice": "binance"}, settings={"binance.endpoint": venue.endpoint}, **options)
        return host, connect(host, "alice")

    return start


# MARK: Captures


class Collector:
    """What OpenAlgo's client calls back with, by symbol."""

    def __init__(self):
        self.ltp, self.quote, self.depth = (defaultdict(list) for _ in range(3))
        self.lock = threading.Lock()

    def on_ltp(self, tick: dict) -> None:
        with self.lock:
            self.ltp[tick["symbol"]].append(tick["data"]["ltp"])

    def on_quote(self, tick: dict) -> None:
        with self.lock:
            self.quote[tick["symbol"]].append((tick["data"]["ltp"], tick["data"]["close"]))

    def on_depth(self, tick: dict) -> None:
        buy, sell = (tick["data"]["depth"][side] for side in ("buy", "sell"))
        with self.lock:
            self.depth[tick["symbol"]].append((
                tick["data"]["ltp"], buy[0]["price"], buy[0]["quantity"], sell[0]["price"], sell[0]["quantity"]))

    def count(self) -> int:
        with self.lock:
            return sum(len(ticks) for kind in (self.ltp, self.quote, self.depth) for ticks in kind.values())


@pytest.mark.parametrize("speed", [1, 100])
def test_a_capture_comes_out_as_it_went_in(venue, start_host, speed):
    """Every trade price and every best bid and ask, in order, each once; nothing of the streams not asked for.

    FEEDHOST_CAPTURE names a real recording to be used instead of the made-up one.
    """
    recording = os.environ.get("FEEDHOST_CAPTURE")
    frames = capture.read(Path(recording).read_text() if recording else capture.make(42, SYMBOLS))
    expected = capture.expected(frames)
    host = start_host(users={"alice": "binance"}, settings={"binance.endpoint": venue.endpoint})
    client = api(api_key=host.keys["alice"], host="http://127.0.0.1:5000", ws_url=host.url)
    assert client.connect()
    got = Collector()
    instruments = [{"exchange": "CRYPTO", "symbol": symbol} for symbol in expected]
    try:
        assert client.subscribe_ltp(instruments, on_data_received=got.on_ltp)
        assert client.subscribe_quote(instruments, on_data_received=got.on_quote)
        assert client.subscribe_depth(instruments, on_data_received=got.on_depth)
        wanted = [name for symbol in expected for name in streams(symbol, *QUOTE_STREAMS, "depth5@100ms")]
        venue.carrying(*wanted).play(frames, speed)
        total = sum(len(one.ltp) + len(one.quote) + len(one.depth) for one in expected.values())
        wait_until(lambda: got.count() >= total, f"{total} ticks, of which {got.count()} came")
    except AssertionError as failure:
        print(failure)
    finally:
        client.disconnect()
    figures = {symbol: (len(one.ltp), len(one.quote), len(one.depth)) for symbol, one in expected.items()}
    print(f"at {speed}x: {len(frames)} frames, {total} ticks expected, {got.count()} came, by symbol {figures}")
    for symbol, one in expected.items():
        assert got.ltp[symbol] == one.ltp
        assert got.quote[symbol] == one.quote
        assert got.depth[symbol] == one.depth
    assert len(venue.connections) == 1


# MARK: Fields


def test_a_trade_is_passed_on_once(venue, feed):
    _, client = feed(venue)
    client.subscribe("CRYPTO:BTCUSDT", mode="LTP")
    connection = venue.carrying(*streams("BTCUSDT", *LTP_STREAMS))
    for number in range(1, 6):
        connection.send("btcusdt@trade", trade("BTCUSDT", number, f"{number}00.5", time_=1_700_000_000_000 + number))
        connection.send("btcusdt@aggTrade", aggregate_trade("BTCUSDT", number, f"{number}00.5"))
    ticks = client.ticks(5)
    assert_unbroken(ticks)
    assert [tick["data"]["ltp"] for tick in ticks] == [100.5, 200.5, 300.5, 400.5, 500.5]
    assert [tick["data"]["ltt"] for tick in ticks] == [1_700_000_000_000 + number for number in range(1, 6)]


def test_the_ticker_fills_in_the_day(venue, feed):
    _, client = feed(venue)
    client.subscribe("CRYPTO:ETHUSDT", mode="Quote")
    connection = venue.carrying(*streams("ETHUSDT", *QUOTE_STREAMS))
    connection.send("ethusdt@ticker", ticker("ETHUSDT", last="105.25000000", previous_close="100.00000000"))
    data = client.tick()["data"]
    # `close` is the previous close; the ticker's own `c` is the last price.
    assert (data["close"], data["ltp"], data["change"], data["change_percent"]) == (100, 105.25, 5.25, 5.25)
    assert (data["open"], data["high"], data["low"], data["volume"]) == (98, 110, 90, 1000)
    assert data["average_price"] == data["avg_trade_price"] == 100.5
    assert (data["bid_price"], data["bid_size"], data["ask_price"], data["ask_size"]) == (99, 1, 101, 2)
    # From the first trade and the first best bid on, those go before the ticker's older copies.
    connection.send("ethusdt@trade", trade("ETHUSDT", 1, "106.00000000"))
    connection.send("ethusdt@bookTicker", book_ticker("ETHUSDT", 1, "104.5", "3.5", "105.5", "4"))
    connection.send("ethusdt@ticker", ticker("ETHUSDT", last="1.00000000", previous_close="50.00000000"))
    data = client.ticks(3)[-1]["data"]
    assert (data["close"], data["ltp"], data["bid_price"], data["bid_size"]) == (50, 106, 104.5, 3.5)


@pytest.mark.parametrize("wish, levels", [(5, 5), (10, 10), (15, 10), (20, 20), (50, 20)])
def test_partial_books(venue, feed, wish, levels):
    _, client = feed(venue)
    reply = client.subscribe("CRYPTO:BTCUSDT", mode="Depth", depth=wish)
    assert reply["subscriptions"][0]["depth"] == levels
    stream = f"btcusdt@depth{levels}@100ms"
    connection = venue.carrying(stream)
    # Depth begins with a book: the best bid and ask alone would look like one of a single level.
    connection.send("btcusdt@bookTicker", book_ticker("BTCUSDT", 1, "10", "1.5", "11", "2"))
    book = partial_book(levels)
    connection.send(stream, book)
    data = client.tick()["data"]
    assert (data["bid_price"], data["bid_size"]) == (10, 1.5)
    depth = data["depth"]
    assert len(depth["buy"]) == len(depth["sell"]) == levels
    for side, name in [("buy", "bids"), ("sell", "asks")]:
        assert [(level["price"], level["quantity"]) for level in depth[side]] == [
            (float(price), float(quantity)) for price, quantity in book[name]]


def test_unknown_symbols_are_refused(venue, feed):
    _, client = feed(venue)
    reply = client.request({"action": "subscribe", "mode": 1, "symbols": [
        {"symbol": "../evil?x=", "exchange": "CRYPTO"}, {"symbol": "BTCUSDT", "exchange": "NSE"},
        {"symbol": "BTCUSDT", "exchange": "CRYPTO"}]})
    assert [entry["status"] for entry in reply["subscriptions"]] == ["error", "error", "success"]
    assert venue.carrying("btcusdt@trade").streams == set(streams("BTCUSDT", *LTP_STREAMS))


# MARK: Trouble


def prices(client, count: int) -> list[float]:
    return [tick["data"]["ltp"] for tick in client.ticks(count)]


def test_garbage_is_counted_and_the_feed_goes_on(venue, feed, tmp_path):
    stats = tmp_path / "stats.json"
    host, client = feed(venue, env={"WS_PROXY_STATS_FILE": stats})
    client.subscribe("CRYPTO:BTCUSDT")
    connection = venue.carrying("btcusdt@trade")
    bad = ["", "{", "[]", "null", '{"stream":"btcusdt@trade"}', '{"stream":"btcusdt@trade","data":{"t":"x"}}',
           '{"stream":"btcusdt@trade","data":{"t":9,"T":1,"p":"-1","q":"1"}}', b"\x00\xff\xfe", "x" * 100_000,
           "[" * 50_000]
    strange = ['{"stream":"btcusdt@kline_1m","data":{}}', '{"stream":"other@trade","data":{}}',
               '{"stream":"btcusdt@depth@100ms","data":{"b":[]}}', '{"error":{"code":2,"msg":"Invalid request"}}']
    for number, frame in enumerate([*bad, *strange], start=1):
        connection.send_text(frame)
        connection.send("btcusdt@trade", trade("BTCUSDT", number, str(number)))
    assert prices(client, len(bad) + len(strange)) == list(range(1, len(bad) + len(strange) + 1))
    assert len(venue.connections) == 1
    assert host.stderr.count("undecodable message") >= 1

    def counted() -> bool:
        # Written every ten seconds, in one step.
        counters = json.loads(stats.read_text())["counters"] if stats.exists() else {}
        found = [counters.get(f"adapter_frames_{kind}_binance") for kind in ("bad", "ignored")]
        return found == [len(bad), len(strange)]

    wait_until(counted, "the counters of bad and ignored frames in the stats file", timeout=30)


def test_a_lost_connection_comes_back_with_all_subscriptions(venue, feed):
    _, client = feed(venue)
    client.subscribe("CRYPTO:BTCUSDT", mode="LTP")
    client.subscribe("CRYPTO:ETHUSDT", mode="Depth", depth=20)
    wanted = streams("BTCUSDT", *LTP_STREAMS) + streams("ETHUSDT", *QUOTE_STREAMS, "depth20@100ms")
    connection = venue.carrying(*wanted)
    for attempt in range(1, 3):
        connection.send("btcusdt@trade", trade("BTCUSDT", attempt, str(attempt)))
        connection.send("ethusdt@bookTicker", book_ticker("ETHUSDT", attempt, f"{attempt}", "1", f"{attempt + 9}", "1"))
        connection.send("ethusdt@depth20@100ms", partial_book(20))
        ticks = client.ticks(2, match=lambda tick: tick["data"].get("bid_price", attempt) == attempt)
        assert {tick["symbol"] for tick in ticks} == {"BTCUSDT", "ETHUSDT"}
        connection.drop()
        connection = venue.carrying(*wanted, above=connection.number)
    connection.send("btcusdt@trade", trade("BTCUSDT", 9, "9"))
    tick = client.tick(match=lambda tick: tick["symbol"] == "BTCUSDT" and tick["data"]["ltp"] == 9)
    assert tick["data"]["ltp"] == 9


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_refusal_is_tried_again(feed, status):
    with Venue(refusals=[status, status]) as venue:
        host, client = feed(venue)
        reply = client.request({"action": "subscribe", "symbol": "BTCUSDT", "exchange": "CRYPTO", "mode": 1})
        assert reply["status"] == "success"
        connection = venue.carrying("btcusdt@trade", timeout=2 * DEADLINE)
        connection.send("btcusdt@trade", trade("BTCUSDT", 1, "7.5"))
        assert prices(client, 1) == [7.5]
        assert len(venue.attempts) == 3
        assert str(status) in host.stderr, "the log does not name the status"


def test_a_venue_that_ignores_subscribe_gets_a_new_connection(feed):
    with Venue(confirms=False) as venue:
        _, client = feed(venue)
        first = venue.carrying()
        client.subscribe("CRYPTO:BTCUSDT", "CRYPTO:ETHUSDT")
        wait_until(lambda: first.requests, "a SUBSCRIBE frame")
        second = venue.carrying("btcusdt@trade", "ethusdt@trade", above=1)
        assert second.asked_in_url >= {"btcusdt@trade", "ethusdt@trade"}
        second.send("btcusdt@trade", trade("BTCUSDT", 1, "1"))
        second.send("ethusdt@trade", trade("ETHUSDT", 1, "2"))
        assert prices(client, 2) == [1, 2]
        wait_until(lambda: not first.is_open, "the end of the first connection")


def test_what_nobody_wants_any_more_is_unsubscribed(venue, feed):
    _, client = feed(venue)
    client.subscribe("CRYPTO:BTCUSDT", "CRYPTO:ETHUSDT")
    connection = venue.carrying("btcusdt@trade", "ethusdt@trade")
    client.unsubscribe("CRYPTO:ETHUSDT")
    wait_until(lambda: "ethusdt@trade" not in connection.streams, "an UNSUBSCRIBE frame")
    assert connection.streams == set(streams("BTCUSDT", *LTP_STREAMS)) and connection.is_open


# MARK: Life


def notice_of(client, code: str) -> dict:
    while (reply := client.reply()).get("code") != code:
        assert reply["type"] == "notice", reply
    return reply


def test_with_nothing_listening_nothing_is_connected(start_host, connect):
    with Venue() as gone:
        endpoint, port = gone.endpoint, gone.port
    host = start_host(users={"alice": "binance"}, settings={"binance.endpoint": endpoint})
    client = connect(host, "alice")
    # Who comes during an outage learns of it right behind the answer.
    notice = notice_of(client, "BROKER_DISCONNECTED")
    assert (notice["broker"], notice["reason"], notice["connections_down"]) == ("binance", "network", 1)
    assert f"could not connect to 127.0.0.1:{port}: connection refused" in notice["message"]
    assert client.request({"action": "get_broker_info"})["adapter_status"] == "connecting"
    reply = client.request({"action": "subscribe", "symbol": "BTCUSDT", "exchange": "CRYPTO", "mode": 1})
    entry = reply["subscriptions"][0]
    assert (entry["status"], entry["pending"]) == ("success", True)
    assert "1006" not in host.stderr
    failures = [line for line in host.stderr.splitlines() if f"127.0.0.1:{port}" in line]
    assert failures and all("connecting again in" in line for line in failures), "one failure is one line"
    with Venue(port=port) as venue:
        connection = venue.carrying("btcusdt@trade", timeout=4 * DEADLINE)
        notice_of(client, "BROKER_CONNECTED")
        connection.send("btcusdt@trade", trade("BTCUSDT", 1, "7.5"))
        assert prices(client, 1) == [7.5]


def test_clients_learn_of_an_outage_and_of_its_end(feed):
    with Venue() as venue:
        _, client = feed(venue)
        client.subscribe("CRYPTO:BTCUSDT")
        connection = venue.carrying("btcusdt@trade")
        venue.refusals += [503, 503, 503]
        began = time.time()
        connection.drop()
        notice = notice_of(client, "BROKER_DISCONNECTED")
        assert time.time() - began < 2
        assert notice["instruments"] == 1 and abs(notice["since"] / 1000 - began) < 2
        notice_of(client, "BROKER_CONNECTED")


def test_pairs_that_do_not_exist_are_refused(start_host, connect):
    with Venue(pairs=["BTCUSDT", "ETHUSDT"]) as venue:
        host = start_host(users={"alice": "binance"}, settings={
            "binance.endpoint": venue.endpoint, "binance.rest_endpoint": venue.rest})
        client = connect(host, "alice")
        began = time.monotonic()
        reply = client.request({"action": "subscribe", "mode": 1, "symbols": [
            {"symbol": symbol, "exchange": "CRYPTO"} for symbol in ["BTCUSDT", "NOPEUSDT", "ETHUSDT"]]})
        assert time.monotonic() - began < 5
        assert [entry.get("code") for entry in reply["subscriptions"]] == [None, "SYMBOL_NOT_FOUND", None]
        connection = venue.carrying("btcusdt@trade", "ethusdt@trade")
        assert not any("nope" in stream for stream in connection.streams)


def test_a_server_that_shuts_down_is_followed_without_a_gap(venue, feed):
    _, client = feed(venue)
    client.subscribe("CRYPTO:BTCUSDT")
    first = venue.carrying("btcusdt@trade")
    first.send("btcusdt@trade", trade("BTCUSDT", 1, "1"))
    first.send_text(json.dumps({"e": "serverShutdown", "E": 1_770_123_456_789}))
    second = venue.carrying("btcusdt@trade", above=first.number)
    # Both send everything, the new one a little later.
    for number in range(2, 20):
        if first.is_open:
            try:
                first.send("btcusdt@trade", trade("BTCUSDT", number, str(number)))
            except ConnectionClosed:
                pass
        second.send("btcusdt@trade", trade("BTCUSDT", number, str(number)))
    assert prices(client, 19) == list(range(1, 20))
    wait_until(lambda: not first.is_open, "the end of the first connection")
    assert second.is_open and len(venue.connections) == 2
