"""What a client gets for its subscriptions: modes, levels, order, last values, and silence once it has left."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

import pytest

from client import assert_unbroken, name_of, symbols


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host(settings={"simulator.rate": 300, "simulator.seed": 5})


@pytest.fixture(scope="module")
def calm_host(start_shared_host):
    """One tick a second."""
    return start_shared_host(settings={"simulator.rate": 1, "simulator.seed": 5})


@pytest.fixture
def client(host, connect):
    return connect(host, "alice")


def topics(ticks) -> set[tuple[str, int]]:
    return {(name_of(tick), tick["mode"]) for tick in ticks}


@pytest.fixture(scope="module")
def common_host(start_shared_host):
    """A hundred ticks a second."""
    return start_shared_host(settings={"simulator.rate": 100, "simulator.seed": 5})


# MARK: Modes and fields


@pytest.mark.parametrize("before", [(), ("LTP",), ("Quote",), ("LTP", "Quote"), ("Depth", "Quote")])
def test_the_first_depth_message_has_a_book(common_host, connect, before):
    """Whatever was subscribed before, Depth begins with a book of the levels that were granted; `Depth` among them is left
    again before it is asked for anew."""
    client = connect(common_host, "alice")
    names = ["NSE:RELIANCE", "NSE:SBIN", "NSE:INFY", "NSE:TCS", "BSE:INFY"]
    for mode in before:
        client.subscribe(*names, mode=mode)
        wanted = {(name, "LTP Quote Depth".split().index(mode) + 1) for name in names}
        while wanted:
            tick = client.tick()
            wanted.discard((name_of(tick), tick["mode"]))
    if "Depth" in before:
        client.unsubscribe(*names, mode=3)
        client.round_trip()
        client.waiting.clear()
    client.subscribe(*names, mode="Depth")
    first: dict[str, dict] = {}
    while len(first) < len(names):
        tick = client.tick(match=lambda tick: tick["mode"] == 3)
        first.setdefault(name_of(tick), tick["data"])
    for name, data in first.items():
        assert {"depth", "bids", "asks", "depth_level"} <= set(data), name
        for side in data["depth"].values():
            assert len(side) == 5 and all(level["price"] > 0 and level["quantity"] > 0 for level in side), (name, side)


@pytest.mark.parametrize("before", [(), ("LTP",), ("Quote",)])
def test_an_index_has_no_levels(common_host, connect, before):
    client = connect(common_host, "alice")
    for mode in before:
        client.subscribe("NSE_INDEX:NIFTY", mode=mode)
    client.subscribe("NSE_INDEX:NIFTY", mode="Depth")
    for tick in client.ticks(5, match=lambda tick: tick["mode"] == 3):
        data = tick["data"]
        assert not {"depth_level", "bid_price", "ask_price"} & set(data) and data["ltp"] > 0
        assert (data["depth"], data["bids"], data["asks"]) == ({"buy": [], "sell": []}, [], [])


def test_ltp_ticks(client):
    client.subscribe("NSE:RELIANCE", mode="LTP")
    for tick in client.ticks(20):
        assert set(tick) == {"type", "symbol", "exchange", "mode", "data", "broker"}
        assert (tick["mode"], tick["broker"], name_of(tick)) == (1, "simulator", "NSE:RELIANCE")
        data = tick["data"]
        assert (data["mode"], name_of(data)) == (1, "NSE:RELIANCE")
        assert data["ltp"] > 0 and isinstance(data["timestamp"], int) and isinstance(data["ltt"], int)
        assert "open" not in data and "depth" not in data


def test_quote_ticks(client):
    client.subscribe("NSE:RELIANCE", mode="Quote")
    for tick in client.ticks(20):
        data = tick["data"]
        assert tick["mode"] == data["mode"] == 2
        assert data["low"] <= data["ltp"] <= data["high"] and data["low"] <= data["open"] <= data["high"]
        assert isinstance(data["volume"], int)
        assert data["last_quantity"] == data["last_trade_quantity"] if "last_quantity" in data else True
        assert data["average_price"] == data["avg_trade_price"]
        assert data["bid_price"] < data["ask_price"] and data["bid_size"] > 0 and data["ask_size"] > 0
        assert data["change"] == pytest.approx(data["ltp"] - data["close"], abs=1e-9)
        assert data["change_percent"] == pytest.approx(data["change"] / data["close"] * 100, abs=0.0051)
        assert "depth" not in data


def test_depth_ticks(client):
    client.subscribe("NSE:RELIANCE", mode="Depth", depth=20)
    for tick in client.ticks(20):
        data = tick["data"]
        assert tick["mode"] == data["mode"] == 3 and data["depth_level"] == 20
        buy, sell = data["depth"]["buy"], data["depth"]["sell"]
        assert (data["bids"], data["asks"]) == (buy, sell)
        assert len(buy) == len(sell) == 20
        assert (buy[0]["price"], sell[0]["price"]) == (data["bid_price"], data["ask_price"])
        for side, sign in [(buy, -1), (sell, 1)]:
            prices = [level["price"] for level in side]
            assert prices == sorted(prices, key=lambda price: sign * price) and len(set(prices)) == 20
            assert all(isinstance(level["quantity"], int) and isinstance(level["orders"], int) for level in side)


def test_derivatives_have_open_interest(client):
    client.subscribe("NFO:NIFTY30DEC25FUT", mode="Quote")
    data = client.tick()["data"]
    assert data["oi"] == data["open_interest"] > 0


def test_several_modes_at_once_are_one_message_for_each(client):
    for mode in ("LTP", "Quote", "Depth"):
        client.subscribe("NSE:INFY", mode=mode)
    ticks = client.ticks(150)
    assert_unbroken(ticks)
    # What the exchange said at one time goes out in every mode, once; at both ends of the list some are cut off.
    moments = defaultdict(Counter)
    for tick in ticks:
        moments[tick["data"]["exchange_timestamp"]][tick["mode"]] += 1
    inner = list(moments.values())[4:-2]
    assert len(inner) > 10
    assert all(set(count) == {1, 2, 3} and len(set(count.values())) == 1 for count in inner)


def test_seq_goes_up_by_one_in_each_topic(client):
    client.subscribe("NSE:TCS", "NSE:SBIN", "NSE_INDEX:NIFTY", mode="LTP")
    client.subscribe("NSE:TCS", "NSE:SBIN", mode="Depth")
    ticks = client.ticks(400)
    assert_unbroken(ticks)
    assert topics(ticks) == {
        ("NSE:TCS", 1), ("NSE:SBIN", 1), ("NSE_INDEX:NIFTY", 1), ("NSE:TCS", 3), ("NSE:SBIN", 3)}


# MARK: Depth levels


@pytest.mark.parametrize("wish, granted", [(5, 5), (7, 5), (20, 20), (25, 20), (30, 30), (50, 30)])
@pytest.mark.parametrize("way", ["depth", "depth_level", "suffix"])
def test_depth_falls_back_to_the_largest_supported_level(client, way, wish, granted):
    symbol = f"HDFCBANK:{wish}" if way == "suffix" else "HDFCBANK"
    reply = client.subscribe(f"NSE:{symbol}", mode="Depth", **({} if way == "suffix" else {way: wish}))
    assert reply["subscriptions"][0]["depth"] == granted
    assert reply["subscriptions"][0]["symbol"] == symbol
    for tick in client.ticks(3):
        assert tick["symbol"] == symbol, "ticks come back under the name that was asked for"
        assert tick["data"]["depth_level"] == granted
        assert len(tick["data"]["depth"]["buy"]) == len(tick["data"]["depth"]["sell"]) == granted


def test_two_levels_of_one_instrument_can_coexist(client):
    client.subscribe("NSE:ICICIBANK", mode="Depth", depth=5)
    client.subscribe("NSE:ICICIBANK:20", mode="Depth")
    ticks = client.ticks(200)
    assert_unbroken(ticks)
    levels = {(tick["symbol"], len(tick["bids"] if "bids" in tick else tick["data"]["bids"])) for tick in ticks}
    assert levels == {("ICICIBANK", 5), ("ICICIBANK:20", 20)}


@pytest.mark.parametrize("mode", ["LTP", "Quote"])
def test_a_level_does_no_harm_in_other_modes(client, mode):
    client.subscribe("NSE:RELIANCE:20", mode=mode)
    tick = client.tick()
    assert tick["symbol"] == tick["data"]["symbol"] == "RELIANCE:20"


# MARK: Order and last values


def test_the_acknowledgement_comes_before_the_ticks(client):
    names = [f"NSE:SYM{number}" for number in range(40)]
    for _ in range(10):
        client.send({"action": "subscribe", "symbols": symbols(*names), "mode": "LTP"})
        assert client.receive()["type"] == "subscribe"
        assert {name_of(tick) for tick in client.ticks(40)} <= set(names)
        client.unsubscribe(*names)
        # Whatever was sent before that reply has been set aside; from now on there is silence.
        client.waiting.clear()
        client.round_trip()
        assert not client.waiting


def test_the_last_value_comes_at_once(calm_host, connect):
    first = connect(calm_host, "alice")
    first.subscribe("NSE:RELIANCE", mode="Quote")
    first.ticks(2)
    # The next tick is a second away. Should it just come now, there are two more chances.
    for attempt in range(3):
        second = connect(calm_host, "alice")
        asked = time.time() * 1000
        second.subscribe("NSE:RELIANCE", mode="Quote")
        value = second.tick()["data"]
        if value["timestamp"] < asked:
            break
    assert value["timestamp"] < asked, "this is no last value but a new one"
    assert value["ltp"] > 0 and value["open"] > 0 and value["close"] > 0


def test_a_first_subscriber_gets_everything_known_at_once(calm_host, connect):
    client = connect(calm_host, "alice")
    client.subscribe("NSE:TCS", mode="Depth")
    data = client.tick()["data"]
    assert {"ltp", "open", "high", "low", "close", "volume", "upper_circuit", "lower_circuit", "depth"} <= set(data)
    assert data["depth"]["buy"][0]["quantity"] > 0


# MARK: Unsubscribing


@pytest.fixture
def holder(client):
    """Holds RELIANCE in all modes, and TCS as proof that ticks still flow."""
    for mode in ("LTP", "Quote", "Depth"):
        client.subscribe("NSE:RELIANCE", mode=mode)
    client.subscribe("NSE:TCS", mode="LTP")
    client.ticks(4)
    return client


def remaining(client) -> set[int]:
    """The modes in which RELIANCE still comes, while 20 ticks of TCS come."""
    client.waiting.clear()
    modes = set()
    count = 0
    while count < 20:
        tick = client.tick()
        if tick["symbol"] == "TCS":
            count += 1
        else:
            modes.add(tick["mode"])
    return modes


@pytest.mark.parametrize("request_, modes", [
    ({"symbols": [{"symbol": "RELIANCE", "exchange": "NSE", "mode": 1}]}, {2, 3}),
    ({"symbols": [{"symbol": "RELIANCE", "exchange": "NSE", "mode": "depth"}]}, {1, 2}),
    # The Node and Rust clients: the mode beside the list counts too.
    ({"symbols": [{"symbol": "RELIANCE", "exchange": "NSE"}], "mode": "LTP"}, {2, 3}),
    ({"symbol": "RELIANCE", "exchange": "NSE", "mode": 3}, {1, 2}),
    # An entry's own mode goes first.
    ({"symbols": [{"symbol": "RELIANCE", "exchange": "NSE", "mode": 3}], "mode": "LTP"}, {1, 2}),
    # React: none at all means all that are held.
    ({"symbols": [{"symbol": "RELIANCE", "exchange": "NSE"}]}, set()),
    ({"symbol": "RELIANCE", "exchange": "NSE"}, set()),
])
def test_which_modes_are_left(holder, request_, modes):
    reply = holder.request({"action": "unsubscribe", "request_id": "u"} | request_)
    entry = {"symbol": "RELIANCE", "exchange": "NSE", "status": "success", "broker": "simulator"}
    assert reply == {
        "type": "unsubscribe", "status": "success", "message": "Unsubscription processing complete",
        "successful": [entry], "failed": [], "broker": "simulator", "request_id": "u"}
    assert remaining(holder) == modes


@pytest.mark.parametrize("request_", [{"action": "unsubscribe_all"}, {"action": "unsubscribe", "unsubscribe_all": True}])
def test_unsubscribe_all(holder, request_):
    reply = holder.request(request_)
    assert (reply["type"], reply["status"], reply["failed"]) == ("unsubscribe", "success", [])
    assert Counter(entry["symbol"] for entry in reply["successful"]) == {"RELIANCE": 3, "TCS": 1}
    holder.waiting.clear()
    holder.round_trip()
    assert not holder.waiting


def test_leaving_what_was_not_held_is_success(client):
    reply = client.unsubscribe("NSE:WIPRO", mode="LTP")
    assert [entry["status"] for entry in reply["successful"]] == ["success"]


def test_nothing_to_unsubscribe_is_an_error(client):
    assert client.request({"action": "unsubscribe", "request_id": "x"}) == {
        "status": "error", "code": "INVALID_PARAMETERS", "message": "Either symbols or unsubscribe_all is required",
        "request_id": "x"}


def test_unsubscribing_with_bad_modes(client):
    wrong = {"symbol": "SBIN", "exchange": "NSE", "mode": 9}
    reply = client.request({"action": "unsubscribe", "symbols": [wrong]})
    assert reply["failed"][0].pop("code") == "INVALID_MODE"
    failed = {
        "symbol": "SBIN", "exchange": "NSE", "status": "error", "broker": "simulator",
        "message": "Invalid mode 9; expected 1 (LTP), 2 (Quote), or 3 (Depth)"}
    assert reply == {
        "type": "unsubscribe", "status": "error", "message": "Unsubscription processing complete",
        "successful": [], "failed": [failed], "broker": "simulator"}
    reply = client.request({"action": "unsubscribe", "symbols": [wrong, {"symbol": "TCS", "exchange": "NSE"}]})
    assert (reply["status"], len(reply["successful"]), len(reply["failed"])) == ("partial", 1, 1)


def test_orders_can_be_subscribed(client):
    assert client.request({"action": "subscribe_orders", "request_id": "o1"}) == {
        "type": "subscribe_orders", "status": "success", "message": "Subscribed to order updates", "request_id": "o1"}
    assert client.request({"action": "unsubscribe_orders", "request_id": "o2"}) == {
        "type": "unsubscribe_orders", "status": "success", "message": "Unsubscribed from order updates",
        "request_id": "o2"}
