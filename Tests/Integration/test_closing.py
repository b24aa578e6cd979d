"""How connections end: every code, whoever began, and whether the other side answers."""

from __future__ import annotations

import struct
import time

import pytest
from websockets.exceptions import ConnectionClosed

from certificates import Pair, trusting
from client import Client
from raw import CLOSE, TEXT, RawSocket, frame

MEBIBYTE = 1 << 20
#: Ends that the host begins because of what was sent.
VIOLATIONS = {
    "1002 by a frame without a mask": (frame(TEXT, b"{}", masked=False), 1002),
    "1002 by an unknown opcode": (frame(5, b"{}"), 1002),
    "1007 by a text": (frame(TEXT, b"\xff"), 1007),
    "1009 by a message": (frame(TEXT, b"x" * (MEBIBYTE + 1)), 1009),
    "1009 by a length": (frame(TEXT, b"{", length=1 << 40), 1009),
    "1009 without a key": (frame(TEXT, b"x" * 70_000), 1009),
}
#: Far below the 2 s that the host waits for an answer.
AT_ONCE = 1.0


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host(settings={"simulator.rate": 20})


@pytest.fixture(scope="module")
def impatient_host(start_shared_host):
    return start_shared_host(env={"WS_AUTH_GRACE_SECONDS": 0.3, "WS_PING_INTERVAL": 0.5, "WS_PING_TIMEOUT": 0.5})


def ended_after(raw: RawSocket) -> float:
    """Seconds until there is nothing more to read."""
    start = time.monotonic()
    raw.read_to_end()
    return time.monotonic() - start


def is_gone(raw: RawSocket) -> bool:
    """Whether the host has closed both halves: what is sent then is answered by a reset."""
    try:
        for _ in range(50):
            raw.send(b"\0")
            time.sleep(0.02)
    except OSError:
        return True
    return False


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("name", VIOLATIONS)
def test_after_a_violation_the_end_comes_at_once(host, name, answers):
    sent, code = VIOLATIONS[name]
    with RawSocket(host.url) as raw:
        raw.open().send(sent)
        assert raw.close_frame()[0] == code
        if answers:
            raw.send(frame(CLOSE, struct.pack(">H", code)))
        assert ended_after(raw) < AT_ONCE
        # An absurd length swallows the answer: then the host waits for the other side's end, or for its deadline.
        if answers and "length" not in name:
            assert is_gone(raw)


@pytest.mark.parametrize("code", [None, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_the_other_side_begins(host, code):
    with RawSocket(host.url) as raw:
        raw.open().send(frame(CLOSE, struct.pack(">H", code) if code else b""))
        assert raw.close_frame()[0] == code
        assert ended_after(raw) < AT_ONCE and is_gone(raw)


@pytest.mark.parametrize("payload, code", [
    (b"\x03", 1002), *[(struct.pack(">H", wrong), 1002) for wrong in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)],
    (b"\x03\xe8\xff", 1007)])
def test_the_other_side_begins_wrongly(host, payload, code):
    """Both close frames are through with ours."""
    with RawSocket(host.url) as raw:
        raw.open().send(frame(CLOSE, payload))
        assert raw.close_frame()[0] == code
        assert ended_after(raw) < AT_ONCE and is_gone(raw)


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("code", [4401, 1011, 4001, 4503, 1001])
def test_the_host_begins(start_host, impatient_host, code, answers):
    host = impatient_host if code in (4401, 1011) else start_host()
    with RawSocket(host.url) as raw:
        raw.open()
        if code != 4401:
            raw.send_json({"action": "auth", "api_key": host.keys["alice"]})
            assert raw.reply()["status"] == "success"
        if code == 4503:
            host.cli("keys", "revoke", host.cli("keys", "list").splitlines()[1].split()[0])
        elif code == 4001:
            host.cli("users", "move", "alice", "--broker", "external")
        elif code == 1001:
            host.process.terminate()
        assert raw.close_frame()[0] == code
        start = time.monotonic()
        if answers:
            raw.send(frame(CLOSE, struct.pack(">H", code)))
            assert ended_after(raw) < AT_ONCE
        else:
            # Two seconds, and the half that lies between two looks.
            assert 1.5 < ended_after(raw) < 5
        assert is_gone(raw)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_python_client_does_not_wait(host, compression):
    """`websockets` returns from a close when the connection has ended."""
    with Client(host.url, host.keys["alice"], compression=compression) as client:
        start = time.monotonic()
        try:
            client.ws.send("x" * (MEBIBYTE + 1))
        except ConnectionClosed:
            pass
        assert client.closed()[0] == 1009
        client.close()
        assert time.monotonic() - start < AT_ONCE


def test_nor_under_tls(start_host, tmp_path):
    pair = Pair("first")
    pair.install(tmp_path)
    host = start_host(
        arguments=["--listen", "wss://127.0.0.1:0"],
        env={"FEEDHOST_TLS_CERTIFICATE": tmp_path / "live.pem", "FEEDHOST_TLS_KEY": tmp_path / "live.key"})
    url = next(url for url in host.ready["listeners"] if url.startswith("wss:"))
    with Client(url, host.keys["alice"], ssl=trusting(pair)) as client:
        start = time.monotonic()
        try:
            client.ws.send("x" * (MEBIBYTE + 1))
        except ConnectionClosed:
            pass
        assert client.closed()[0] == 1009
        client.close()
        assert time.monotonic() - start < AT_ONCE
