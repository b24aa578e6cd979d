"""The client protocol, request by request: every reply equals what OpenAlgo's Python proxy answers, texts included,
but for what Feedhost does better on purpose (`detail`, `code` of an entry, `request_id` in errors)."""

from __future__ import annotations

import time

import pytest

from client import Client
from publisher import Publisher

BROKER = "dhan"
COMPLETE = "Subscription processing complete"
UNCOMPLETE = "Unsubscription processing complete"


@pytest.fixture(scope="module")
def host(start_shared_host):
    """Alice is on a broker that publishers from outside feed, Bob on the simulator, Eve's broker has no adapter."""
    return start_shared_host(
        users={"alice": BROKER, "bob": "simulator", "eve": "nosuch"},
        settings={"simulator.rate": 20, "simulator.seed": 11}, env={"FEEDHOST_EXTERNAL_AS": BROKER})


@pytest.fixture
def anonymous(host, connect) -> Client:
    return connect(host)


@pytest.fixture
def alice(host, connect) -> Client:
    return connect(host, "alice")


@pytest.fixture
def bob(host, connect) -> Client:
    return connect(host, "bob")


@pytest.fixture
def publisher(host):
    with Publisher(host.ready["bus"]) as publisher:
        yield publisher


def error(code: str, message: str, **more) -> dict:
    return {"status": "error", "code": code, "message": message} | more


def without_detail(reply: dict) -> dict:
    """`detail` is ours: a better sentence beside a text that must stay as it is."""
    return {key: value for key, value in reply.items() if key != "detail"}


def granted(symbol: str, mode: str, depth: int = 5, exchange: str = "NSE", broker: str = BROKER) -> dict:
    return {
        "symbol": symbol, "exchange": exchange, "status": "success", "mode": mode, "depth": depth, "broker": broker}


def subscribed(*entries: dict, status: str = "success", broker: str = BROKER, **more) -> dict:
    return {
        "type": "subscribe", "status": status, "subscriptions": list(entries), "message": COMPLETE,
        "broker": broker} | more


def left(symbol: str, exchange: str = "NSE", broker: str = BROKER) -> dict:
    return {"symbol": symbol, "exchange": exchange, "status": "success", "broker": broker}


def unsubscribed(*successful: dict, failed=(), status: str = "success", broker: str = BROKER, **more) -> dict:
    return {
        "type": "unsubscribe", "status": status, "message": UNCOMPLETE, "successful": list(successful),
        "failed": list(failed), "broker": broker} | more


def market_data(symbol: str, mode: int, data: dict, exchange: str = "NSE") -> dict:
    return {
        "type": "market_data", "symbol": symbol, "exchange": exchange, "mode": mode, "data": data, "broker": BROKER}


# MARK: Before authentication


def test_ping_needs_no_key(anonymous):
    before = int(time.time() * 1000)
    reply = anonymous.request({"action": "ping", "timestamp": 123, "_pingId": "p1"})
    server = reply.pop("server_timestamp")
    assert before <= server <= time.time() * 1000
    assert reply == {"type": "pong", "status": "success", "client_timestamp": 123, "_pingId": "p1"}
    assert set(anonymous.request({"action": "ping"})) == {"type", "status", "server_timestamp"}


def test_supported_brokers_need_no_key(host, anonymous):
    brokers = host.ready["brokers"]
    assert {"simulator", "binance", "external"} <= set(brokers)
    assert anonymous.request({"action": "get_supported_brokers"}) == {
        "type": "supported_brokers", "status": "success", "brokers": brokers, "count": len(brokers)}


@pytest.mark.parametrize("action", [
    "subscribe", "unsubscribe", "unsubscribe_all", "subscribe_orders", "unsubscribe_orders", "get_broker_info"])
def test_anything_else_needs_a_key(anonymous, action):
    reply = anonymous.request({"action": action, "symbol": "SBIN", "exchange": "NSE"})
    assert reply == error("NOT_AUTHENTICATED", "You must authenticate first")


@pytest.mark.parametrize("request_, reply", [
    ("{nope", error("INVALID_JSON", "Invalid JSON message")),
    ([1], error("SERVER_ERROR", "'list' object has no attribute 'get'")),
    ({"x": 1}, error("INVALID_ACTION", "Invalid action: None")),
    ({"action": "foo", "request_id": "r"}, error("INVALID_ACTION", "Invalid action: foo", request_id="r")),
    ({"action": "authenticate"}, error("AUTHENTICATION_ERROR", "API key is required")),
    ({"action": "authenticate", "api_key": ""}, error("AUTHENTICATION_ERROR", "API key is required")),
    ({"action": "auth", "apikey": "zzz"}, error("AUTHENTICATION_ERROR", "Invalid API key")),
])
def test_errors_before_authentication(anonymous, request_, reply):
    assert without_detail(anonymous.request(request_)) == reply
    # An error ends nothing.
    assert anonymous.request({"action": "ping"})["type"] == "pong"


def test_user_whose_broker_has_no_adapter(host, anonymous):
    missing = error("BROKER_ERROR", "Broker adapter not found")
    assert anonymous.request({"action": "authenticate", "api_key": host.keys["eve"]}) == missing
    # Who shows a valid key is no stranger any more.
    assert anonymous.request({"action": "subscribe", "symbol": "SBIN", "exchange": "NSE"}) == missing
    assert anonymous.request({"action": "get_broker_info"}) == {
        "type": "broker_info", "status": "success", "broker": "nosuch", "adapter_status": "disconnected",
        "user_id": "eve"}


# MARK: Authentication


@pytest.mark.parametrize("verb", ["action", "type"])
@pytest.mark.parametrize("name", ["authenticate", "auth"])
@pytest.mark.parametrize("member", ["api_key", "apikey"])
def test_authentication_in_all_spellings(host, anonymous, verb, name, member):
    assert anonymous.request({verb: name, member: host.keys["bob"]}) == {
        "type": "auth", "status": "success", "message": "Authentication successful", "broker": "simulator",
        "user_id": "bob", "supported_features": {"ltp": True, "quote": True, "depth": True}}


def test_authentication_of_a_user_fed_from_outside(host, anonymous):
    assert anonymous.request({"type": "auth", "apikey": host.keys["alice"]}) == {
        "type": "auth", "status": "success", "message": "Authentication successful", "broker": BROKER,
        "user_id": "alice", "supported_features": {"ltp": True, "quote": True, "depth": True}}


def test_broker_info(alice):
    assert alice.request({"action": "get_broker_info"}) == {
        "type": "broker_info", "status": "success", "broker": BROKER, "adapter_status": "connected",
        "user_id": "alice"}


# MARK: Subscribing


def test_single_symbol_with_request_id(alice):
    reply = alice.request(
        {"action": "subscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": 1, "request_id": "q1"})
    assert reply == subscribed(granted("RELIANCE", "LTP"), request_id="q1")
    # Once more is no error.
    again = alice.request({"action": "subscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": 1})
    assert again == subscribed(granted("RELIANCE", "LTP"))


def test_one_unknown_symbol_among_several(bob):
    """Entries without symbol or exchange are passed over in silence."""
    reply = bob.request({
        "action": "subscribe", "mode": "quote", "depth": 25,
        "symbols": [
            {"symbol": "SBIN", "exchange": "NSE"}, {"symbol": "BADSYM", "exchange": "NSE"}, {"symbol": "X"}]})
    assert reply["subscriptions"][1].pop("code") == "SYMBOL_NOT_FOUND"
    assert reply == subscribed(
        granted("SBIN", "Quote", 20, broker="simulator"),
        {"symbol": "BADSYM", "exchange": "NSE", "status": "error",
         "message": "Symbol BADSYM not found for exchange NSE", "broker": "simulator"},
        status="partial", broker="simulator")


def test_no_usable_entry_is_success(alice):
    assert alice.request({"action": "subscribe", "symbols": [{"symbol": "X"}], "mode": 1}) == subscribed()


@pytest.mark.parametrize("mode, label", [
    (1, "LTP"), (2, "Quote"), (3, "Depth"), ("ltp", "LTP"), (" depth ", "Depth"), ("QUOTE", "Quote"), (None, "Quote")])
def test_modes(alice, mode, label):
    request = {"action": "subscribe", "symbols": [{"symbol": "INFY", "exchange": "NSE"}]}
    if mode is not None:
        request["mode"] = mode
    assert alice.request(request) == subscribed(granted("INFY", label))


@pytest.mark.parametrize("mode, message", [
    ("1", "Invalid mode '1'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"),
    (4, "Invalid mode 4; expected 1 (LTP), 2 (Quote), or 3 (Depth)"),
    (0, "Invalid mode 0; expected 1 (LTP), 2 (Quote), or 3 (Depth)"),
    (None, "Mode must be int or str, got NoneType"),
    (True, "Mode must be int or str, got bool"),
    ([1], "Mode must be int or str, got list"),
])
def test_invalid_modes(alice, mode, message):
    reply = alice.request({"action": "subscribe", "symbol": "TCS", "exchange": "NSE", "mode": mode, "request_id": 7})
    assert reply == error("INVALID_MODE", message, request_id=7)


@pytest.mark.parametrize("request_, reply", [
    ({"mode": "ltp", "instruments": [{"exchange": "NSE", "symbol": "TCS"}]},
     error("INVALID_PARAMETERS", "At least one symbol must be specified")),
    ({"symbols": [], "mode": 1}, error("INVALID_PARAMETERS", "At least one symbol must be specified")),
    ({"symbols": ["NSE:TCS"], "mode": 1}, error("SERVER_ERROR", "'str' object has no attribute 'get'")),
])
def test_subscribing_to_nothing_usable(alice, request_, reply):
    assert without_detail(alice.request({"action": "subscribe"} | request_)) == reply


def test_names_are_taken_as_they_are(alice):
    reply = alice.request({"action": "subscribe", "symbol": "reliance", "exchange": "nse", "mode": 1})
    assert reply == subscribed(granted("reliance", "LTP", exchange="nse"))


# MARK: Ticks


def test_payloads_from_outside_are_passed_on_as_they_are(alice, publisher):
    alice.subscribe("NSE:ACC", "NSE_INDEX:NIFTY", "NSEIX_INDEX:GIFTNIFTY", "NSE:M_M")
    data = {"ltp": 1400.5, "ltt": 1, "timestamp": 1760000000000, "nested": {"a": [1, None]}, "text": "ü\"\\"}
    for exchange, symbol in [("NSE", "ACC"), ("NSE_INDEX", "NIFTY"), ("NSEIX_INDEX", "GIFTNIFTY"), ("NSE", "M_M")]:
        publisher.publish(f"{exchange}_{symbol}_LTP", data)
        assert alice.tick() == market_data(symbol, 1, data, exchange)
    # A broker in front is dropped.
    publisher.publish("ZERODHA_NSE_ACC_LTP", {"ltp": 1})
    assert alice.tick() == market_data("ACC", 1, {"ltp": 1})


@pytest.mark.parametrize("mode, number", [("LTP", 1), ("Quote", 2), ("Depth", 3)])
def test_symbols_with_a_level_from_outside(alice, publisher, mode, number):
    """As OpenAlgo's Fyers adapter has them: `TCS:50` is a topic of its own."""
    assert alice.subscribe("NSE:TITAN:50", mode=mode) == subscribed(granted("TITAN:50", mode, 50))
    publisher.publish(f"NSE_TITAN:50_{mode.upper()}", {"ltp": number})
    assert alice.tick(timeout=5) == market_data("TITAN:50", number, {"ltp": number})


def test_higher_modes_stand_in_for_lower_ones_until_those_appear(alice, publisher):
    alice.subscribe("NSE:WIPRO", mode="LTP")
    publisher.publish("NSE_WIPRO_QUOTE", {"ltp": 1, "open": 1})
    assert alice.tick() == market_data("WIPRO", 1, {"ltp": 1, "open": 1})
    publisher.publish("NSE_WIPRO_LTP", {"ltp": 2})
    publisher.publish("NSE_WIPRO_QUOTE", {"ltp": 3, "open": 1})
    publisher.publish("NSE_WIPRO_LTP", {"ltp": 4})
    assert [tick["data"] for tick in alice.ticks(2)] == [{"ltp": 2}, {"ltp": 4}]


def test_lower_modes_never_stand_in_for_higher_ones(alice, publisher):
    alice.subscribe("NSE:SBIN", mode="Quote")
    publisher.publish("NSE_SBIN_LTP", {"ltp": 1})
    publisher.publish("NSE_SBIN_QUOTE", {"ltp": 2})
    assert alice.tick() == market_data("SBIN", 2, {"ltp": 2})


def test_broken_payloads_hold_up_nobody(alice, publisher):
    alice.subscribe("NSE:TCS")
    publisher.publish("NSE_TCS_LTP", b"not JSON {")
    publisher.publish("NSE_TCS_LTP", {"ltp": 5})
    assert alice.tick(timeout=5) == market_data("TCS", 1, {"ltp": 5})
