"""The pool: connections of simulated brokers are filled, refused with the numbers when full, and replaced alone."""

from __future__ import annotations

from brokers import start_broker, wishes
from host import wait_until
from simulator import Simulator

__all__ = ["start_broker"]


def subscribe_synthetic(client, numbers: range, mode: str = "LTP") -> list[dict]:
    """Subscribes to the simulator's synthetic symbols; their outcomes."""
    return client.request(
        {"action": "subscribe", "mode": mode, "symbols": synthetic(numbers)}, timeout=60)["subscriptions"]


def synthetic(numbers: range) -> list[dict]:
    return wishes(("NSE", f"SIM{number:05d}") for number in numbers)


def test_three_full_connections_and_one_that_dies(start_broker, connect):
    """Kite's 3 x 3,000: filled as the load needs, the next symbol refused with the numbers, a dead one replaced alone."""
    venue, host = start_broker("zerodha", rate=0, instruments=9_100)
    client = connect(host, "alice")
    sizes = lambda: sorted(len(each["subscriptions"].get("ltp", [])) for each in venue.connections())
    for first, expected in ((1, [3_000]), (3_001, [3_000, 3_000]), (6_001, [3_000, 3_000, 3_000])):
        outcomes = subscribe_synthetic(client, range(first, first + 3_000))
        assert {each["status"] for each in outcomes} == {"success"}
        wait_until(lambda: sizes() == expected, f"connections of {expected}", 60)
    (refused,) = subscribe_synthetic(client, range(9_001, 9_002))
    assert refused["code"] == "MAX_CAPACITY_REACHED" and "9,000" in refused["message"].replace("9000", "9,000")
    before = {each["id"]: set(each["subscriptions"]["ltp"]) for each in venue.connections()}
    dead = sorted(before)[1]
    venue.fault("drop", connection=dead)
    wait_until(lambda: sizes() == [3_000, 3_000, 3_000], "the third connection again", 60)
    after = {each["id"]: set(each["subscriptions"]["ltp"]) for each in venue.connections()}
    assert set(before) - set(after) == {dead}, "another connection was touched"
    assert set().union(*after.values()) == set().union(*before.values())
    # Room again when somebody leaves.
    client.request({
        "action": "unsubscribe", "mode": "LTP",
        "symbols": synthetic(range(1, 101))})
    (granted,) = subscribe_synthetic(client, range(9_001, 9_002))
    assert granted["status"] == "success"


def test_three_full_connections_of_pairs_and_one_that_dies(start_broker, connect):
    """Angel One's 3 x 1,000 pairs of token and mode: one with twenty levels has two modes, and counts twice."""
    venue, host = start_broker("angel", rate=0, instruments=3_000)
    client = connect(host, "alice")

    def sizes() -> list[int]:
        return sorted(sum(map(len, each["subscriptions"].values())) for each in venue.connections())

    deep = client.request({
        "action": "subscribe", "mode": "Depth", "depth": 20, "symbols": synthetic(range(1, 51))}, timeout=60)
    assert {each["status"] for each in deep["subscriptions"]} == {"success"}
    for numbers, expected_sizes in (
        (range(51, 951), [1_000]), (range(951, 1_951), [1_000, 1_000]), (range(1_951, 2_951), [1_000, 1_000, 1_000]),
    ):
        assert {each["status"] for each in subscribe_synthetic(client, numbers)} == {"success"}
        wait_until(lambda: sizes() == expected_sizes, f"connections of {expected_sizes}", 60)
    (refused,) = subscribe_synthetic(client, range(2_951, 2_952))
    assert refused["code"] == "MAX_CAPACITY_REACHED"
    assert refused["message"] == (
        "angel: 3 connections of 1,000 (instrument, mode) pairs are full (3,000 subscribed); unsubscribe some first")
    before = {each["id"]: each["subscriptions"] for each in venue.connections()}
    dead = sorted(before)[1]
    venue.fault("drop", connection=dead)
    wait_until(lambda: sizes() == [1_000] * 3, "the third connection again", 60)
    after = {each["id"]: each["subscriptions"] for each in venue.connections()}
    assert set(before) - set(after) == {dead}, "another connection was touched"
    (new,) = set(after) - set(before)
    assert {mode: sorted(keys) for mode, keys in after[new].items()} == {
        mode: sorted(keys) for mode, keys in before[dead].items()}


def test_twenty_levels_cost_two_places_with_angel(start_broker, connect):
    """Depth 20 on NSE comes beside the touchline, and only there."""
    venue, host = start_broker("angel")
    client = connect(host, "alice")
    reply = client.request({
        "action": "subscribe", "mode": "Depth", "depth": 20,
        "symbols": [{"exchange": "NSE", "symbol": "RELIANCE"}, {"exchange": "NFO", "symbol": nfo(venue)}]})
    assert [each["depth"] for each in reply["subscriptions"]] == [20, 5]
    tick = client.tick(match=lambda tick: tick["symbol"] == "RELIANCE" and any(
        level["price"] for level in tick["data"]["depth"]["buy"][5:]))
    assert len(tick["data"]["depth"]["buy"]) == 20 and len(tick["data"]["depth"]["sell"]) == 20
    assert tick["data"]["ltp"] > 0
    future = client.tick(match=lambda tick: tick["exchange"] == "NFO")
    assert len(future["data"]["depth"]["buy"]) == 5
    keys = venue.subscribed()
    assert "1|2885" in keys["snapquote"] and [key for mode, all_of in keys.items() if "20" in mode for key in all_of] == [
        "1|2885"]


def nfo(venue: Simulator) -> str:
    return next(symbol for (exchange, symbol), row in venue.instruments().items() if exchange == "NFO" and row["key"])
