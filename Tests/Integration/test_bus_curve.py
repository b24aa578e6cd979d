"""CURVE on the bus: whoever has no key is refused and counted, whoever has one is served as before."""

from __future__ import annotations

import json
import stat

import pytest
import zmq
from zmq.auth import create_certificates, load_certificate

from host import DEADLINE, Host, wait_until

#: Milliseconds after which a connection is taken to be refused; those that are let in need a few.
REFUSED = 700


@pytest.fixture
def keys(tmp_path):
    """The host's pair and a folder for clients, made by `feedhost bus keygen`."""
    maker = Host(tmp_path / "keys")
    printed = maker.run("bus", "keygen", "host")
    assert printed.returncode == 0, printed.stderr
    (maker.folder / "clients").mkdir()
    for name, options in {"feed": [], "writer": ["--role", "publish"], "reader": ["--role", "subscribe"]}.items():
        made = maker.run("bus", "keygen", name, *options)
        assert made.returncode == 0, made.stderr
        (maker.folder / f"{name}.key").rename(maker.folder / "clients" / f"{name}.key")
    public, secret = load_certificate(maker.folder / "host.key_secret")
    assert public.decode() == printed.stdout.strip()
    assert secret and secret.decode() not in printed.stdout + printed.stderr
    assert stat.S_IMODE((maker.folder / "host.key_secret").stat().st_mode) == 0o600
    return maker.folder


def with_keys(keys, **more):
    return {"FEEDHOST_BUS_CERTIFICATE": keys / "host.key_secret", "FEEDHOST_BUS_CLIENTS": keys / "clients"} | more


class Outsider:
    """A socket outside with a pair of keys, or with none."""

    def __init__(self, kind, endpoint, server: bytes | None, pair):
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.linger = 0
        if pair:
            self.socket.curve_serverkey = server
            self.socket.curve_publickey, self.socket.curve_secretkey = pair
        if kind == zmq.SUB:
            self.socket.subscribe(b"")
        self.socket.connect(endpoint)

    def is_in(self, milliseconds=DEADLINE * 1000) -> bool:
        """For publishers: whether the host subscribes, which it tells only those whom it has let in."""
        return bool(self.socket.poll(milliseconds)) and self.socket.recv() == b"\x01"

    def send(self, topic: str, payload: dict) -> None:
        self.socket.send_multipart([topic.encode(), json.dumps(payload).encode()])


@pytest.fixture
def outsider(keys):
    made: list[Outsider] = []
    server = load_certificate(keys / "host.key")[0]

    def make(host, kind, name: str | None, server=server) -> Outsider:
        pair = load_certificate(keys / f"{name}.key_secret") if name else None
        made.append(Outsider(kind, host.ready["bus" if kind == zmq.XPUB else "publisher"], server, pair))
        return made[-1]

    yield make
    for each in made:
        each.context.destroy()


def counters(host) -> dict:
    path = host.folder / "stats.json"
    return json.loads(path.read_text())["counters"] if path.exists() else {}


def test_publishers(start_host, connect, keys, outsider):
    create_certificates(keys, "stranger")
    host = start_host({"alice": "external"}, env=with_keys(keys, WS_PROXY_STATS_FILE="stats.json"))
    client = connect(host, "alice")
    client.subscribe("NSE:SBIN")
    refused = [
        outsider(host, zmq.XPUB, "stranger"),
        outsider(host, zmq.XPUB, None),
        outsider(host, zmq.XPUB, "feed", server=load_certificate(keys / "stranger.key")[0]),
        outsider(host, zmq.XPUB, "reader"),
    ]
    for number, each in enumerate(refused):
        assert not each.is_in(REFUSED), f"number {number} is let in"
        each.send("NSE_SBIN_LTP", {"ltp": 666.0})
    for name, price in {"feed": 1.0, "writer": 2.0}.items():
        publisher = outsider(host, zmq.XPUB, name)
        assert publisher.is_in()
        publisher.send("NSE_SBIN_LTP", {"ltp": price})
        assert client.tick()["data"]["ltp"] == price
    wait_until(lambda: "the bus has refused" in host.stderr, "a line in the log")
    wait_until(
        lambda: counters(host).get("bus_refused_keys", 0) >= 2 and counters(host)["bus_refused_handshakes"] >= 1,
        "the counters", timeout=30)
    assert counters(host)["bus_external_messages"] == 2
    for name in ["host", "stranger", "feed"]:
        assert load_certificate(keys / f"{name}.key_secret")[1].decode() not in host.stderr + host.stdout


def test_subscribers(start_host, connect, keys, outsider):
    host = start_host(settings={"simulator.rate": 20}, env=with_keys(keys))
    connect(host, "alice").subscribe("NSE:SBIN")
    reader = outsider(host, zmq.SUB, "reader")
    assert reader.socket.poll(DEADLINE * 1000), "nothing comes"
    assert reader.socket.recv_multipart()[0] == b"SIMULATOR_NSE_SBIN_LTP"
    for name in ["writer", None]:
        assert not outsider(host, zmq.SUB, name).socket.poll(REFUSED), f"{name} is let in"


def test_keys_come_and_go_without_a_restart(start_host, connect, keys, outsider):
    away = keys / "clients" / "feed.key"
    kept = away.read_bytes()
    away.unlink()
    host = start_host({"alice": "external"}, env=with_keys(keys))
    client = connect(host, "alice")
    client.subscribe("NSE:SBIN")
    publisher = outsider(host, zmq.XPUB, "feed")
    assert not publisher.is_in(REFUSED)
    away.write_bytes(kept)
    assert publisher.is_in()
    publisher.send("NSE_SBIN_LTP", {"ltp": 1.0})
    assert client.tick()["data"]["ltp"] == 1.0
    away.unlink()
    wait_until(lambda: "2 keys may connect to the bus now" in host.stderr, "the key to be taken away")
    wait_until(lambda: "with the unknown key" in host.stderr.split("2 keys may connect")[-1], "the refusal", 30)
    publisher.send("NSE_SBIN_LTP", {"ltp": 666.0})
    writer = outsider(host, zmq.XPUB, "writer")
    assert writer.is_in()
    writer.send("NSE_SBIN_LTP", {"ltp": 2.0})
    assert client.tick()["data"]["ltp"] == 2.0


def test_other_machines_only_with_keys(start_host, keys, outsider, tmp_path):
    host = start_host(env=with_keys(keys, ZMQ_HOST="0.0.0.0"))
    assert host.ready["bus"].startswith("tcp://0.0.0.0:")
    assert outsider(host, zmq.XPUB, "feed").is_in()
    bare = Host(tmp_path / "bare", env={"ZMQ_HOST": "0.0.0.0"})
    bare.add_user("alice", "simulator")
    with pytest.raises(AssertionError, match="bus.curve.certificate"):
        bare.start()


@pytest.mark.parametrize("break_it, said", [
    (lambda keys: (keys / "host.key_secret").chmod(0o644), "chmod 600"),
    (lambda keys: (keys / "host.key_secret").write_text("nothing"), "no certificate"),
    (lambda keys: (keys / "host.key_secret").write_bytes((keys / "host.key").read_bytes()), "public key alone"),
    (lambda keys: (keys / "clients").rename(keys / "moved"), "not a folder"),
    (lambda keys: (keys / "host.key_secret").unlink(), "does not exist"),
])
def test_what_is_wrong_is_said(keys, tmp_path, break_it, said):
    secret = load_certificate(keys / "host.key_secret")[1].decode()
    break_it(keys)
    host = Host(tmp_path / "host", env=with_keys(keys))
    host.add_user("alice", "simulator")
    with pytest.raises(AssertionError) as failure:
        host.start()
    assert said in str(failure.value)
    assert secret not in str(failure.value)


def test_keygen_replaces_nothing(keys):
    before = (keys / "host.key_secret").read_bytes()
    again = Host(keys).run("bus", "keygen", "host")
    assert again.returncode != 0 and "No key was replaced" in again.stderr
    assert (keys / "host.key_secret").read_bytes() == before
