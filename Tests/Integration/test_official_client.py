"""OpenAlgo's own Python client, unmodified, against the simulator."""

from __future__ import annotations

import threading

import pytest
from openalgo import api

from host import wait_until

INSTRUMENTS = [{"exchange": "NSE", "symbol": "RELIANCE"}, {"exchange": "NSE_INDEX", "symbol": "NIFTY"}]
NAMES = {("NSE", "RELIANCE"), ("NSE_INDEX", "NIFTY")}


class Inbox:
    """Takes callbacks from the client's thread."""

    def __init__(self):
        self.ticks: list[dict] = []
        self.lock = threading.Lock()

    def __call__(self, tick: dict) -> None:
        with self.lock:
            self.ticks.append(tick)

    def names(self) -> set[tuple[str, str]]:
        with self.lock:
            return {(tick["exchange"], tick["symbol"]) for tick in self.ticks}

    # No `__len__`: the client takes a callback that is empty, hence false, for none at all.
    @property
    def count(self) -> int:
        return len(self.ticks)


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host(settings={"simulator.rate": 100, "simulator.seed": 9})


@pytest.fixture
def client(host):
    client = api(api_key=host.keys["alice"], host="http://127.0.0.1:5000", ws_url=host.url)
    assert client.connect() is True
    yield client
    client.disconnect()


def full(inbox: Inbox) -> bool:
    return inbox.count >= 40 and inbox.names() == NAMES


def test_a_wrong_key_does_not_connect(host):
    client = api(api_key="0" * 64, host="http://127.0.0.1:5000", ws_url=host.url)
    try:
        assert client.connect() is False
    finally:
        client.disconnect()


def test_ltp(client):
    inbox = Inbox()
    assert client.subscribe_ltp(INSTRUMENTS, on_data_received=inbox) is True
    wait_until(lambda: full(inbox), "LTP ticks of both instruments")
    for tick in list(inbox.ticks):
        assert (tick["type"], tick["mode"]) == ("market_data", 1)
        assert tick["data"]["ltp"] > 0
        assert isinstance(tick["data"]["timestamp"], int) and isinstance(tick["data"]["ltt"], int)
    stored = client.get_ltp()["ltp"]
    assert stored["NSE"]["RELIANCE"]["ltp"] > 0 and stored["NSE_INDEX"]["NIFTY"]["ltp"] > 0


def test_quotes(client):
    inbox = Inbox()
    assert client.subscribe_quote(INSTRUMENTS, on_data_received=inbox) is True
    wait_until(lambda: full(inbox), "quotes of both instruments")
    for tick in list(inbox.ticks):
        data = tick["data"]
        assert tick["mode"] == 2
        assert 0 < data["low"] <= data["ltp"] <= data["high"] and data["close"] > 0
        assert data["change"] == pytest.approx(data["ltp"] - data["close"], abs=1e-6)
        if tick["exchange"] == "NSE":
            # These two the client finds only under the names that it knows.
            assert data["avg_trade_price"] > 0 and data["volume"] > 0
    assert any(tick["data"]["last_trade_quantity"] > 0 for tick in inbox.ticks)
    assert client.get_quotes(exchange="NSE", symbol="RELIANCE")["quote"]["NSE"]["RELIANCE"]["ltp"] > 0


def test_depth(client):
    inbox = Inbox()
    assert client.subscribe_depth(INSTRUMENTS[:1], on_data_received=inbox) is True
    wait_until(lambda: inbox.count >= 20, "depth ticks")
    for tick in list(inbox.ticks):
        assert tick["mode"] == 3 and tick["data"]["ltp"] > 0
        buy, sell = tick["data"]["depth"]["buy"], tick["data"]["depth"]["sell"]
        assert len(buy) == len(sell) == 5
        assert buy[0]["price"] < sell[0]["price"]
        assert all(set(level) == {"price", "quantity", "orders"} for level in buy + sell)
    book = client.get_depth()["depth"]["NSE"]["RELIANCE"]
    assert book["buyBook"]["1"]["qty"] > 0 and book["sellBook"]["5"]["price"] > 0


def test_unsubscribing_ends_the_ticks(client):
    ltp, quotes, depth = Inbox(), Inbox(), Inbox()
    one = INSTRUMENTS[:1]
    client.subscribe_ltp(one, on_data_received=ltp)
    client.subscribe_quote(one, on_data_received=quotes)
    client.subscribe_depth(one, on_data_received=depth)
    wait_until(lambda: ltp.count > 5 and quotes.count > 5 and depth.count > 5, "ticks in all modes")
    assert client.unsubscribe_ltp(one) is True
    assert client.unsubscribe_quote(one) is True
    # The client does not wait for answers, but the host answers in order: when depth has moved on for a while after
    # another request, those are done.
    before = depth.count
    wait_until(lambda: depth.count > before + 20, "depth ticks")
    counts = ltp.count, quotes.count
    wait_until(lambda: depth.count > before + 60, "more depth ticks")
    assert (ltp.count, quotes.count) == counts
    assert client.unsubscribe_depth(one) is True


def test_disconnecting_and_coming_back(host):
    client = api(api_key=host.keys["alice"], host="http://127.0.0.1:5000", ws_url=host.url)
    for _ in range(2):
        assert client.connect() is True
        inbox = Inbox()
        client.subscribe_ltp(INSTRUMENTS[:1], on_data_received=inbox)
        wait_until(lambda: inbox.count > 3, "ticks")
        client.disconnect()
        assert client.connected is False
