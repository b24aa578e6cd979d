"""The public socket, where subscribers from outside connect: forms of topics, whose session it is, and what it never carries."""

from __future__ import annotations

import json
import time

import pytest
import zmq

from client import assert_unbroken
from host import DEADLINE, wait_until
from test_external_feed import publish  # noqa: F401 (fixture)

NAMES = ("NSE:RELIANCE", "NSE:SBIN", "NSE_INDEX:NIFTY")


class Subscriber:
    """A SUB socket on the host's public endpoint."""

    def __init__(self, context, endpoint: str, *prefixes: str, **options):
        self.socket = context.socket(zmq.SUB)
        self.socket.linger = 0
        for name, value in options.items():
            setattr(self.socket, name, value)
        for prefix in prefixes:
            self.socket.subscribe(prefix)
        self.socket.connect(endpoint)

    def receive(self, timeout: float = DEADLINE) -> tuple[str, dict]:
        assert self.socket.poll(int(timeout * 1000)), f"nothing on the public socket within {timeout:g} s"
        topic, payload = self.socket.recv_multipart()
        return topic.decode(), json.loads(payload)

    def collect(self, count: int) -> list[tuple[str, dict]]:
        return [self.receive() for _ in range(count)]

    def silent(self, seconds: float) -> bool:
        return not self.socket.poll(int(seconds * 1000))


@pytest.fixture
def subscribe():
    """Makes subscribers: `subscribe(host, "", "NSE_")`."""
    with zmq.Context() as context:
        made = []

        def make(host, *prefixes, **options):
            made.append(Subscriber(context, host.ready["publisher"], *prefixes, **options))
            return made[-1]

        yield make
        for subscriber in made:
            subscriber.socket.close()


@pytest.fixture
def host(start_host):
    return start_host({"alice": "simulator", "bob": "simulator", "ext": "external"}, settings={"simulator.rate": 200})


@pytest.fixture
def alice(host, connect):
    client = connect(host, "alice")
    client.subscribe(*NAMES, mode="LTP")
    client.subscribe(*NAMES, mode="Depth")
    return client


def test_forms(host, alice, subscribe):
    """An empty prefix gets the long form alone, also while others want the legacy one; `NSE_` gets that."""
    everything, legacy, long = subscribe(host, ""), subscribe(host, "NSE_"), subscribe(host, "SIMULATOR_NSE_SBIN_")
    # Each stays connected while the others come: collected in turns.
    for _ in range(3):
        topics = {topic for topic, _ in everything.collect(60)}
        assert all(topic.startswith("SIMULATOR_") for topic in topics), topics
        assert {"SIMULATOR_NSE_RELIANCE_LTP", "SIMULATOR_NSE_INDEX_NIFTY_LTP", "SIMULATOR_NSE_SBIN_DEPTH"} <= topics
        topics = {topic for topic, _ in legacy.collect(60)}
        assert all(topic.startswith("NSE_") for topic in topics), topics
        assert {"NSE_RELIANCE_LTP", "NSE_INDEX_NIFTY_LTP"} <= topics
        assert all(topic.startswith("SIMULATOR_NSE_SBIN_") for topic, _ in long.collect(5))


@pytest.mark.parametrize("prefix, topics", [
    ("NSE_SBIN_LTP", {"NSE_SBIN_LTP"}), ("NSE_INDEX_", {"NSE_INDEX_NIFTY_LTP", "NSE_INDEX_NIFTY_QUOTE"}),
    ("SIMULATOR_NSE_INDEX_NIFTY_LTP", {"SIMULATOR_NSE_INDEX_NIFTY_LTP"})])
def test_narrow_prefixes(host, alice, subscribe, prefix, topics):
    subscriber = subscribe(host, prefix)
    found = {topic for topic, _ in subscriber.collect(20)}
    assert topics <= found and all(topic.startswith(prefix) for topic in found), found


@pytest.mark.parametrize("prefix", ["BSE_", "ZERODHA_", "NSE_SB_", "XNSE_"])
def test_other_prefixes_get_nothing(host, alice, subscribe, prefix):
    other, marker = subscribe(host, prefix), subscribe(host, "")
    marker.collect(100)
    assert other.silent(0)


def test_the_payload_is_the_clients(host, alice, subscribe):
    subscriber = subscribe(host, "SIMULATOR_NSE_SBIN_LTP")
    _, first = subscriber.receive()
    same = alice.tick(match=lambda tick: (
        tick["symbol"], tick["mode"], tick["data"]["seq"]) == ("SBIN", 1, first["seq"]))
    assert same["data"] == first


def test_seq_goes_up_by_one(host, alice, subscribe):
    subscriber = subscribe(host, "")
    last: dict[str, int] = {}
    for topic, data in subscriber.collect(300):
        assert topic not in last or data["seq"] == last[topic] + 1, topic
        last[topic] = data["seq"]
    assert len(last) >= 6


@pytest.mark.parametrize("first", ["subscriber", "client"])
def test_a_suffix_makes_a_public_topic_of_depth_alone(host, connect, subscribe, first):
    """`RELIANCE:20` has a book of its own, whoever came first; its price is that of RELIANCE, and `RELIANCE:0` is nothing."""
    subscriber = subscribe(host, "") if first == "subscriber" else None
    client = connect(host, "alice")
    client.subscribe("NSE:RELIANCE", mode="LTP")
    if subscriber:
        subscriber.receive()
    for mode in ("LTP", "Quote", "Depth"):
        client.subscribe("NSE:RELIANCE:20", mode=mode)
    subscriber = subscriber or subscribe(host, "")
    books = {topic: len(data.get("depth", {}).get("buy", [])) for topic, data in subscriber.collect(500)}
    assert not [topic for topic in books if ":0_" in topic], books
    assert books.get("SIMULATOR_NSE_RELIANCE:20_DEPTH") == 20, books


def test_two_users_and_no_choice(host, alice, connect, subscribe):
    subscriber = subscribe(host, "", "NSE_")
    subscriber.receive()
    bob = connect(host, "bob")
    bob.subscribe(*NAMES)
    bob.ticks(20)
    # What was on its way is received; then there is silence, while both users get their ticks.
    wait_until(lambda: subscriber.silent(0.3) or subscriber.collect(1) and False, "silence on the public socket")
    bob.ticks(20)
    alice.ticks(20)
    assert subscriber.silent(0.2)
    assert any("public" in line and "simulator" in line and "bus.public" in line for line in host.stderr.splitlines())


@pytest.mark.parametrize("chosen, other", [("alice", "bob"), ("bob", "alice")])
def test_the_chosen_users_session(start_host, connect, subscribe, tmp_path, chosen, other):
    file = tmp_path / "feedhost.yaml"
    file.write_text(f"bus: {{public: {{simulator: {chosen}}}}}\n")
    host = start_host(
        {"alice": "simulator", "bob": "simulator"}, settings={"simulator.rate": 200}, arguments=["--config", file])
    subscriber = subscribe(host, "")
    # The other one comes first and is alone, and still is not public.
    second = connect(host, other)
    second.subscribe("NSE:SBIN")
    second.ticks(20)
    assert subscriber.silent(0.2)
    first = connect(host, chosen)
    first.subscribe("NSE:RELIANCE")
    topics = {topic for topic, _ in subscriber.collect(100)}
    assert topics and all("RELIANCE" in topic for topic in topics), topics
    second.ticks(20)
    assert "bus.public" not in host.stderr


def test_nothing_from_outside_is_republished(host, alice, connect, subscribe, publish):
    subscriber, ext, publisher = subscribe(host, "", "NSE_", "EXTERNAL_", "ZERODHA_"), connect(host, "ext"), publish(host)
    ext.subscribe("NSE:RELIANCE", "NSE:OUTSIDE")
    subscriber.receive()
    for topic in ("NSE_RELIANCE_LTP", "ZERODHA_NSE_OUTSIDE_LTP", "EXTERNAL_NSE_OUTSIDE_LTP", "NSE_OUTSIDE_LTP"):
        publisher.send(topic, {"outside": True})
    publisher.send("ZERODHA_ext_orders", {"outside": True})
    ext.ticks(4)
    seen = subscriber.collect(200)
    assert not [topic for topic, data in seen if "outside" in data or "OUTSIDE" in topic]


def test_a_publisher_outside_is_not_a_subscriber(host, alice, subscribe):
    """Nobody can publish on the public socket."""
    with zmq.Context() as context, context.socket(zmq.PUB) as stranger:
        stranger.linger = 0
        stranger.connect(host.ready["publisher"])
        subscriber = subscribe(host, "")
        subscriber.receive()
        for _ in range(100):
            stranger.send_multipart([b"SIMULATOR_NSE_SBIN_LTP", b'{"fake":true}'])
        assert not [data for _, data in subscriber.collect(100) if "fake" in data]
        alice.ticks(10)


def test_many_come_and_go(host, alice, subscribe):
    """Interest is counted: who stays keeps everything, whoever leaves."""
    stays = subscribe(host, "", "NSE_")
    for _ in range(10):
        leaver = subscribe(host, "", "NSE_")
        leaver.collect(3)
        leaver.socket.unsubscribe("NSE_")
        leaver.socket.close()
        topics = {topic.split("_")[0] for topic, _ in stays.collect(40)}
    assert topics == {"NSE", "SIMULATOR"}


def test_a_stalled_subscriber_stops_nobody(start_host, connect, subscribe):
    """It never reads: its queue fills, and clients and other subscribers get all of theirs."""
    host = start_host({"alice": "simulator"}, settings={"simulator.rate": 5000})
    alice = connect(host, "alice")
    alice.subscribe(*NAMES, mode="LTP")
    stalled = [subscribe(host, "", rcvhwm=1, rcvbuf=4096) for _ in range(2)]
    for one in stalled:
        one.receive()
    # Its own process's buffers are full soon; the host's 50,000 places for it take some seconds more.
    sent = 0
    deadline = time.monotonic() + 12
    ticks = []
    while sent < 20_000 and time.monotonic() < deadline:
        ticks = alice.ticks(500)
        sent += len(ticks)
        assert_unbroken(ticks)
    assert sent >= 2_000
    healthy = subscribe(host, "SIMULATOR_NSE_SBIN_LTP")
    healthy.collect(100)
    alice.round_trip()
    assert host.resident_kilobytes < 1 << 20
