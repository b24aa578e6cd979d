"""Order updates and cache invalidation from OpenAlgo's Flask process, and publishers that misbehave."""

from __future__ import annotations

import json
import socket

import pytest
import zmq

from host import DEADLINE, wait_until
from test_external_feed import Publisher, publish, symbol  # noqa: F401 (fixtures)

USERS = {
    "alice": "external", "bob": "simulator", "alice_b": "external", "a_lice": "simulator", "under_score_user": "external",
    "orders": "simulator"}


@pytest.fixture(scope="module")
def host(start_shared_host, tmp_path_factory):
    stats = tmp_path_factory.mktemp("log") / "stats.json"
    host = start_shared_host(USERS, settings={"simulator.rate": 50}, env={"WS_PROXY_STATS_FILE": stats})
    host.stats = stats
    return host


@pytest.fixture
def listeners(host, connect):
    """Every user, listening to orders, on a host that streams; for one that does not, see the test below."""
    connect(host, "alice").subscribe("NSE:SOMETHING")
    clients = {user: connect(host, user) for user in USERS}
    for client in clients.values():
        assert client.request({"action": "subscribe_orders"})["status"] == "success"
    return clients


def update(user: str, number: int) -> dict:
    return {
        "type": "order_update", "user_id": user, "mode": "live", "broker": "upstox", "orderid": str(number),
        "symbol": "NHPC", "exchange": "NSE", "action": "BUY", "quantity": 1, "price": 50.0, "order_status": "open"}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("broker", ["ZERODHA", "ANALYZE", "SIMULATOR", "upstox"])
def test_orders_reach_their_user_alone(listeners, host, publish, user, broker):
    publisher = publish(host)
    publisher.send(f"{broker}_{user}_orders", update(user, 1))
    # The end, for everybody: until then nobody but the user got anything.
    for other in USERS:
        publisher.send(f"ZERODHA_{other}_orders", update(other, 2))
    for other, client in listeners.items():
        expected = [update(other, 1), update(other, 2)] if other == user else [update(other, 2)]
        assert client.ticks(len(expected)) == expected


def test_orders_need_no_market_data(start_host, connect, publish):
    """A client for orders alone, on a host where nobody has subscribed to an instrument: they come at once."""
    host = start_host({"alice": "external"})
    client, publisher = connect(host, "alice"), publish(host)
    client.request({"action": "subscribe_orders"})
    for number in range(3):
        publisher.send("ZERODHA_alice_orders", update("alice", number))
        assert client.tick(timeout=5) == update("alice", number)


def test_a_broker_with_an_underscore(listeners, host, publish):
    """`dhan_sandbox` is one of OpenAlgo's brokers; whose order it is stands in the payload."""
    publisher = publish(host)
    publisher.send("DHAN_SANDBOX_alice_orders", update("alice", 1))
    publisher.send("ZERODHA_alice_orders", update("alice", 2))
    assert [tick["orderid"] for tick in listeners["alice"].ticks(2, timeout=5)] == ["1", "2"]


def test_every_socket_of_the_user_and_only_who_asked(host, connect, publish):
    publisher = publish(host)
    first, second, silent, gone = (connect(host, "alice") for _ in range(4))
    for client in (first, second, gone):
        client.request({"action": "subscribe_orders"})
    assert gone.request({"action": "unsubscribe_orders", "request_id": "o2"})["request_id"] == "o2"
    publisher.send("ZERODHA_alice_orders", update("alice", 7))
    assert first.tick() == second.tick() == update("alice", 7)
    for client in (silent, gone):
        client.round_trip()
        assert not client.waiting


def test_orders_before_auth_are_refused(host, connect):
    reply = connect(host).request({"action": "subscribe_orders"})
    assert reply["status"] == "error" and reply["code"] == "NOT_AUTHENTICATED"


def test_the_text_is_relayed_verbatim(host, connect, publish):
    client, publisher = connect(host, "alice"), publish(host)
    client.request({"action": "subscribe_orders"})
    text = '{"type":"order_update", "user_id":"alice","price":50.10,"note":"\\u20b9 ₹","x":12345678901234567890}'
    publisher.send("ZERODHA_alice_orders", text)
    assert client.ws.recv(DEADLINE) == text


def test_what_is_not_market_data_is_ignored(host, connect, publish, symbol):
    client, publisher = connect(host, "alice"), publish(host)
    client.request({"action": "subscribe_orders"})
    client.subscribe(f"NSE:{symbol}")
    for topic in (
        "DEBUG_MARKET_DATA", "ZERODHA_alice_positions", "ZERODHA_alice_margins", "deltaexchange_orders", "_orders",
        "orders", "NSE_", "NSE__LTP", "_", "", "LTP", "NSE_LTP", "A_B_C_D", f"NSE_{symbol}_TICK"):
        publisher.send(topic, {"no": True})
    publisher.send(f"NSE_{symbol}_LTP", {"yes": True})
    assert client.tick()["data"] == {"yes": True}


def test_cache_invalidation_disturbs_nobody(host, connect, publish):
    client, other, publisher = connect(host, "under_score_user"), connect(host, "bob"), publish(host)
    other.subscribe("NSE:RELIANCE")
    for kind in ("ALL", "AUTH", "FEED"):
        for user in ("under_score_user", "bob", "nobody_at_all"):
            payload = {"action": "invalidate", "user_id": user, "cache_type": kind}
            publisher.send(f"CACHE_INVALIDATE_{kind}_{user}", payload)
    publisher.send("CACHE_INVALIDATE_ALL_", "not JSON")
    wait_until(lambda: "under_score_user" in host.stderr, "a line about whose tokens have changed", 5)
    client.round_trip()
    other.ticks(5)


def send_frames(*frames):
    return lambda publisher, topic: publisher.socket.send_multipart([frame or topic for frame in frames])


#: What a publisher may get wrong; `None` stands for a topic that somebody wants.
BAD = {
    "one frame": send_frames(None),
    "three frames": send_frames(None, b'{"no":1}', b"more"),
    "a hundred frames": send_frames(None, *[b'{"no":1}'] * 100),
    "no JSON": send_frames(None, b"price: 5"),
    "empty payload": send_frames(None, b""),
    "half an object": send_frames(None, b'{"no":1'),
    "two objects": send_frames(None, b'{"no":1}{"no":2}'),
    "an array": send_frames(None, b"[1,2]"),
    "a number": send_frames(None, b"5"),
    "not UTF-8": send_frames(None, b'{"no":"\xff\xfe"}'),
    "a control character": send_frames(None, b'{"no":"\n"}'),
    "NaN": send_frames(None, b'{"no":NaN}'),
    "1.5 MiB": send_frames(None, b'{"no":"' + b"x" * 1_500_000 + b'"}'),
    "10,000 deep": send_frames(None, b'{"no":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "a long topic": send_frames(b"NSE_" + b"X" * 5_000 + b"_LTP", b'{"no":1}'),
    "a topic that is not UTF-8": send_frames(b"NSE_\xff\xfe_LTP", b'{"no":1}'),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_messages_are_harmless(host, connect, publish, symbol, kind):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}")
    topic = f"NSE_{symbol}_LTP".encode()
    for _ in range(20):
        BAD[kind](publisher, topic)
    publisher.send(topic.decode(), {"yes": True})
    assert client.tick()["data"] == {"yes": True}


def test_bad_messages_are_counted_and_said(host, publish):
    def counter():
        return json.loads(host.stats.read_text())["counters"]["bus_external_bad"]

    publisher = publish(host)
    wait_until(host.stats.exists, "the stats file")
    lines = host.stderr.count("a publisher has sent")
    before = counter()
    for _ in range(1000):
        publisher.send("NSE_BAD_LTP", "no JSON")
    # The file is written every 10 s.
    wait_until(lambda: counter() >= before + 1000, "the counter in the stats file", 25, interval=0.2)

    def said():
        # At most one line a second, and that of another test may have been this second's.
        publisher.send("NSE_BAD_LTP", "no JSON")
        return "a publisher has sent a tick that is not a JSON object" in host.stderr

    wait_until(said, "a warning", 5, interval=0.1)
    assert host.stderr.count("a publisher has sent") < lines + 50, "the log is not to be filled by a bad publisher"


def test_frames_without_end(host, connect, symbol):
    """4 MiB in one frame: the connection may end, the publisher comes back, and the host is as before."""
    client, publisher = connect(host, "alice"), Publisher(host.ready["bus"], zmq.PUB)
    try:
        client.subscribe(f"NSE:{symbol}")

        def arrives():
            publisher.send(f"NSE_{symbol}_LTP", {"yes": True})
            client.round_trip()
            return client.waiting

        wait_until(arrives, "a tick", interval=0.05)
        publisher.socket.send_multipart([b"NSE_HUGE_LTP", b"{" + b" " * (4 << 20) + b"}"])
        client.waiting.clear()
        wait_until(arrives, "a tick after the huge frame", interval=0.05)
    finally:
        publisher.close()


def test_strangers_on_the_bus_port(host, connect, publish, symbol):
    """Health probes and HTTP clients that take it for something else."""
    address = ("127.0.0.1", int(host.ready["bus"].rsplit(":", 1)[1]))
    for data in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 1000, b"\xff" * 64):
        with socket.create_connection(address, DEADLINE) as stranger:
            stranger.sendall(data)
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}")
    publisher.send(f"NSE_{symbol}_LTP", {"yes": True})
    assert client.tick()["data"] == {"yes": True}


def test_publishers_may_come_first(start_host, connect, symbol):
    """It connects to a port where nobody listens yet, as OpenAlgo does when it is started before the host."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    publisher = Publisher(f"tcp://127.0.0.1:{port}")
    try:
        host = start_host({"alice": "external"}, env={"ZMQ_PORT": port})
        assert host.ready["bus"] == f"tcp://127.0.0.1:{port}"
        client = connect(host, "alice")
        client.subscribe(f"NSE:{symbol}")
        publisher.wait().send(f"NSE_{symbol}_LTP", {"yes": True})
        assert client.tick()["data"] == {"yes": True}
        # And it outlives a restart of the host.
        client.close()
        host.stop()
        host.start()
        client = connect(host, "alice")
        client.subscribe(f"NSE:{symbol}")
        publisher.wait().send(f"NSE_{symbol}_LTP", {"again": True})
        assert client.tick()["data"] == {"again": True}
    finally:
        publisher.close()


# MARK: bus.external_as


def external_as(start_host, tmp_path_factory, users, source, **options):
    if source == "environment":
        return start_host(users, env={"FEEDHOST_EXTERNAL_AS": "dhan"}, **options)
    file = tmp_path_factory.mktemp("config") / "feedhost.yaml"
    file.write_text("bus: {external_as: dhan}\n")
    return start_host(users, arguments=["--config", file], **options)


@pytest.mark.parametrize("source", ["environment", "file"])
def test_external_as_feeds_a_brokers_users(start_host, connect, publish, tmp_path_factory, symbol, source):
    host = external_as(
        start_host, tmp_path_factory, {"zed": "dhan", "ang": "upstox", "ext": "external", "sim": "simulator"}, source)
    client, publisher = connect(host), publish(host)
    reply = client.auth(host.keys["zed"])
    assert reply["broker"] == "dhan"
    client.subscribe(f"NSE:{symbol}")
    plain = connect(host, "ext")
    plain.subscribe(f"NSE:{symbol}")
    publisher.send(f"NSE_{symbol}_LTP", {"n": 1})
    assert (client.tick()["broker"], plain.tick()["broker"]) == ("dhan", "external")
    # Of another broker that is not loaded either, nobody is fed.
    refused = connect(host).request({"action": "authenticate", "api_key": host.keys["ang"]})
    assert (refused["code"], refused["message"]) == ("BROKER_ERROR", "Broker adapter not found")
    # And simulator's users have their adapter.
    sim = connect(host, "sim")
    sim.subscribe("NSE:RELIANCE")
    assert "seq" in sim.tick()["data"]


def test_external_as_of_a_loaded_broker_yields_to_the_adapter(start_host, connect, publish, symbol):
    host = start_host({"bob": "simulator"}, env={"FEEDHOST_EXTERNAL_AS": "simulator"}, settings={"simulator.rate": 50})
    bob, publisher = connect(host, "bob"), publish(host)
    bob.subscribe("NSE:RELIANCE")
    publisher.send("NSE_RELIANCE_LTP", {"fake": True})
    assert all("fake" not in tick["data"] for tick in bob.ticks(10))
