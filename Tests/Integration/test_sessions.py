"""Sessions and their clients: sharing, leaving, revoked keys, new credentials, slow readers, the end of the host."""

from __future__ import annotations

import json
import signal
import threading
import time

import pytest

from client import assert_unbroken
from host import wait_until
from raw import RawSocket
from venue import Venue, trade

#: What the store's changes may take to be noticed.
NOTICED = 2.0


@pytest.fixture
def host(start_host):
    return start_host(users={"alice": "simulator", "bob": "simulator"}, settings={"simulator.rate": 100})


def by_seq(ticks) -> dict:
    return {tick["data"]["seq"]: tick["data"] for tick in ticks}


# MARK: Sharing


def test_clients_of_one_user_share_a_session(host, connect):
    first, second = connect(host, "alice"), connect(host, "alice")
    first.subscribe("NSE:RELIANCE", mode="Quote")
    second.subscribe("NSE:RELIANCE", mode="Quote")
    one, other = first.ticks(100), second.ticks(100)
    assert_unbroken(one)
    assert_unbroken(other)
    one, other = by_seq(one), by_seq(other)
    common = one.keys() & other.keys()
    assert len(common) > 50 and all(one[seq] == other[seq] for seq in common)


def test_the_first_to_leave_does_not_end_it_for_the_second(host, connect):
    first, second = connect(host, "alice"), connect(host, "alice")
    for client in (first, second):
        client.subscribe("NSE:RELIANCE", "NSE:TCS", mode="LTP")
    before = second.ticks(20)
    first.unsubscribe("NSE:RELIANCE")
    middle = second.ticks(40)
    first.close()
    after = second.ticks(60)
    assert_unbroken(before + middle + after)
    assert {tick["symbol"] for tick in after} == {"RELIANCE", "TCS"}


def test_each_client_has_its_own_mode(host, connect):
    """The highest mode wanted goes to the broker; nobody gets more than they asked for."""
    low, high = connect(host, "alice"), connect(host, "alice")
    low.subscribe("NSE:INFY", mode="LTP")
    high.subscribe("NSE:INFY", mode="Depth")
    depth = high.ticks(30)
    # By now the session runs in Depth mode.
    low.waiting.clear()
    ltp = low.ticks(30)
    assert_unbroken(ltp)
    assert {tick["mode"] for tick in ltp} == {1} and {tick["mode"] for tick in depth} == {3}
    assert not any("open" in tick["data"] or "depth" in tick["data"] for tick in ltp)
    high.close()
    assert_unbroken(ltp + low.ticks(30))


def test_authenticating_again_keeps_the_subscriptions(host, connect):
    client = connect(host, "alice")
    client.subscribe("NSE:INFY")
    before = client.ticks(10)
    client.auth(host.keys["alice"])
    assert_unbroken(before + client.ticks(30))
    # Another user's key takes the place of the first; what was held is left.
    assert client.auth(host.keys["bob"])["user_id"] == "bob"
    client.waiting.clear()
    client.round_trip()
    assert not client.waiting


# MARK: Changes in the store


@pytest.mark.parametrize("way", ["key", "number", "user"])
def test_revoked_keys_end_their_clients(host, connect, way):
    other_key = host.keys["alice"]
    key = host.issue_key("alice")
    victims = [connect(host, "alice") for _ in range(3)]
    friend = connect(host, "bob")
    sibling = connect(host)
    sibling.auth(other_key)
    for client in (*victims, friend, sibling):
        client.subscribe("NSE:RELIANCE")
    number = host.cli("keys", "list", "alice").splitlines()[-1].split()[0]
    started = time.monotonic()
    host.cli("keys", "revoke", *{"key": [key], "number": [number], "user": ["--user", "alice"]}[way])
    revoked = time.monotonic()
    ends = [client.closed() for client in victims]
    took = time.monotonic() - revoked
    assert ends == [(4503, "API key revoked")] * 3
    assert took <= NOTICED, f"{took:.2f} s (the command itself took {revoked - started:.2f} s)"
    if way == "user":
        assert sibling.closed()[0] == 4503
    else:
        assert_unbroken(sibling.ticks(50))
    assert_unbroken(friend.ticks(100))
    refused = connect(host).request({"action": "auth", "api_key": key})
    assert (refused["code"], refused["message"]) == ("AUTHENTICATION_ERROR", "Invalid API key")


def test_new_keys_work_while_the_host_runs(host, connect):
    key = host.add_user("carol", "simulator")
    reply = connect(host).request({"action": "auth", "api_key": key})
    assert (reply["status"], reply["user_id"]) == ("success", "carol")


def test_a_user_moves_to_another_broker(start_host, connect):
    with Venue() as venue:
        host = start_host(
            users={"alice": "simulator", "bob": "simulator"},
            settings={"binance.endpoint": venue.endpoint, "simulator.rate": 100})
        alice, bob = connect(host, "alice"), connect(host, "bob")
        alice.subscribe("NSE:RELIANCE")
        bob.subscribe("NSE:RELIANCE")
        host.cli("users", "move", "alice", "--broker", "binance")
        assert alice.closed(timeout=NOTICED) == (4001, "account changed, reconnect")
        # The same key, the new broker.
        again = connect(host)
        assert again.auth(host.keys["alice"])["broker"] == "binance"
        again.subscribe("CRYPTO:BTCUSDT")
        venue.carrying("btcusdt@trade").send("btcusdt@trade", trade("BTCUSDT", 1, "5"))
        assert again.tick()["data"]["ltp"] == 5
        assert_unbroken(bob.ticks(100))


def test_new_credentials_renew_the_session_under_its_clients(start_host, connect):
    with Venue() as venue:
        host = start_host(users={"alice": "binance"}, settings={"binance.endpoint": venue.endpoint})
        client = connect(host, "alice")
        client.subscribe("CRYPTO:BTCUSDT", mode="LTP")
        first = venue.carrying("btcusdt@trade")
        first.send("btcusdt@trade", trade("BTCUSDT", 1, "1"))
        assert client.tick()["data"]["ltp"] == 1
        host.set_credentials("alice", "binance", api_key="new", api_secret="one")
        second = venue.carrying("btcusdt@trade", above=first.number)
        wait_until(lambda: not first.is_open, "the end of the first connection")
        second.send("btcusdt@trade", trade("BTCUSDT", 2, "2"))
        assert client.tick(match=lambda tick: tick["data"]["ltp"] != 1)["data"]["ltp"] == 2
        client.round_trip()


# MARK: Slow readers


def test_a_client_that_does_not_read_delays_nobody(start_host, connect):
    host = start_host(settings={"simulator.rate": 2000})
    names = [f"NSE:SYM{number}" for number in range(20)]
    with RawSocket(host.url, receive_buffer=4096) as stalled:
        stalled.open().send_json({"action": "auth", "api_key": host.keys["alice"]})
        assert stalled.reply()["status"] == "success"
        stalled.send_json({"action": "subscribe", "mode": 3, "depth": 30, "symbols": [
            {"exchange": "NSE", "symbol": name[4:]} for name in names]})
        assert stalled.reply()["status"] == "success"
        # From here on it reads nothing: some 3 MB a second have nowhere to go.
        healthy = connect(host, "alice")
        healthy.subscribe(*names, mode="LTP")
        ticks = healthy.ticks(8000, timeout=60)
        assert_unbroken(ticks)
        late = max(time_ - tick["data"]["timestamp"] for tick, time_ in [(ticks[-1], time.time() * 1000)])
        assert late < 5000
        # It may come back: what it gets then is new, and whole.
        stalled.send_json({"action": "ping"})
        notice = stalled.reply()
        assert (notice["type"], notice["code"]) == ("notice", "SLOW_CLIENT")
        assert stalled.reply()["type"] == "pong"


# MARK: The end


def test_sigterm_says_goodbye(host, connect):
    clients = [connect(host, user) for user in ("alice", "bob", None)]
    clients[0].subscribe("NSE:RELIANCE", mode="Depth")
    clients[0].ticks(5)
    process, port = host.process, host.port
    ends: list = [None] * len(clients)

    def wait(index: int) -> None:
        ends[index] = clients[index].closed()

    threads = [threading.Thread(target=wait, args=(index,)) for index in range(len(clients))]
    for thread in threads:
        thread.start()
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert ends == [(1001, "server is shutting down")] * 3
    assert process.wait(10) == 0
    assert not host.ready_file.exists()
    with pytest.raises(OSError):
        RawSocket(f"ws://127.0.0.1:{port}")


def test_many_hosts_end_at_once(start_host, connect):
    """Under load the steps of a shutdown meet in every order; none may wait for ever."""
    hosts = [start_host() for _ in range(10)]
    for host in hosts:
        client = connect(host, "alice")
        client.subscribe("NSE:RELIANCE")
        client.close()
    for host in hosts:
        host.process.send_signal(signal.SIGTERM)
    for host in hosts:
        host.stop(timeout=10)


def test_a_dead_hosts_port_can_be_had_again(start_host, connect, tmp_path):
    first = start_host()
    client = connect(first, "alice")
    client.subscribe("NSE:RELIANCE")
    client.tick()
    port = first.port
    first.stop()
    second = start_host(arguments=["--port", str(port)])
    assert second.port == port
    assert json.dumps(second.ready["brokers"]) == json.dumps(first.ready["brokers"])
