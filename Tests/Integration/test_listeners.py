"""Where clients connect: several listeners side by side, TLS, Unix sockets, several event loops."""

from __future__ import annotations

import json
import os
import socket
import ssl
import stat
import struct
import threading
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import unix_connect

from certificates import Pair, replace, trusting
from client import Client, assert_unbroken, name_of
from host import Host, wait_until
from raw import RawSocket


@pytest.fixture
def tls(tmp_path):
    """A folder with a pair in it, and what makes a host use it."""
    pair = Pair("first")
    pair.install(tmp_path)
    arguments = ["--listen", "wss://127.0.0.1:0"]
    env = {"FEEDHOST_TLS_CERTIFICATE": tmp_path / "live.pem", "FEEDHOST_TLS_KEY": tmp_path / "live.key"}
    return tmp_path, pair, {"arguments": arguments, "env": env}


def listener(host: Host, scheme: str, at: int = 0) -> str:
    return [url for url in host.ready["listeners"] if url.startswith(scheme + ":")][at]


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port


def presented(url: str, context: ssl.SSLContext | None = None) -> tuple[bytes, str, str | None]:
    """The certificate, version and application protocol of a new connection."""
    if context is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(address(url)) as plain, context.wrap_socket(plain, server_hostname="localhost") as end:
        return end.getpeercert(binary_form=True), end.version(), end.selected_alpn_protocol()


def open_unix(path: str):
    return unix_connect(path, "ws://localhost/", compression=None, ping_interval=None)


# MARK: Side by side


def test_all_kinds_side_by_side(start_host, tls, tmp_path_factory):
    folder, pair, options = tls
    path = tmp_path_factory.mktemp("run") / "ws.sock"
    options["arguments"] += ["--listen", "ws://127.0.0.1:0?coalesce=no", "--listen", f"unix:{path}?mode=0620"]
    host = start_host(**options)
    assert host.ready["listeners"][0] == host.ready["websocket"]
    assert len(host.ready["listeners"]) == 4
    for url in host.ready["listeners"]:
        assert url in host.stderr
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o620
    for url in (host.url, listener(host, "ws", 1)):
        with Client(url, host.keys["alice"]) as client:
            client.subscribe("NSE:RELIANCE")
            client.tick()
    with Client(listener(host, "wss"), host.keys["alice"], ssl=trusting(pair)) as client:
        client.subscribe("NSE:RELIANCE", "NSE:INFY", mode="Depth")
        assert_unbroken(client.ticks(50))
    with open_unix(str(path)) as end:
        end.send('{"action":"ping"}')
        assert '"pong"' in end.recv(10)
    host.stop()
    assert not path.exists(), "the socket's file is removed at exit"


def test_listeners_from_yaml(start_host, tmp_path_factory):
    def write(host):
        (host.folder / "feedhost.yaml").write_text(
            "proxy:\n  listen:\n    - ws://127.0.0.1:0\n    - unix:" + str(host.folder / "s") + "\n  event_loops: auto\n")

    host = start_host(before=write)
    assert [url.split(":")[0] for url in host.ready["listeners"]] == ["ws", "ws", "unix"]


def test_a_socket_left_by_a_killed_host_is_replaced(start_host, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "ws.sock"
    first = start_host(arguments=["--listen", f"unix:{path}"])
    inode = os.stat(path).st_ino
    # While it lives nobody else gets the address.
    other = Host(tmp_path_factory.mktemp("other"), arguments=["--listen", f"unix:{path}"])
    result = other.run(*other.command[1:], timeout=60)
    assert result.returncode != 0 and "--listen" in result.stderr
    assert f"unix:{path} is taken: feedhost (process {first.process.pid}) holds it" in result.stderr
    assert os.stat(path).st_ino == inode
    first.kill()
    assert path.exists()
    second = start_host(arguments=["--listen", f"unix:{path}"])
    with open_unix(str(path)) as end:
        end.send('{"action":"ping"}')
        assert '"pong"' in end.recv(10)
    second.stop()
    assert not path.exists()


def test_a_taken_port_is_named_with_setting_and_holder(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        host = Host(tmp_path / "host", env={"FEEDHOST_LISTEN": f"ws://127.0.0.1:{port}"})
        result = host.run(*host.command[1:], timeout=60)
    assert result.returncode != 0
    assert "FEEDHOST_LISTEN" in result.stderr and f"port {port} on 127.0.0.1 is taken" in result.stderr
    assert f"(process {os.getpid()}) holds it" in result.stderr


def test_a_listener_that_others_can_read_is_warned_of(start_host):
    host = start_host(arguments=["--listen", "ws://0.0.0.0:0"])
    exposed = listener(host, "ws", 1)
    assert exposed.startswith("ws://127.0.0.1:"), "as a client on this machine writes it"
    lines = [line for line in host.stderr.splitlines() if "can be read on the way" in line]
    assert len(lines) == 1 and "ws://0.0.0.0:" in lines[0] and "warning" in lines[0].lower()


@pytest.mark.parametrize("name, value, words", [
    ("FEEDHOST_LISTEN", "http://127.0.0.1:1", "ws://HOST:PORT"),
    ("FEEDHOST_LISTEN", "unix:relative", "unix:/PATH"),
    ("FEEDHOST_LISTEN", "wss://127.0.0.1:0", "wss:// needs tls.certificate and tls.key"),
    ("FEEDHOST_TLS_KEY", "/some/where.key", "tls.certificate is not"),
    ("FEEDHOST_EVENT_LOOPS", "0", "from 1 to 64, or auto"),
    ("FEEDHOST_EVENT_LOOPS", "65", "from 1 to 64, or auto"),
    ("FEEDHOST_ORIGINS", "example.com", "*.example.com"),
    ("FEEDHOST_TRUSTED_PROXIES", "10.0.0.0/40", "10.0.0.0/8"),
    ("FEEDHOST_MAX_REQUESTS", "-1", "from 0 to"),
    ("FEEDHOST_COALESCE", "perhaps", "true or false"),
])
def test_wrong_settings_are_told(tmp_path, name, value, words):
    host = Host(tmp_path / "host", env={name: value})
    result = host.run(*host.command[1:], timeout=60)
    assert result.returncode != 0
    assert name in result.stderr and words in result.stderr


# MARK: Frames and segments


def segments(end: socket.socket) -> int:
    """Data segments that the socket has received (`tcpi_data_segs_in`)."""
    return struct.unpack_from("I", end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 152)[0]


linux = pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="needs Linux")
UNCOALESCED = {"settings": {"simulator.rate": 3000}, "arguments": ["--listen", "ws://127.0.0.1:0?coalesce=no"]}


@linux
def test_without_coalescing_each_frame_is_a_segment(start_host):
    """AmiBroker's plugin reads one frame a packet."""
    host = start_host(**UNCOALESCED)
    names = [f"NSE:SYM{number}" for number in range(100, 200)]
    shares = []
    for which in (0, 1):
        with Client(listener(host, "ws", which), host.keys["alice"]) as client:
            before = segments(client.ws.socket)
            client.subscribe(*names)
            client.ticks(1000)
            shares.append((segments(client.ws.socket) - before) / 1001)
    assert shares[0] < 0.5 and shares[1] >= 1, f"segments for each frame: {shares}"


@linux
def test_what_waits_for_a_slow_client_leaves_a_frame_a_segment_too(start_host):
    host = start_host(**UNCOALESCED)
    symbols = [{"exchange": "NSE", "symbol": f"SYM{number}"} for number in range(100)]
    with RawSocket(listener(host, "ws", 1), receive_buffer=4096) as slow:
        slow.open()
        before = segments(slow.socket)
        slow.send_json({"action": "auth", "api_key": host.keys["alice"]})
        slow.send_json({"action": "subscribe", "mode": 3, "symbols": symbols})
        with Client(host.url, host.keys["alice"]) as other:
            other.subscribe(*(f"NSE:{entry['symbol']}" for entry in symbols), mode="Depth")
            # By then megabytes have nowhere to go.
            other.ticks(8000, timeout=60)
        slow.send_json({"action": "unsubscribe_all"})
        frames, kinds = 0, []
        while "unsubscribe" not in kinds:
            frames += 1
            message = json.loads(slow.read_frame()[2])
            if message["type"] != "market_data":
                kinds.append(message["type"])
        assert "notice" in kinds and frames > 200
        found = segments(slow.socket) - before
        assert found >= frames, f"{found} segments for {frames} frames"


# MARK: TLS


def test_only_tls_1_2_and_1_3(start_host, tls):
    _, pair, options = tls
    url = listener(start_host(**options), "wss")

    def context(version: ssl.TLSVersion, ciphers: str | None = None) -> ssl.SSLContext:
        context = trusting(pair)
        context.minimum_version = context.maximum_version = version
        context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    assert presented(url, context(ssl.TLSVersion.TLSv1_3)) == (pair.der, "TLSv1.3", "http/1.1")
    assert presented(url, context(ssl.TLSVersion.TLSv1_2)) == (pair.der, "TLSv1.2", "http/1.1")
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, OSError)):
            presented(url, context(version))
    # Without authenticated encryption there is no 1.2 either.
    with pytest.raises((ssl.SSLError, OSError)):
        presented(url, context(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"))


def test_plain_http_on_the_tls_port_ends_without_harm(start_host, tls):
    _, pair, options = tls
    options["env"] |= {"WS_PROXY_STATS_FILE": "stats.json"}
    host = start_host(**options)
    url = listener(host, "wss")
    with socket.create_connection(address(url), timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        while plain.recv(4096):
            pass
    with Client(url, host.keys["alice"], ssl=trusting(pair)) as client:
        client.round_trip()
    stats = host.folder / "stats.json"
    wait_until(lambda: json.loads(stats.read_text())["counters"]["proxy_tls_failures"] == 1, "the counter")


@pytest.mark.parametrize("wrong", ["missing", "mismatch", "rubbish"])
def test_a_certificate_that_cannot_be_used_is_told_at_start(tmp_path, wrong):
    pair = Pair("first")
    pair.install(tmp_path)
    if wrong == "missing":
        (tmp_path / "live.pem").unlink()
    elif wrong == "mismatch":
        replace(tmp_path / "live.key", Pair("second").key)
    else:
        replace(tmp_path / "live.key", b"-----BEGIN PRIVATE KEY-----\nCanary\n-----END PRIVATE KEY-----\n")
    host = Host(tmp_path / "host", arguments=["--listen", "wss://127.0.0.1:0"], env={
        "FEEDHOST_TLS_CERTIFICATE": tmp_path / "live.pem", "FEEDHOST_TLS_KEY": tmp_path / "live.key"})
    result = host.run(*host.command[1:], timeout=60)
    words = {"missing": "live.pem cannot be read: No such file", "mismatch": "do not belong together",
             "rubbish": "live.key does not hold a private key"}
    assert result.returncode != 0 and words[wrong] in result.stderr
    assert "FEEDHOST_TLS_CERTIFICATE" in result.stderr and "Canary" not in result.stderr


def test_swapping_the_certificate_under_load_drops_nobody(start_host, tls):
    folder, first, options = tls
    host = start_host(settings={"simulator.rate": 20}, **options)
    url = listener(host, "wss")
    names = [f"NSE:{symbol}" for symbol in ("RELIANCE", "INFY", "TCS", "SBIN")]
    stop = threading.Event()
    faults: list[BaseException] = []
    counts = [0] * 12

    def watch(number: int):
        try:
            with Client(url, host.keys["alice"], ssl=trusting(first)) as client:
                client.subscribe(*names)
                ticks = []
                while not stop.is_set():
                    ticks.append(client.tick())
                    counts[number] = len(ticks)
                assert_unbroken(ticks)
                client.round_trip()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    wait_until(lambda: faults or all(counts), "ticks for everybody")
    current = first
    for number in range(4):
        new = Pair(f"number {number}")
        # In the middle of a swap, and with rubbish, the one before it goes on being used.
        replace(folder / "live.pem", new.certificate if number % 2 else b"rubbish")
        assert presented(url)[0] == current.der
        new.install(folder)
        wait_until(lambda: presented(url)[0] == new.der, "the new certificate")
        with Client(url, host.keys["alice"], ssl=trusting(new)) as late:
            late.subscribe(*names)
            late.tick()
        current = new
    # One that stays broken is said once.
    replace(folder / "live.key", b"rubbish")
    wait_until(lambda: "the new TLS certificate is not used" in host.stderr, "a word about it")
    before = list(counts)
    wait_until(lambda: faults or all(now > then + 20 for now, then in zip(counts, before)), "more ticks")
    assert presented(url)[0] == current.der
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not faults, faults[0]
    assert host.stderr.count("the new TLS certificate is not used") == 1
    assert host.stderr.count("new connections get the new TLS certificate") == 4
    assert "PRIVATE KEY" not in host.stderr


# MARK: Event loops


def test_four_event_loops(start_host):
    host = start_host(
        {"alice": "simulator", "bob": "simulator"}, settings={"simulator.rate": 5}, env={"FEEDHOST_EVENT_LOOPS": 4})
    names = [f"NSE:{symbol}" for symbol in ("RELIANCE", "INFY", "TCS")]
    clients = [Client(host.url, host.keys["bob" if number % 8 == 0 else "alice"]) for number in range(40)]
    try:
        for client in clients:
            client.subscribe(*names)
        for client in clients:
            ticks = client.ticks(30)
            assert {name_of(tick) for tick in ticks} == set(names)
            # Every one, and every one once: the numbers of a topic go up by one.
            assert_unbroken(ticks)
        for client in clients[::2]:
            client.unsubscribe(*names)
        for client in clients[1::2]:
            client.drain(0.01)
            assert_unbroken(client.ticks(10))
        threads = len(os.listdir(f"/proc/{host.process.pid}/task"))
        assert threads >= 4
    finally:
        for client in clients:
            client.close()
