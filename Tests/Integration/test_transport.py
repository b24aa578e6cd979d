"""The WebSocket side of the protocol: handshake, frames, limits, time limits, compression."""

from __future__ import annotations

import json
import os
import struct
import zlib

import pytest

from client import Client, assert_unbroken
from host import wait_until
from raw import BINARY, PING, PONG, TEXT, RawSocket, frame

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host(settings={"simulator.rate": 100, "simulator.seed": 3})


@pytest.fixture(scope="module")
def impatient_host(start_shared_host):
    return start_shared_host(
        settings={"simulator.rate": 100},
        env={"WS_AUTH_GRACE_SECONDS": 1, "WS_PING_INTERVAL": 1, "WS_PING_TIMEOUT": 1})


@pytest.fixture
def raw(host):
    with RawSocket(host.url) as socket:
        yield socket


# MARK: Handshake


def test_the_answer_says_switching_protocols(raw):
    status, headers = raw.handshake()
    assert status == "HTTP/1.1 101 Switching Protocols"
    assert headers["upgrade"].lower() == "websocket" and headers["connection"].lower() == "upgrade"
    assert "sec-websocket-extensions" not in headers


def test_the_key_is_answered_as_the_standard_says(raw):
    _, headers = raw.handshake(headers={"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("path", ["", "/", "/ws", "/ws/", "/any/path?with=query&more=%20"])
def test_any_path_will_do(host, connect, path):
    assert connect(host, "alice", path=path).request({"action": "get_broker_info"})["user_id"] == "alice"


def test_any_origin_will_do(raw):
    assert raw.handshake(headers={"Origin": "https://elsewhere.example"})[0].startswith("HTTP/1.1 101 ")


def test_plain_http_is_told_to_upgrade(raw):
    raw.send(f"GET / HTTP/1.1\r\nHost: {raw.address}\r\n\r\n".encode())
    status, headers = raw.response()
    assert status.startswith("HTTP/1.1 426 ")
    assert headers["upgrade"] == "websocket" and headers["sec-websocket-version"] == "13"
    raw.read_to_end()


def test_other_versions_are_refused(raw):
    assert raw.handshake(headers={"Sec-WebSocket-Version": "8"})[0].split()[1] in ("400", "426")


def test_a_probe_that_connects_and_leaves_is_not_worth_a_word(host, connect):
    before = host.stderr
    for _ in range(20):
        RawSocket(host.url).close()
    # Connections are accepted in order: when this one is served, the others have been looked at.
    connect(host, "alice").round_trip()
    said = host.stderr[len(before):]
    assert not [line for line in said.splitlines() if " error " in line or " warning " in line or "probe" in line], said


# MARK: Frames


def test_a_request_may_come_in_a_binary_frame(raw):
    raw.open().send(frame(BINARY, b'{"action":"ping","_pingId":1}'))
    assert raw.reply()["_pingId"] == 1


def test_a_request_may_come_in_pieces(raw):
    request = b'{"action":"ping","_pingId":"pieces"}'
    raw.open().send(frame(TEXT, request[:5], fin=False) + frame(PING, b"between") + frame(0, request[5:20], fin=False))
    raw.send(frame(0, request[20:]))
    assert raw.read_frame() == (0x80, PONG, b"between")
    assert raw.reply()["_pingId"] == "pieces"


def test_bytes_may_come_one_by_one(raw):
    raw.open()
    for byte in frame(TEXT, b'{"action":"ping"}'):
        raw.send(bytes([byte]))
    assert raw.reply()["type"] == "pong"


@pytest.mark.parametrize("payload", [b"", b"x" * 125])
def test_pings_are_answered(raw, payload):
    raw.open().send(frame(PING, payload))
    assert raw.read_frame() == (0x80, PONG, payload)


def test_close_is_answered_with_its_code(raw):
    raw.open().send(frame(8, struct.pack(">H", 1000) + b"bye"))
    assert raw.close_frame()[0] == 1000
    assert raw.read_to_end() == b""


def test_a_message_of_one_mebibyte_is_taken(host, connect):
    client = connect(host, "alice")
    empty = len(json.dumps({"action": "ping", "_pingId": ""}))
    reply = client.request({"action": "ping", "_pingId": "x" * (MEBIBYTE - empty)})
    assert reply["type"] == "pong"


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_longer_message_ends_the_connection(host, connect, compression):
    client = connect(host, "alice", compression=compression)
    client.send(json.dumps({"action": "ping", "_pingId": "x" * MEBIBYTE}))
    assert client.closed()[0] == 1009


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_without_a_key_messages_are_short(host, connect, compression):
    stranger = connect(host, compression=compression)
    assert stranger.request({"action": "ping", "_pingId": "x" * 60_000})["type"] == "pong"
    stranger.send(json.dumps({"action": "ping", "_pingId": "x" * 70_000}))
    assert stranger.closed()[0] == 1009


def test_pieces_together_are_limited_as_well(raw):
    raw.open()
    raw.send(frame(TEXT, b" " * 600_000, fin=False) + frame(0, b" " * 600_000))
    assert raw.close_frame()[0] == 1009


def test_the_length_that_a_header_claims_is_enough(raw):
    """Nothing of the message needs to be sent, let alone kept."""
    raw.open().send(frame(TEXT, b"{", length=1 << 40))
    assert raw.close_frame()[0] == 1009


# MARK: Compression


def test_compression_when_offered(host, connect):
    client = connect(host, compression="deflate")
    assert client.ws.response.headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate")
    client.auth(host.keys["alice"])
    client.subscribe("NSE:RELIANCE", "NSE:SBIN", mode="Depth", depth=30)
    ticks = client.ticks(60)
    assert_unbroken(ticks)
    assert all(len(tick["data"]["depth"]["buy"]) == 30 for tick in ticks)


def test_compressed_frames_only_for_those_who_offered_it(host):
    seen = {}
    for extension in [None, "permessage-deflate; client_max_window_bits"]:
        with RawSocket(host.url) as raw:
            raw.open(headers={"Sec-WebSocket-Extensions": extension} if extension else {})
            raw.send_json({"action": "auth", "api_key": host.keys["alice"]})
            raw.send_json({"action": "subscribe", "symbol": "TCS", "exchange": "NSE", "mode": 3, "depth": 30})
            seen[extension] = [raw.read_frame() for _ in range(20)]
    plain, compressed = seen.values()
    assert all(flags == 0x80 for flags, _, _ in plain)
    # Ticks of 30 levels are worth compressing.
    assert all(flags == 0xC0 for flags, opcode, payload in compressed[2:] if opcode == TEXT)


@pytest.mark.parametrize("offer, bits", [
    ("permessage-deflate", 15), ("permessage-deflate; client_max_window_bits", 12),
    ("permessage-deflate; client_max_window_bits=9", 9), ("foo, permessage-deflate; server_max_window_bits=15", 15)])
def test_a_client_may_keep_its_window(host, offer, bits):
    """Each message but the first is little more than a reference to the one before it."""
    packer = zlib.compressobj(wbits=-bits)
    with RawSocket(host.url) as raw:
        _, headers = raw.handshake(headers={"Sec-WebSocket-Extensions": offer})
        agreed = headers["sec-websocket-extensions"]
        assert "client_no_context_takeover" not in agreed and "server_no_context_takeover" in agreed
        assert (f"client_max_window_bits={bits}" in agreed) == ("client_max_window_bits" in offer)
        for number in range(300):
            name = "".join(chr(97 + (7 * index + number // 20) % 26) for index in range(100))
            packed = packer.compress(json.dumps({"action": "ping", "_pingId": name}).encode())
            packed = (packed + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
            raw.send(frame(TEXT, packed, reserved=4))
            assert raw.reply()["_pingId"] == name
        assert len(packed) < 30


def test_a_reference_to_what_was_never_sent_ends_the_connection(host):
    packer = zlib.compressobj(wbits=-15, zdict=b'{"action":"ping"}' * 3)
    packed = (packer.compress(b'{"action":"ping"}' * 3) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    with RawSocket(host.url) as raw:
        raw.open(headers={"Sec-WebSocket-Extensions": "permessage-deflate"})
        raw.send(frame(TEXT, packed, reserved=4))
        assert raw.close_frame()[0] == 1007


def test_compressed_and_plain_clients_get_the_same(host, connect):
    plain, small = connect(host, "alice"), connect(host, "alice", compression="deflate")
    plain.subscribe("NSE:ITC", mode="Depth")
    small.subscribe("NSE:ITC", mode="Depth")
    one = {tick["data"]["seq"]: tick for tick in plain.ticks(60)}
    other = {tick["data"]["seq"]: tick for tick in small.ticks(60)}
    common = one.keys() & other.keys()
    assert len(common) > 30
    assert all(one[seq] == other[seq] for seq in common)


# MARK: Order


def test_requests_may_come_back_to_back(host, connect):
    """As the Node, Go and Rust clients send them: nobody waits for a reply."""
    client = connect(host)
    client.send({"action": "authenticate", "api_key": host.keys["alice"]})
    client.send({"action": "subscribe", "symbol": "SBIN", "exchange": "NSE", "mode": 1, "request_id": 1})
    client.send({"action": "subscribe", "symbol": "TCS", "exchange": "NSE", "mode": 2, "request_id": 2})
    for number in range(3, 100):
        client.send({"action": "ping", "request_id": number})
    client.send({"action": "unsubscribe_all", "request_id": 100})
    replies = [client.reply() for _ in range(101)]
    assert replies[0]["type"] == "auth" and replies[0]["status"] == "success"
    assert [reply["request_id"] for reply in replies[1:]] == list(range(1, 101))
    assert all(reply["status"] == "success" for reply in replies)
    assert len(replies[-1]["successful"]) == 2


# MARK: Time limits


def test_strangers_have_a_moment_to_authenticate(impatient_host, connect):
    client = connect(impatient_host)
    # A failed attempt neither closes nor starts the time anew.
    assert client.request({"action": "auth", "api_key": "wrong"})["code"] == "AUTHENTICATION_ERROR"
    assert client.closed(timeout=5) == (4401, "auth timeout")


def test_those_who_authenticate_may_stay(impatient_host, connect):
    stranger, friend = connect(impatient_host), connect(impatient_host, "alice")
    assert stranger.closed(timeout=5)[0] == 4401
    friend.round_trip()


def test_who_does_not_answer_pings_is_dropped(impatient_host):
    with RawSocket(impatient_host.url) as raw:
        raw.open().send_json({"action": "auth", "api_key": impatient_host.keys["alice"]})
        assert raw.reply()["status"] == "success"
        assert raw.close_frame() == (1011, "keepalive ping timeout")


def test_who_answers_pings_may_stay(impatient_host):
    with RawSocket(impatient_host.url) as raw:
        raw.open().send_json({"action": "auth", "api_key": impatient_host.keys["alice"]})
        for _ in range(3):
            opcode = None
            while opcode != PING:
                _, opcode, payload = raw.read_frame()
            raw.send(frame(PONG, payload))
        raw.send_json({"action": "ping"})
        assert raw.reply()["type"] == "pong"
