"""What a key permits, users with several brokers, keys that expire, credentials that come and go."""

from __future__ import annotations

import json
import sqlite3
import time

import pytest

from client import Client, symbols
from host import wait_until
from simulator import Simulator

#: What the store's changes may take to be noticed.
NOTICED = 2.0
#: New credentials bring everything back within that time.
RESTORED = 5.0
#: alice's other broker: the bundled adapter of Zerodha on a simulated Kite.
SECOND = "zerodha"
CREDENTIALS = {"api_key": "simkey", "access_token": "simtoken"}


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    venue = Simulator(SECOND, tmp_path_factory.mktemp("venue"), rate=200, seed=5).start()
    yield venue
    venue.stop()


@pytest.fixture(scope="module")
def host(start_shared_host, venue):
    """alice's own broker is the host's simulator; she has one more."""
    settings = {f"{SECOND}.endpoint": venue.url, f"{SECOND}.master_endpoint": venue.endpoints["masters"][0],
                "simulator.rate": 50}

    def prepare(host):
        host.set_credentials("alice", SECOND, **CREDENTIALS)
        # Before the start, so that the host knows what they permitted when that changes.
        issue(host, "changing")
        issue(host, "short", "--expires", "1d")
        flags = [part for name, value in host.settings.items() for part in ("--set", f"{name}={value}")]
        host.cli("instruments", "sync", SECOND, *flags, "--plugins", host.plugins[0])

    return start_shared_host(
        users={"alice": "simulator", "bob": "simulator"}, settings=settings, before=prepare,
        env={"FEEDHOST_INSTRUMENTS_REFRESH": "never"})


def issue(host, name: str, *options: str) -> str:
    """A key of alice's, kept under a name of its own."""
    host.keys[name] = host.cli("keys", "issue", "alice", *options)
    host.secrets.add(host.keys[name])
    return name


def number_of(host, name: str) -> str:
    """The key's number, by which commands name it."""
    lines = host.cli("keys", "list", "alice").splitlines()
    return next(line.split()[0] for line in lines if f"…{host.keys[name][-4:]}" in line)


def subscribe(client: Client, *names: str, mode="LTP", **more) -> list[dict]:
    reply = client.request({"action": "subscribe", "symbols": symbols(*names), "mode": mode} | more)
    assert reply["type"] == "subscribe", reply
    return reply["subscriptions"]


# MARK: Permissions


def test_what_is_not_permitted_is_refused_entry_by_entry(host, connect):
    name = issue(host, "narrow", "--exchanges", "NSE", "--symbols", "REL*,TCS", "--modes", "ltp,quote")
    client, free = connect(host, name), connect(host, "alice")
    free.subscribe("NSE:SBIN", "NSE:TCS", "NSE:RELIANCE", mode="Quote")
    entries = subscribe(client, "NSE:RELIANCE", "NSE:SBIN", "NSE:TCS:20", "BSE:TCS", "nse:TCS", "NSE:*", "NSE:NOTHING",
                        mode="Quote")
    assert [entry.get("code") for entry in entries] == [None, "NOT_PERMITTED", None] + ["NOT_PERMITTED"] * 4
    assert {entry["message"] for entry in entries if "code" in entry} == {"Not permitted by this API key"}
    assert subscribe(client, "NSE:TCS", mode="Depth")[0]["code"] == "NOT_PERMITTED"
    assert {tick["symbol"] for tick in client.ticks(60)} == {"RELIANCE", "TCS:20"}
    assert "SBIN" in {tick["symbol"] for tick in free.ticks(60)}


def test_a_forbidden_symbol_and_one_that_is_not_there_look_the_same(host, connect):
    client = connect(host, issue(host, "tcs", "--symbols", "TCS"))
    for action in ("subscribe", "unsubscribe"):
        for mode in (1, 2, 3):
            for suffix in ("", ":20"):
                texts = []
                for symbol in ("RELIANCE", "NOTTHERE"):
                    client.send({"action": action, "symbol": symbol + suffix, "exchange": "NSE", "mode": mode})
                    texts.append(json.dumps(client.reply()).replace(symbol, ""))
                assert texts[0] == texts[1]


def test_orders_and_number_of_instruments(host, connect):
    client = connect(host, issue(host, "few", "--max-instruments", "2", "--no-orders"))
    refused = client.request({"action": "subscribe_orders", "request_id": 5})
    assert (refused["code"], refused["request_id"], "type" in refused) == ("NOT_PERMITTED", 5, False)
    entries = subscribe(client, "NSE:TCS", "NSE:SBIN", "NSE:RELIANCE")
    assert [entry.get("code") for entry in entries] == [None, None, "MAX_CAPACITY_REACHED"]
    assert entries[2]["message"] == "This API key permits 2 instruments at a time (0 held, 2 more in this request); unsubscribe some first"
    client.unsubscribe("NSE:TCS")
    assert subscribe(client, "NSE:RELIANCE")[0]["status"] == "success"


def test_permissions_that_change_send_clients_away(host, connect):
    client = connect(host, "changing")
    client.subscribe("NSE:SBIN")
    host.cli("keys", "allow", number_of(host, "changing"), "--symbols", "TCS")
    assert client.closed(NOTICED + 1) == (4001, "account changed, reconnect")
    again = connect(host, "changing")
    assert subscribe(again, "NSE:SBIN")[0]["code"] == "NOT_PERMITTED"


def test_an_expired_key_ends_its_clients(host, connect):
    name = "short"
    # Nearer than the command line allows; clients are sent away to learn of it.
    now = connect(host, name)
    with sqlite3.connect(host.store) as store:
        store.execute("UPDATE api_keys SET expires_at = ? WHERE id = ?",
                      (int(time.time()) + 4, number_of(host, name)))
    store.close()
    assert now.closed(NOTICED + 1)[0] == 4001
    client = connect(host, name)
    client.subscribe("NSE:SBIN")
    assert client.closed() == (4503, "API key expired")
    late = connect(host)
    reply = late.request({"action": "authenticate", "api_key": host.keys[name]})
    assert (reply["code"], reply["message"]) == ("AUTHENTICATION_ERROR", "API key expired")


# MARK: Several brokers


def test_broker_picks_one_of_the_users(host, venue, connect):
    client, bob = connect(host, "alice"), connect(host, "bob")
    client.subscribe("NSE:INFY")
    client.subscribe("NSE:INFY", broker=SECOND)
    seen = {tick["broker"]: tick for tick in client.ticks(80)}
    assert set(seen) == {"simulator", SECOND}
    info = client.request({"action": "get_broker_info", "broker": SECOND})
    assert (info["broker"], info["adapter_status"]) == (SECOND, "connected")
    client.unsubscribe("NSE:INFY", broker=SECOND)
    venue.wait_subscribed({})
    client.waiting.clear()
    assert {tick["broker"] for tick in client.ticks(30)} == {"simulator"}
    # Not one of bob's, and not one at all: there is no difference.
    for broker in (SECOND, "nobody"):
        entry = subscribe(bob, "NSE:INFY", broker=broker)[0]
        assert (entry["code"], entry["broker"]) == ("NOT_PERMITTED", broker)
        assert entry["message"] == f"Broker {broker} is not permitted by this API key"


def test_a_key_for_one_broker(host, connect):
    client = connect(host, issue(host, "one", "--brokers", "simulator"))
    entry = subscribe(client, "NSE:RELIANCE", broker=SECOND)[0]
    assert entry["code"] == "NOT_PERMITTED"
    assert client.request({"action": "get_supported_brokers"})["brokers"] == ["simulator"]
    client.subscribe("NSE:RELIANCE")
    client.ticks(5)


def test_a_further_broker_counts_while_clients_are_connected(host, connect):
    """Credentials at another broker are added: it can be named, where the key permits it, and is the default of who had none."""
    host.add_user("dora", "simulator")
    for name, options in {"here": ["--brokers", "simulator"], "there": ["--brokers", SECOND]}.items():
        host.keys[name] = host.cli("keys", "issue", "dora", *options)
    client, here = connect(host, "dora"), connect(host, "here")
    client.subscribe("NSE:TCS")
    there = connect(host)
    reply = there.request({"action": "authenticate", "api_key": host.keys["there"]})
    assert (reply["code"], reply["message"]) == ("BROKER_ERROR", "This API key permits none of the user's brokers")
    assert subscribe(client, "NSE:INFY", broker=SECOND)[0]["code"] == "NOT_PERMITTED"
    refused = subscribe(here, "NSE:INFY", broker=SECOND)

    host.set_credentials("dora", SECOND, **CREDENTIALS)
    wait_until(lambda: subscribe(client, "NSE:INFY", broker=SECOND)[0]["status"] == "success", "the broker", NOTICED)
    assert client.tick(match=lambda tick: tick["broker"] == SECOND)["symbol"] == "INFY"
    client.tick(match=lambda tick: tick["broker"] == "simulator")
    assert subscribe(here, "NSE:INFY", broker=SECOND) == refused
    ack = there.subscribe("NSE:INFY")
    assert ack["broker"] == SECOND and there.tick()["broker"] == SECOND
    assert there.request({"action": "get_broker_info"})["broker"] == SECOND
    assert subscribe(there, "NSE:TCS", broker="simulator")[0]["code"] == "NOT_PERMITTED"


# MARK: Credentials that come and go


def test_credentials_that_go_stop_that_broker_and_come_back(host, venue, connect):
    client = connect(host, "alice")
    client.subscribe("NSE:INFY", mode="Quote", broker=SECOND)
    client.subscribe("NSE:TCS")
    client.tick(match=lambda tick: tick["broker"] == SECOND)

    host.cli("credentials", "remove", "alice", "--broker", SECOND)
    notice = client.reply()
    assert (notice["type"], notice["code"], notice["broker"]) == ("notice", "BROKER_LOGGED_OUT", SECOND)
    assert "feedhost credentials set alice --broker zerodha" in notice["message"]
    client.waiting.clear()
    # The other one goes on.
    assert {tick["broker"] for tick in client.ticks(30)} == {"simulator"}

    host.set_credentials("alice", SECOND, **CREDENTIALS)
    start = time.monotonic()
    notice = client.reply()
    assert (notice["code"], notice["broker"]) == ("BROKER_CONNECTED", SECOND)
    tick = client.tick(match=lambda tick: tick["broker"] == SECOND)
    assert tick["symbol"] == "INFY" and tick["mode"] == 2
    assert time.monotonic() - start < RESTORED
