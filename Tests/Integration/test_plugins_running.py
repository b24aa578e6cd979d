"""Adapters in C, Rust and Swift at work in one host, and files that come, change and break while it runs."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import zmq

from client import Client
from host import REPO, Host, plugins_folder, wait_until

BROKERS = ("tide", "drift", "simulator", "binance")
#: Quick enough that a few ticks take no time, slow enough for a machine with other things to do.
PERIOD = {"tide.period_ms": 20, "drift.period_ms": 20, "simulator.rate": 100}


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """tide.so (C) and, with a Rust compiler, drift.so."""
    folder = tmp_path_factory.mktemp("examples")
    subprocess.run(
        ["make", "-s", "-C", str(REPO / "Plugins/Examples"), "all", f"OUT={folder}"], check=True, timeout=300,
        stdin=subprocess.DEVNULL, capture_output=True)
    return folder


@pytest.fixture
def folder(tmp_path, examples):
    """An empty folder for adapters, and how to put one into it: written beside, renamed into place."""
    place = tmp_path / "adapters"
    place.mkdir(mode=0o755)

    def put(*names):
        for name in names:
            source = next((at / name for at in (examples, plugins_folder()) if (at / name).exists()), None)
            if source is None:
                pytest.skip(f"{name} is not built: no Rust compiler")
            fresh = place / f".{name}.new"
            shutil.copy(source, fresh)
            fresh.chmod(0o755)
            fresh.rename(place / name)
        return place

    return put


def login(host: Host, user: str) -> dict:
    """What the host answers to the user's key."""
    with Client(host.url) as client:
        return client.request({"action": "authenticate", "api_key": host.keys[user]})


def test_four_adapters_stream_together(start_host, connect, folder):
    """One folder, four files, four users; binance has no server here, and that harms nobody."""
    users = {f"{broker}_user": broker for broker in BROKERS}
    settings = PERIOD | {"binance.endpoint": "ws://127.0.0.1:1"}
    host = start_host(users, settings=settings, plugins=[folder(*(f"{broker}.so" for broker in BROKERS))])
    assert set(host.ready["brokers"]) == {*BROKERS, "external"}
    clients = {broker: connect(host, f"{broker}_user") for broker in BROKERS}
    for broker, client in clients.items():
        exchange = "CRYPTO:BTCUSDT" if broker == "binance" else "NSE:RELIANCE"
        client.subscribe(exchange, mode="LTP")
        client.subscribe(exchange, mode="Depth")
    streaming = [broker for broker in BROKERS if broker != "binance"]
    for _ in range(5):
        for broker in streaming:
            for mode in (1, 3):
                tick = clients[broker].tick(match=lambda tick, mode=mode: tick["mode"] == mode)
                assert tick["broker"] == broker and tick["symbol"] == "RELIANCE"
    assert clients["binance"].drain(0.1) == []
    # Three prices from three makers: nobody has got another's session.
    prices = {clients[broker].tick()["data"]["ltp"] for broker in streaming}
    assert len(prices) == 3


def test_every_adapter_says_what_it_is(start_host, connect, folder):
    users = {broker: broker for broker in ("tide", "drift", "simulator")}
    host = start_host(users, settings=PERIOD, plugins=[folder("tide.so", "drift.so", "simulator.so")])
    for broker in users:
        client = connect(host)
        reply = client.auth(host.keys[broker])
        assert (reply["broker"], reply["user_id"]) == (broker, broker)
        assert reply["supported_features"] == {"ltp": True, "quote": True, "depth": True}
        assert client.request({"action": "get_broker_info"})["adapter_status"] == "connected"


def test_a_file_dropped_in_is_found_at_login(start_host, connect, folder):
    place = folder("simulator.so")
    host = start_host({"alice": "simulator", "carol": "tide"}, settings={"simulator.rate": 100}, plugins=[place])
    assert "tide" not in host.ready["brokers"]
    alice = connect(host, "alice")
    alice.subscribe("NSE:SBIN")
    refused = login(host, "carol")
    assert refused["code"] == "BROKER_ERROR" and refused["status"] == "error"
    folder("tide.so")
    carol = connect(host, "carol")
    carol.subscribe("NSE:SBIN")
    assert carol.tick()["broker"] == "tide"
    assert alice.tick()["broker"] == "simulator"
    brokers = connect(host).request({"action": "get_supported_brokers"})
    assert "tide" in brokers["brokers"]


def test_a_dropped_in_adapter_is_public_too(start_host, connect, folder):
    """SUB "" gets the long form of every broker, also of one that came after the start."""
    place = folder("simulator.so")
    host = start_host({"carol": "tide"}, plugins=[place])
    folder("tide.so")
    carol = connect(host, "carol")
    carol.subscribe("NSE:SBIN")
    carol.tick()
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.connect(host.ready["publisher"])
        socket.subscribe(b"")
        assert socket.poll(5000), "nothing of the adapter that came later is on the public socket"
        assert socket.recv_multipart()[0] == b"TIDE_NSE_SBIN_LTP"


def test_a_bad_file_dropped_in_is_refused_with_its_reason(start_host, folder):
    place = folder("simulator.so")
    host = start_host({"carol": "tide"}, plugins=[place])
    (place / "tide.so").write_bytes(b"\x7fELF but no more than that")
    reply = login(host, "carol")
    assert reply["code"] == "BROKER_ERROR"
    line = next(line for line in host.stderr.splitlines() if "tide" in line)
    assert str(place / "tide.so") in line and "truncated" in line
    # Mended, it is found at the next login.
    folder("tide.so")
    assert login(host, "carol")["status"] == "success"


def test_a_file_replaced_by_a_corrupt_one_between_runs(start_host, connect, folder):
    place = folder("simulator.so", "tide.so")
    host = start_host({"alice": "simulator", "carol": "tide"}, settings={"simulator.rate": 100}, plugins=[place])
    carol = connect(host, "carol")
    carol.subscribe("NSE:SBIN")
    carol.tick()
    carol.close()
    host.stop()
    whole = (place / "tide.so").read_bytes()
    (place / "tide.so").write_bytes(whole[: len(whole) // 2])
    host.start()
    assert "tide" not in host.ready["brokers"] and "simulator" in host.ready["brokers"]
    assert any("tide.so is not loaded" in line and "truncated" in line for line in host.stderr.splitlines())
    assert login(host, "carol")["code"] == "BROKER_ERROR"
    alice = connect(host, "alice")
    alice.subscribe("NSE:SBIN")
    alice.ticks(3)


def test_a_file_replaced_while_it_serves_goes_on(start_host, connect, folder):
    """As an upgrade does it, by renaming: the old one is mapped and stays so until the next start."""
    place = folder("tide.so")
    host = start_host({"carol": "tide"}, settings={"tide.period_ms": 20}, plugins=[place])
    carol = connect(host, "carol")
    carol.subscribe("NSE:SBIN")
    carol.tick()
    (place / ".new").write_text("not a library")
    (place / ".new").rename(place / "tide.so")
    carol.ticks(5)
    again = connect(host, "carol")
    again.subscribe("NSE:TCS")
    again.ticks(5)


def test_an_adapter_setting_out_of_range_is_said(start_host, connect, folder):
    """A whole number, but not one that the adapter takes: the login is refused, the host and the others go on."""
    place = folder("tide.so", "simulator.so")
    host = start_host(
        {"alice": "simulator", "carol": "tide"}, settings={"tide.period_ms": 99999, "simulator.rate": 100}, plugins=[place])
    reply = login(host, "carol")
    assert reply["status"] == "error" and reply["code"].startswith("BROKER")
    wait_until(lambda: "period_ms must be a whole number from 1 to 10000" in host.stderr, "the adapter's own words", 5)
    alice = connect(host, "alice")
    alice.subscribe("NSE:SBIN")
    alice.ticks(3)


def test_logins_are_quick_while_a_broken_file_is_probed(start_host, connect, folder, tmp_path_factory):
    """A file that hangs when opened costs the one who asked for it a second, and nobody else anything."""
    bad = tmp_path_factory.mktemp("bad-plugins")
    subprocess.run(
        ["make", "-s", "-C", str(REPO / "Tests/Fixtures/BadPlugins"), f"OUT={bad}"], check=True, timeout=120,
        stdin=subprocess.DEVNULL, capture_output=True)
    place = folder("simulator.so")
    host = start_host({"alice": "simulator", "carol": "tide"}, settings={"simulator.rate": 100}, plugins=[place])
    shutil.copy(bad / "bad/hanging-constructor.so", place / ".new")
    (place / ".new").chmod(0o755)
    (place / ".new").rename(place / "tide.so")
    waiting = Client(host.url)
    try:
        waiting.send({"action": "authenticate", "api_key": host.keys["carol"]})
        alice = connect(host, "alice")
        alice.subscribe("NSE:SBIN")
        alice.ticks(3)
        with pytest.raises(TimeoutError):
            # Not answered yet: nobody has waited for a probe that was not their own.
            waiting.receive(timeout=0)
        assert waiting.reply()["code"] == "BROKER_ERROR"
    finally:
        waiting.close()
    assert "timed out" in host.stderr
