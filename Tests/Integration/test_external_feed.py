"""Publishers from outside: what they send to the bus reaches the users of `external`, as it is."""

from __future__ import annotations

import itertools
import json

import pytest
import zmq

from host import DEADLINE, wait_until

NUMBERS = itertools.count(1)


class Publisher:
    """Connects to the host's bus as OpenAlgo's adapters do.

    An XPUB socket is a PUB socket that can be asked whether somebody has subscribed: then the connection stands, and
    nothing that is sent is lost.
    """

    def __init__(self, endpoint: str, kind: int = zmq.XPUB):
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.linger = 1000
        self.socket.sndhwm = 0
        if kind == zmq.XPUB:
            # Says it again when the host comes back.
            self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.socket.connect(endpoint)

    def wait(self, timeout: float = DEADLINE) -> "Publisher":
        assert self.socket.poll(timeout * 1000), "the host has not subscribed"
        assert self.socket.recv() == b"\x01"
        return self

    def send(self, topic: str, payload: dict | str | bytes) -> None:
        body = json.dumps(payload) if isinstance(payload, dict) else payload
        self.socket.send_multipart([topic.encode(), body if isinstance(body, bytes) else body.encode()])

    def close(self) -> None:
        self.context.destroy()


@pytest.fixture
def publish():
    """Makes publishers that are connected."""
    made: list[Publisher] = []

    def make(host) -> Publisher:
        made.append(Publisher(host.ready["bus"]))
        return made[-1].wait()

    yield make
    for publisher in made:
        publisher.close()


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host({"alice": "external", "under_score_user": "external", "bob": "simulator"})


@pytest.fixture
def symbol():
    """A symbol that no other test has used: the host keeps last values."""
    return f"SYM{next(NUMBERS)}"


def test_auth_names_user_and_broker(host, connect):
    """Clients show `user_id`, and compare it (client-protocol.md section 3)."""
    client = connect(host)
    reply = client.auth(host.keys["alice"])
    assert reply["broker"] == "external"
    assert reply["user_id"] == "alice"
    assert reply["supported_features"] == {"ltp": True, "quote": True, "depth": True}


def test_broker_info(host, connect):
    client = connect(host, "alice")
    info = client.request({"action": "get_broker_info"})
    assert (info["broker"], info["user_id"], info["adapter_status"]) == ("external", "alice", "connected")
    assert "external" in client.request({"action": "get_supported_brokers"})["brokers"]


@pytest.mark.parametrize("prefix", ["", "ZERODHA_", "FIVE_PAISA_", "EXTERNAL_"])
@pytest.mark.parametrize("exchange", [
    "NSE", "BSE", "NFO", "MCX", "CRYPTO", "NSE_INDEX", "BSE_INDEX", "MCX_INDEX", "GLOBAL_INDEX", "NSEIX_INDEX"])
def test_legacy_and_long_topics(host, connect, publish, symbol, prefix, exchange):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"{exchange}:{symbol}")
    publisher.send(f"{prefix}{exchange}_{symbol}_LTP", {"ltp": 1.5})
    tick = client.tick()
    assert (tick["exchange"], tick["symbol"], tick["mode"]) == (exchange, symbol, 1)
    assert tick["data"] == {"ltp": 1.5} and tick["broker"] == "external"


@pytest.mark.parametrize("pattern", [
    "M_M", "A_B_C", "M&M", "BAJAJ-AUTO", "X_LTP", "NSE_Y", "X_orders", "NIFTY28AUG26C25000", "ÄÖ₹"])
@pytest.mark.parametrize("prefix", ["", "ZERODHA_"])
def test_symbols_as_they_come(host, connect, publish, symbol, pattern, prefix):
    name = pattern + symbol if pattern != "X_orders" else symbol + "_orders"
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{name}")
    publisher.send(f"{prefix}NSE_{name}_LTP", {"ltp": 2})
    assert client.tick()["symbol"] == name


@pytest.mark.parametrize("written", ["ltp", "Ltp", "LTP"])
def test_mode_in_any_case(host, connect, publish, symbol, written):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}")
    publisher.send(f"NSE_{symbol}_{written}", {"ltp": 2})
    assert client.tick()["data"] == {"ltp": 2}


@pytest.mark.parametrize("mode", ["LTP", "Quote", "Depth"])
def test_symbols_with_a_depth_suffix(host, connect, publish, symbol, mode):
    """Fyers and Dhan publish `TCS:20`, in every mode; it is another instrument's topic than TCS."""
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}:20", mode=mode)
    publisher.send(f"NSE_{symbol}_{mode.upper()}", {"ltp": 1})
    publisher.send(f"NSE_{symbol}:20_{mode.upper()}", {"ltp": 2})
    tick = client.tick(timeout=5)
    assert tick["symbol"] == f"{symbol}:20" and tick["data"] == {"ltp": 2}


def test_a_plain_symbol_gets_nothing_of_a_suffixed_one(host, connect, publish, symbol):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}", mode="Depth")
    publisher.send(f"NSE_{symbol}:20_DEPTH", {"ltp": 1})
    publisher.send(f"NSE_{symbol}_DEPTH", {"ltp": 2})
    assert client.tick()["data"] == {"ltp": 2}


def test_a_higher_mode_serves_the_lower_until_its_own_appears(host, connect, publish, symbol):
    client, publisher = connect(host, "alice"), publish(host)
    name = f"NSE:{symbol}"
    client.subscribe(name, mode="LTP")
    client.subscribe(name, mode="Quote")
    publisher.send(f"NSE_{symbol}_DEPTH", {"n": 1})
    assert {(tick["mode"], tick["data"]["n"]) for tick in client.ticks(2)} == {(1, 1), (2, 1)}
    # Quote's own has come: depth no longer stands in for it, but still for LTP.
    publisher.send(f"NSE_{symbol}_QUOTE", {"n": 2})
    assert (2, 2) in {(tick["mode"], tick["data"]["n"]) for tick in client.ticks(2)}
    publisher.send(f"NSE_{symbol}_LTP", {"n": 3})
    assert [(tick["mode"], tick["data"]["n"]) for tick in client.ticks(1)] == [(1, 3)]
    publisher.send(f"NSE_{symbol}_DEPTH", {"n": 4})
    publisher.send(f"NSE_{symbol}_QUOTE", {"n": 5})
    publisher.send(f"NSE_{symbol}_LTP", {"n": 6})
    assert [(tick["mode"], tick["data"]["n"]) for tick in client.ticks(2)] == [(2, 5), (1, 6)]


def test_a_lower_mode_never_serves_a_higher(host, connect, publish, symbol):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}", mode="Depth")
    publisher.send(f"NSE_{symbol}_LTP", {"n": 1})
    publisher.send(f"NSE_{symbol}_QUOTE", {"n": 2})
    publisher.send(f"NSE_{symbol}_DEPTH", {"n": 3})
    tick = client.tick()
    assert (tick["mode"], tick["data"]) == (3, {"n": 3})


@pytest.mark.parametrize("payload", [
    '{"ltp": 1187.750, "ltt": 1760000000000,"mode":"full" , "symbol":"other"}',
    '{"text":"\\u20b9 ₹ \\ud83d\\ude00","list":[1,{"a":null}],"big":12345678901234567890,"e":1e3,"t":true}',
    "{}", ' {"ltp":1}\n', '{"ltp":1,"ltp":2}'])
def test_the_payload_is_passed_on_as_it_is(host, connect, publish, symbol, payload):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}")
    publisher.send(f"NSE_{symbol}_LTP", payload)
    text = client.ws.recv(DEADLINE)
    assert f'"data":{payload}' in text
    assert json.loads(text)["symbol"] == symbol


def test_the_last_value_comes_at_once(host, connect, publish, symbol):
    publisher, first = publish(host), connect(host, "alice")
    first.subscribe(f"NSE:{symbol}", mode="Quote")
    publisher.send(f"NSE_{symbol}_QUOTE", {"n": 1})
    publisher.send(f"NSE_{symbol}_QUOTE", {"n": 2})
    first.ticks(2)
    for _ in range(2):
        # Also when a sibling holds the stream already; once, and the newest.
        late = connect(host, "under_score_user")
        late.subscribe(f"NSE:{symbol}", mode="Quote")
        assert late.tick()["data"] == {"n": 2}
        lower = connect(host, "alice")
        lower.subscribe(f"NSE:{symbol}", mode="LTP")
        tick = lower.tick()
        assert (tick["mode"], tick["data"]) == (1, {"n": 2})
    late.round_trip()
    assert not late.waiting


def test_a_value_from_before_anybody_asked(host, connect, publish, symbol):
    publisher = publish(host)
    watcher = connect(host, "alice")
    watcher.subscribe(f"NSE:{symbol}M")
    publisher.send(f"NSE_{symbol}_LTP", {"n": 1})
    publisher.send(f"NSE_{symbol}M_LTP", {})
    watcher.tick()
    client = connect(host, "alice")
    client.subscribe(f"NSE:{symbol}")
    assert client.tick()["data"] == {"n": 1}


def test_unsubscribed_means_silence(host, connect, publish, symbol):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}", f"NSE:{symbol}M")
    publisher.send(f"NSE_{symbol}_LTP", {"n": 1})
    client.tick()
    client.unsubscribe(f"NSE:{symbol}", mode="LTP")
    publisher.send(f"NSE_{symbol}_LTP", {"n": 2})
    publisher.send(f"NSE_{symbol}M_LTP", {"n": 3})
    assert client.tick()["data"] == {"n": 3}


def test_users_of_an_adapter_get_nothing_from_outside(host, connect, publish, symbol):
    bob, alice, publisher = connect(host, "bob"), connect(host, "alice"), publish(host)
    bob.subscribe("NSE:RELIANCE")
    alice.subscribe("NSE:RELIANCE", f"NSE:{symbol}")
    publisher.send("NSE_RELIANCE_LTP", {"fake": True})
    publisher.send("SIMULATOR_NSE_RELIANCE_LTP", {"fake": True})
    alice.ticks(2)
    bob.round_trip()
    assert all("fake" not in tick["data"] for tick in [*bob.waiting, bob.tick()])


def test_many_in_order_none_lost_none_twice(host, connect, publish, symbol):
    client, publisher = connect(host, "alice"), publish(host)
    client.subscribe(f"NSE:{symbol}")
    for number in range(500):
        publisher.send(f"NSE_{symbol}_LTP", {"n": number})
        # A client that reads keeps up; the socket's buffers are not what is tested here.
        assert client.tick()["data"]["n"] == number


def test_plain_pub_sockets(host, connect, symbol):
    """What everybody uses: no telling when it is connected, so it repeats itself."""
    client, publisher = connect(host, "alice"), Publisher(host.ready["bus"], zmq.PUB)
    try:
        client.subscribe(f"NSE:{symbol}")

        def arrives():
            publisher.send(f"NSE_{symbol}_LTP", {"ltp": 7})
            client.round_trip()
            return client.waiting

        assert wait_until(arrives, "a tick", interval=0.05)[0]["data"] == {"ltp": 7}
    finally:
        publisher.close()
