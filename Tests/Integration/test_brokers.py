"""Each broker end to end: a simulated broker, the bundled adapter, the host, and OpenAlgo's own Python client.

LTP, Quote, Depth and orders on cash, index, derivative, currency and commodity: what arrives is what was sent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from brokers import ALL_NAMES, NAMES, chosen, price, start_broker, wishes
from host import DEADLINE, wait_until
from openalgo import api

__all__ = ["start_broker"]


class Inbox:
    """The newest tick of each instrument and how many came, as the official client hands them over."""

    def __init__(self):
        self.lock = threading.Lock()
        self.newest: dict[tuple[str, str], dict] = {}
        self.counts: dict[tuple[str, str], int] = {}

    def __call__(self, tick: dict) -> None:
        name = (tick["exchange"], tick["symbol"])
        with self.lock:
            self.newest[name] = tick["data"]
            self.counts[name] = self.counts.get(name, 0) + 1

    def has(self, names, count: int = 3) -> bool:
        with self.lock:
            return all(self.counts.get(name, 0) >= count for name in names)


def expected(name: str, exchange: str, mode: str, row: dict) -> dict:
    """What a client is told of an instrument in a mode, beyond the book: all that this broker's wire carries."""
    family = name not in ("zerodha", "angel")
    told = {"ltp": price(row, "ltp")}
    # Angel One's clock has milliseconds, the others' have seconds; Kite's comes with whole packets only.
    if name == "angel":
        told["exchange_timestamp"] = row["exchange_time"]
    elif family or mode == "Depth":
        told["exchange_timestamp"] = row["exchange_time"] // 1_000 * 1_000
    if mode == "LTP":
        return told
    told |= {field: price(row, field) for field in ("open", "high", "low", "close")}
    if exchange == "NSE_INDEX":
        return told
    told |= {"volume": row["volume"], "average_price": price(row, "atp")}
    # The family's touchline has neither of these.
    if mode == "Depth" or not family:
        told |= {
            "last_quantity": row["ltq"], "total_buy_quantity": row["tbq"], "total_sell_quantity": row["tsq"]}
    if exchange != "NSE" and (mode == "Depth" or family):
        told["oi"] = row["oi"]
        told |= {"oi_previous": row["oi_previous"]} if family else {}
    if mode == "Depth":
        told["ltt"] = row["last_trade_time"] // 1_000 * 1_000
    if mode == "Depth" and name == "zerodha" and exchange != "NSE":
        told |= {"oi_high": row["oi_high"], "oi_low": row["oi_low"]}
    if mode == "Depth" and name != "zerodha":
        told |= {
            field: price(row, field) for field in ("upper_circuit", "lower_circuit", "52_week_high", "52_week_low")}
    return told


#: Of an `order_update`, in every state: what OpenAlgo always sends.
ORDER_KEYS = {
    "type", "user_id", "mode", "broker", "orderid", "symbol", "exchange", "action", "quantity", "price", "trigger_price",
    "pricetype", "product", "order_status", "filled_quantity", "pending_quantity", "average_price", "rejection_reason",
}


def trade(venue, names) -> None:
    """One trade of each, at another price, a second before it is told: a clock that goes on is no news by itself."""
    rows = venue.instruments()
    now = int(time.time() * 1_000)
    for exchange, symbol in names:
        row = rows[exchange, symbol]
        field = next(each for each in ("open", "high", "low", "close") if row[each] != row["ltp"])
        traded = {} if exchange == "NSE_INDEX" else {"last_trade_time": now - 1_000}
        venue.fault(
            "tick", instrument=f"{exchange}:{symbol}", ltp=price(row, field), exchange_time=now, **traded)


def book(row: dict) -> dict[str, list[dict]]:
    """Both sides as clients get them: five levels, of which those that are not there are zeros."""
    empty = {"price": 0, "quantity": 0, "orders": 0}
    sides = {}
    for side, levels in (("buy", "bids"), ("sell", "asks")):
        there = [
            {"price": level[0] / 10 ** -row["price_exponent"], "quantity": level[1], "orders": level[2]}
            for level in row[levels][:5]]
        sides[side] = there + [empty] * (5 - len(there))
    return sides


def differences(row: dict, exchange: str, ltp: dict, quote: dict, depth: dict) -> list[tuple]:
    """Where the newest values of the official client are not those that the simulator has sent last."""
    compared = [("ltp", each["ltp"], price(row, "ltp")) for each in (ltp, quote, depth)]
    compared += [(field, quote[field], price(row, field)) for field in ("open", "high", "low", "close")]
    if exchange == "NSE_INDEX":
        prices = [level["price"] for side in depth.get("depth", {}).values() for level in side]
        compared.append(("depth", any(prices), False))
    else:
        compared += [
            ("volume", quote["volume"], row["volume"]), ("average", quote["avg_trade_price"], price(row, "atp")),
            ("depth", depth["depth"], book(row))]
    return [each for each in compared if each[1] != each[2]]


@pytest.mark.parametrize("name", ALL_NAMES)
def test_every_mode_of_every_kind_of_instrument(name, start_broker, connect):
    """LTP, Quote and Depth of all kinds through OpenAlgo's client: it ends with what the simulated market ends with."""
    venue, host = start_broker(name)
    names = list(chosen(venue))
    assert [exchange for exchange, _ in names] == ["NSE", "NSE_INDEX", "NFO", "CDS", "MCX"]
    given = wishes(names)
    client = api(api_key=host.keys["alice"], host="http://127.0.0.1:5000", ws_url=host.url)
    assert client.connect() is True
    try:
        inboxes = {"ltp": Inbox(), "quote": Inbox(), "depth": Inbox()}
        client.subscribe_ltp(given, on_data_received=inboxes["ltp"])
        client.subscribe_quote(given, on_data_received=inboxes["quote"])
        client.subscribe_depth(given, on_data_received=inboxes["depth"])
        for inbox in inboxes.values():
            wait_until(lambda inbox=inbox: inbox.has(names), "ticks of every instrument")
        venue.fault("pause")
        venue.fault("emit")
        rows = venue.instruments()
        faults: list = []

        def agrees() -> bool:
            faults[:] = [
                (each, *fault) for each in names for fault in differences(rows[each], each[0], *(
                    inboxes[mode].newest[each] for mode in ("ltp", "quote", "depth")))]
            return not faults

        try:
            wait_until(agrees, "the last values")
        except AssertionError:
            raise AssertionError(f"instrument, field, what came, what was sent: {faults}") from None
    finally:
        client.disconnect()


@pytest.mark.parametrize("mode", ["LTP", "Quote", "Depth"])
@pytest.mark.parametrize("name", ALL_NAMES)
def test_every_field_of_every_kind_of_instrument(name, mode, start_broker, connect):
    """What the official client does not hand on: each field that the wire carries, and none that it does not."""
    venue, host = start_broker(name)
    names = list(chosen(venue))
    client = connect(host, "alice")
    reply = client.request({"action": "subscribe", "mode": mode, "symbols": wishes(names)})
    assert {each["status"] for each in reply["subscriptions"]} == {"success"}
    newest: dict[tuple, dict] = {}

    def read(until) -> None:
        deadline = time.monotonic() + DEADLINE
        while not until():
            tick = client.tick(max(0.0, deadline - time.monotonic()))
            newest[(tick["exchange"], tick["symbol"])] = tick["data"]

    read(lambda: len(newest) == len(names))
    venue.fault("pause")
    venue.fault("emit")
    trade(venue, names)
    rows = venue.instruments()
    wanted = {each: expected(name, each[0], mode, rows[each]) for each in names}
    faults: list = []

    def agrees() -> bool:
        faults[:] = [
            (each, field, newest[each].get(field), value) for each in names for field, value in wanted[each].items()
            if newest[each].get(field) != value]
        return not faults

    try:
        read(agrees)
    except TimeoutError:
        raise AssertionError(f"instrument, field, what came, what was sent: {faults}") from None
    for each in names:
        data = newest[each]
        if each[0] == "NSE_INDEX":
            assert not {"volume", "oi", "average_price", "total_buy_quantity"} & set(data), each
        if mode == "Depth" and each[0] != "NSE_INDEX":
            assert data["depth"] == book(rows[each]), each
        else:
            assert not any(level["price"] for side in data.get("depth", {}).values() for level in side), each


@pytest.mark.parametrize("name", ALL_NAMES)
def test_orders_reach_version_2_of_the_client(name, start_broker, tmp_path):
    """The version of OpenAlgo's client that knows order updates, in a process of its own: version 1 is imported here.

    Orders for all kinds of instruments but the index, which cannot be traded.
    """
    beside = Path(os.environ.get("FEEDHOST_OPENALGO2") or Path(sys.prefix) / "openalgo2")
    venue, host = start_broker(name, rate=0)
    rows = {each: row for each, row in chosen(venue).items() if each[0] != "NSE_INDEX"}
    assert [exchange for exchange, _ in rows] == ["NSE", "NFO", "CDS", "MCX"]
    script = Path(__file__).parent / "strangers/orders.py"
    process = subprocess.Popen(
        [sys.executable, str(script), host.url, host.keys["alice"], str(3 * len(rows))], stdout=subprocess.PIPE,
        text=True, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(beside), "HOME": str(tmp_path)}, cwd=tmp_path)
    given = {}
    try:
        assert process.stdout.readline().strip() == "subscribed"
        kind = "orders" if name == "angel" else "market"
        wait_until(lambda: venue.connections(kind), "a connection for orders")
        wait_until(lambda: "order updates started" in host.stderr, "the order stream")
        for number, ((exchange, symbol), row) in enumerate(rows.items()):
            order = {
                "side": ["BUY", "SELL"][number % 2], "type": "LIMIT", "product": ["MIS", "NRML"][number // 2],
                "quantity": 40_000 + number, "price": price(row, "ltp")}
            answer = venue.fault("order", instrument=f"{exchange}:{symbol}", **order)
            given[answer["order_id"]] = order | {"exchange": exchange, "symbol": symbol}
        updates = [json.loads(process.stdout.readline()) for _ in range(3 * len(rows))]
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.stdout.close()
    assert {update["orderid"] for update in updates} == set(given)
    for number, order in given.items():
        mine = [update for update in updates if update["orderid"] == number]
        assert [update["order_status"] for update in mine] == ["open", "open", "complete"]
        for update in mine:
            # Flattrade leaves out the trigger of an order that has none, and the average before the first trade.
            assert set(update) == ORDER_KEYS and update["trigger_price"] == 0 and update["rejection_reason"] == ""
            assert update["type"] == "order_update" and update["user_id"] == "alice" and update["mode"] == "live"
            assert (update["broker"], update["exchange"], update["symbol"]) == (name, order["exchange"], order["symbol"])
            assert (update["action"], update["pricetype"]) == (order["side"], "LIMIT")
            assert (update["product"], update["quantity"]) == (order["product"], order["quantity"])
            assert update["price"] == order["price"]
            assert update["filled_quantity"] + update["pending_quantity"] == update["quantity"]
        filled = [update["filled_quantity"] for update in mine]
        assert filled[0] == 0 < filled[1] < filled[2] == order["quantity"]
        assert mine[-1]["average_price"] == order["price"]


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_symbol_is_refused_alone_with_near_matches(name, start_broker, connect):
    _, host = start_broker(name)
    client = connect(host, "alice")
    reply = client.request({
        "action": "subscribe", "mode": "LTP",
        "symbols": [{"exchange": "NSE", "symbol": "RELIANC"}, {"exchange": "NSE", "symbol": "RELIANCE"}]})
    assert reply["status"] == "partial"
    wrong, right = reply["subscriptions"]
    assert wrong["code"] == "SYMBOL_NOT_FOUND" and "did you mean RELIANCE" in wrong["message"]
    assert right["status"] == "success"
