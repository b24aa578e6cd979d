"""What one address, one user and one client may have. The defaults are in no test's way; here they are small."""

from __future__ import annotations

import contextlib
import json
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed

from client import Client, symbols
from host import wait_until
from raw import RawSocket

WRONG = {"action": "authenticate", "api_key": "0" * 64}


def behind_proxy(**limits):
    """Addresses are those that `X-Forwarded-For` says."""
    return {"FEEDHOST_TRUSTED_PROXIES": "127.0.0.1"} | {f"FEEDHOST_MAX_{name.upper()}": n for name, n in limits.items()}


def status(host, **headers) -> str:
    with RawSocket(host.url) as raw:
        return raw.handshake(headers={name.replace("_", "-"): value for name, value in headers.items()})[0]


def test_connections_of_an_address(start_host):
    host = start_host(env={"FEEDHOST_MAX_CONNECTIONS_PER_ADDRESS": 3})
    with Client(host.url, host.keys["alice"]), Client(host.url, host.keys["alice"]):
        with Client(host.url) as third:
            assert status(host).startswith("HTTP/1.1 429 ")
            third.round_trip()
        wait_until(lambda: status(host).startswith("HTTP/1.1 101 "), "room again")


def test_forwarded_addresses_count_only_from_trusted_proxies(start_host):
    trusting = start_host(env=behind_proxy(connections_per_address=1))
    with Client(trusting.url, additional_headers={"X-Forwarded-For": "203.0.113.9, 192.0.2.1"}):
        assert status(trusting, X_Forwarded_For="192.0.2.1").startswith("HTTP/1.1 429 ")
        assert status(trusting, X_Forwarded_For="203.0.113.9").startswith("HTTP/1.1 101 ")
    wary = start_host(env={"FEEDHOST_MAX_CONNECTIONS_PER_ADDRESS": 1})
    with Client(wary.url, additional_headers={"X-Forwarded-For": "192.0.2.1"}):
        assert status(wary, X_Forwarded_For="192.0.2.2").startswith("HTTP/1.1 429 ")


def test_sockets_that_say_nothing_do_not_keep_others_out(start_host):
    host = start_host(env={"FEEDHOST_MAX_UNAUTHENTICATED_PER_ADDRESS": 5})
    silent = [RawSocket(host.url) for _ in range(5)]
    try:
        wait_until(lambda: status(host).startswith("HTTP/1.1 429 "), "a refusal")
    finally:
        for raw in silent:
            raw.close()
    # All of them have gone: there is room for as many again.
    with Client(host.url, host.keys["alice"]) as client:
        client.round_trip()


def test_connections_of_a_user(start_host):
    host = start_host({"alice": "simulator", "bob": "simulator"}, env={"FEEDHOST_MAX_CONNECTIONS_PER_USER": 1})
    with Client(host.url, host.keys["alice"]) as first:
        with Client(host.url) as second:
            reply = second.request({"action": "authenticate", "api_key": host.keys["alice"]})
            assert reply["code"] == "RATE_LIMITED"
            assert second.closed() == (4429, "too many connections of this user")
        with Client(host.url, host.keys["bob"]) as other:
            other.subscribe("NSE:RELIANCE")
        first.round_trip()


def test_requests_of_a_client(start_host):
    host = start_host(env={"FEEDHOST_MAX_REQUESTS": 5})
    with Client(host.url, host.keys["alice"]) as greedy, Client(host.url, host.keys["alice"]) as other:
        replies = []
        for number in range(60):
            replies.append(greedy.request({"action": "ping", "request_id": number}))
        limited = [reply for reply in replies if reply.get("code") == "RATE_LIMITED"]
        assert limited and all("try again in 1 second" in reply["message"] for reply in limited)
        assert [reply["request_id"] for reply in replies] == list(range(60))
        other.round_trip()
        # Who waits is served again; who never does is sent away.
        wait_until(lambda: greedy.request({"action": "ping"}).get("type") == "pong", "a token", interval=0.5)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                greedy.send({"action": "ping"})
        assert greedy.closed() == (4429, "too many requests")
        other.round_trip()


def outcomes(reply) -> list[str | None]:
    assert reply["type"] == "subscribe"
    return [entry.get("code") for entry in reply["subscriptions"]]


def test_subscriptions_of_a_client(start_host):
    """Ten may come at once; the entries after them are refused, and one more for each second that the test takes."""
    host = start_host(env={"FEEDHOST_MAX_SUBSCRIPTIONS": 1})
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE", "NSE:INFY", "NSE:TCS", "NSE:SBIN")
        names = [f"NSE:SYM{number}" for number in range(100)]
        reply = client.request({"action": "subscribe", "symbols": symbols(*names)})
        codes = outcomes(reply)
        taken = codes.index("RATE_LIMITED")
        assert 6 <= taken < 90 and set(codes[taken:]) == {"RATE_LIMITED"} and "RATE_LIMITED" not in codes[:taken]
        assert reply["status"] == "partial"
        assert reply["subscriptions"][taken]["message"].startswith(
            f"More than 1 instruments a second on this connection ({taken} of these 100 were in time); try again in 10 s")
        client.tick()


def test_instruments_of_a_client(start_host):
    host = start_host(env={"FEEDHOST_MAX_INSTRUMENTS": 3})
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        reply = client.request({"action": "subscribe", "symbols": symbols("NSE:RELIANCE", "NSE:INFY", "NSE:TCS", "NSE:SBIN")})
        assert outcomes(reply) == [None, None, None, "MAX_CAPACITY_REACHED"] and reply["status"] == "partial"
        assert reply["subscriptions"][3]["message"] == (
            "One client may hold 3 instruments (1 held, 2 more in this request); unsubscribe some first")
        seen = {client.tick()["symbol"] for _ in range(12)}
        assert {"INFY", "TCS"} <= seen and "SBIN" not in seen
        client.request({"action": "unsubscribe", "symbols": symbols("NSE:TCS")})
        client.subscribe("NSE:SBIN")


@pytest.mark.parametrize("rules, page, expected", [
    ("https://trade.example.com, *.example.org", "https://trade.example.com", 101),
    ("https://trade.example.com, *.example.org", "https://a.example.org", 101),
    ("https://trade.example.com, *.example.org", "http://trade.example.com", 403),
    ("same-host", "http://127.0.0.1:5000", 101), ("same-host", "http://localhost:5000", 403),
    ("", "https://anywhere.example", 101),
])
def test_pages(start_host, rules, page, expected):
    host = start_host(env={"FEEDHOST_ORIGINS": rules} if rules else {})
    assert status(host, Origin=page).startswith(f"HTTP/1.1 {expected} ")
    assert status(host).startswith("HTTP/1.1 101 ")


def test_an_attacker_is_slowed_and_nobody_else_is(start_host):
    host = start_host(
        {"alice": "simulator", "bob": "simulator"}, settings={"simulator.rate": 20},
        env=behind_proxy(failed_authentications=20) | {"WS_PROXY_STATS_FILE": "stats.json"})
    attacker = {"additional_headers": {"X-Forwarded-For": "192.0.2.66"}}
    stop = threading.Event()
    outcomes: dict[str, int] = {}

    def attack():
        while not stop.is_set():
            try:
                with Client(host.url, **attacker) as client:
                    while not stop.is_set():
                        code = client.request(WRONG, timeout=30)["code"]
                        outcomes[code] = outcomes.get(code, 0) + 1
            except Exception:
                # Cut off, having found no key in time.
                time.sleep(0.05)

    with Client(host.url, host.keys["alice"]) as alice:
        alice.subscribe("NSE:RELIANCE")
        threads = [threading.Thread(target=attack) for _ in range(10)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: outcomes.get("RATE_LIMITED", 0) >= 10, "the attacker to be slowed")
            assert len(alice.ticks(40)) == 40
            begin = time.monotonic()
            with Client(host.url, host.keys["bob"], additional_headers={"X-Forwarded-For": "192.0.2.7"}) as bob:
                bob.round_trip()
            # Known to be right: also behind the attacker's own address.
            with Client(host.url, host.keys["alice"], **attacker) as again:
                again.round_trip()
            assert time.monotonic() - begin < 5
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
    # 20 at once, then one each 3, 6, 12 … seconds.
    assert outcomes["AUTHENTICATION_ERROR"] <= 25, outcomes
    stats = host.folder / "stats.json"

    def limited() -> int:
        return json.loads(stats.read_text())["counters"].get("proxy_limited_authentications", 0)

    wait_until(lambda: stats.exists() and limited() >= 10, "the counter in the stats file")
    assert host.keys["alice"] not in host.stderr and WRONG["api_key"] not in host.stderr
