"""A thousand ways to misbehave, while another client must not miss a tick."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import struct
import threading

import pytest

from client import Client, assert_unbroken
from host import DEADLINE
from raw import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, frame

ATTACKS = 1000
#: Kilobytes that the host may have grown afterwards.
GROWTH = 50 * 1024
#: Every seed must do; name one in FEEDHOST_TEST_SEED to repeat a run.
SEED = int(os.environ.get("FEEDHOST_TEST_SEED", "20211012"))

ACTIONS = [
    "authenticate", "auth", "subscribe", "unsubscribe", "unsubscribe_all", "subscribe_orders", "unsubscribe_orders",
    "get_broker_info", "get_supported_brokers", "ping", "", "nonsense", "\u0000", "SUBSCRIBE"]
FIELDS = [
    "action", "type", "api_key", "apikey", "symbols", "symbol", "exchange", "mode", "depth", "depth_level",
    "request_id", "timestamp", "_pingId", "unsubscribe_all"]
STRANGE = [
    None, True, False, 0, -1, 1, 2, 3, 1.5, -0.0, 1e308, 10**400, -(10**30), 2**63, 2**64, "", " ", "x" * 5000, "\ud800",
    "\u202e\u0000\n", "é" * 300, "NSE:TCS", ":", ":20", "TCS:", "TCS:-1", "TCS:99999999999999999999", [], {}, [[]],
    [None], [1], ["TCS"], [{}], [{"symbol": "TCS"}], [{"symbol": [], "exchange": {}}], {"a": {"b": []}},
    [{"symbol": "TCS", "exchange": "NSE", "mode": []}] * 50, [{"symbol": "x" * 3000, "exchange": "y" * 3000}]]


class Attacker:
    """One connection of ill will. Some attacks are expected to be cut off; then the next connection goes on."""

    def __init__(self, url: str, key: str, chance: random.Random):
        self.url = url
        self.key = key
        self.chance = chance
        self.raw: RawSocket | None = None
        self.idle: list[RawSocket] = []

    def connected(self) -> RawSocket:
        if self.raw is None:
            self.raw = RawSocket(self.url, timeout=DEADLINE)
            offers = self.chance.random() < 0.3
            self.raw.open(headers={"Sec-WebSocket-Extensions": "permessage-deflate"} if offers else {})
            if self.chance.random() < 0.7:
                self.raw.send_json({"action": "auth", "api_key": self.key})
        return self.raw

    def leave(self) -> None:
        if self.raw is not None:
            self.raw.close()
            self.raw = None

    def run(self) -> str:
        kind = self.chance.choice([name for name in dir(self) if name.startswith("do_")])
        with contextlib.suppress(ConnectionError, EOFError):
            getattr(self, kind)()
            if self.raw is None or self.chance.random() < 0.9:
                return kind
        self.leave()
        return kind

    def finish(self) -> None:
        self.leave()
        for raw in self.idle:
            raw.close()

    def bytes(self, most: int) -> bytes:
        return self.chance.randbytes(self.chance.randrange(most))

    # MARK: Frames that end the connection

    def cut_off(self, data: bytes) -> None:
        """Sends what the standard forbids: the host must close, and say why."""
        raw = self.connected()
        raw.send(data)
        code, _ = raw.close_frame()
        assert code in (1002, 1007, 1009), f"{code} after {data[:40]!r}"
        self.leave()

    def do_bad_utf8(self):
        self.cut_off(frame(TEXT, self.chance.choice([b"\xff\xfe", b'{"a":"\xc3\x28"}', b"\xed\xa0\x80", b"\xf8\x88\x80"])))

    def do_bad_utf8_in_pieces(self):
        self.cut_off(frame(TEXT, b'{"a":"\xe2\x82', fin=False) + frame(0, b'"}'))

    def do_unmasked(self):
        self.cut_off(frame(self.chance.choice([TEXT, BINARY, PING]), b'{"action":"ping"}', masked=False))

    def do_claims_to_be_huge(self):
        self.cut_off(frame(TEXT, b"{", length=self.chance.choice([(1 << 20) + 1, 1 << 32, (1 << 63) - 1, 1 << 63])))

    def do_huge_in_pieces(self):
        piece = b" " * 300_000
        self.cut_off(frame(TEXT, piece, fin=False) + frame(0, piece, fin=False) * 2 + frame(0, piece))

    def do_reserved_bits(self):
        self.cut_off(frame(TEXT, b"{}", reserved=self.chance.choice([1, 2, 3, 5, 6, 7])))

    def do_reserved_opcodes(self):
        self.cut_off(frame(self.chance.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), self.bytes(100)))

    def do_long_control_frame(self):
        self.cut_off(frame(self.chance.choice([PING, PONG, CLOSE]), b"x" * self.chance.choice([126, 127, 5000, 70000])))

    def do_control_frame_in_pieces(self):
        self.cut_off(frame(PING, b"x", fin=False))

    def do_continuation_of_nothing(self):
        self.cut_off(frame(0, b"{}"))

    def do_message_within_a_message(self):
        self.cut_off(frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"))

    def do_bad_close(self):
        payload = self.chance.choice([b"\x03", struct.pack(">H", 1005), struct.pack(">H", 999), b"\x03\xe8\xff\xff"])
        self.cut_off(frame(CLOSE, payload))

    # MARK: Messages that are answered with an error at most

    def answered(self, payload: bytes) -> None:
        """Whatever it is: the connection lives, and the next request is answered."""
        raw = self.connected()
        mark = self.chance.randrange(1 << 50)
        raw.send(frame(self.chance.choice([TEXT, BINARY]), payload))
        raw.send_json({"action": "ping", "_pingId": mark})
        while raw.reply().get("_pingId") != mark:
            pass

    def do_nested_json(self):
        depth = 10_000
        self.answered(self.chance.choice([
            b"[" * depth + b"]" * depth, b"[" * depth, b'{"a":' * depth + b"1" + b"}" * depth,
            b'{"action":"subscribe","symbols":' + b"[" * depth + b"]" * depth + b"}"]))

    def do_wrong_types(self):
        message = {"action": self.chance.choice(ACTIONS)}
        for name in self.chance.sample(FIELDS, self.chance.randrange(1, 6)):
            message[name] = self.chance.choice(STRANGE)
        if message.get("_pingId") is not None:
            del message["_pingId"]
        self.answered(json.dumps(message).encode())

    def do_broken_json(self):
        text = json.dumps({"action": "subscribe", "symbols": [{"symbol": "TCS", "exchange": "NSE"}], "mode": 1})
        at = self.chance.randrange(len(text))
        self.answered(self.chance.choice([
            text[:at], text[:at] + "," + text[at:], text + "}", "\ufeff" + text, text.replace('"', "'"), "NaN",
            '{"action":"ping","timestamp":NaN}', '{"action":"ping","timestamp":1e999999}', '"\\ud800"',
            '{"action":"ping","action":"auth"}']).encode())

    def do_many_symbols(self):
        many = [{"symbol": f"NONE{number}", "exchange": "NSE"} for number in range(self.chance.randrange(200))]
        self.answered(json.dumps({"action": "subscribe", "symbols": many, "mode": self.chance.choice([1, 2, 3])}).encode())

    def do_churn(self):
        names = [{"symbol": f"SYM{self.chance.randrange(100, 200)}", "exchange": "NSE"} for _ in range(20)]
        self.answered(json.dumps({"action": "subscribe", "symbols": names, "mode": self.chance.choice([1, 2, 3])}).encode())
        self.answered(json.dumps({"action": self.chance.choice(["unsubscribe", "unsubscribe_all"]), "symbols": names}).encode())

    def do_many_pings(self):
        self.connected().send(frame(PING, b"x" * 125) * 200 + frame(PONG, b"unasked") * 200)
        self.answered(b"{}")

    def do_empty_fragments(self):
        self.connected().send(frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) * 500 + frame(0, b""))
        self.answered(b"")

    # MARK: Ends and beginnings

    def do_half_a_frame(self):
        """Then silence: slow on purpose. The connection stays, and holds up nobody."""
        raw = self.connected()
        whole = frame(TEXT, b'{"action":"ping"}')
        raw.send(whole[: self.chance.randrange(1, len(whole))])
        self.idle.append(raw)
        self.raw = None

    def do_vanish(self):
        raw = self.connected()
        raw.send(frame(TEXT, b'{"action":"subscribe","symbol":"TCS","exchange":"NSE","mode":3}'))
        # A reset instead of an orderly end.
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.leave()

    def do_random_bytes(self):
        with RawSocket(self.url, timeout=DEADLINE) as raw:
            raw.send(self.bytes(4000) or b"\x00")
            # The host may have had enough already.
            with contextlib.suppress(OSError):
                raw.socket.shutdown(socket.SHUT_WR)
            raw.read_to_end()

    def do_random_frames(self):
        raw = self.connected()
        raw.send(self.bytes(4000) or b"\x00")
        self.leave()

    def do_broken_handshake(self):
        bad = self.chance.choice([
            {"headers": {"Sec-WebSocket-Version": "x"}},
            {"drop": ["Sec-WebSocket-Key"]}, {"drop": ["Sec-WebSocket-Version"]}, {"drop": ["Upgrade"]},
            {"drop": ["Connection"]}, {"headers": {"Upgrade": "h2c"}}, {"headers": {"X-Long": "x" * 60_000}},
            {"headers": {f"X-{number}": "y" * 500 for number in range(300)}}, {"path": "/" + "p" * 70_000}])
        with RawSocket(self.url, timeout=DEADLINE) as raw:
            status, _ = raw.handshake(**bad)
            assert status.split()[1].startswith("4"), f"{status} to {str(bad)[:80]}"

    def do_half_a_handshake(self):
        raw = RawSocket(self.url, timeout=DEADLINE)
        raw.send(b"GET / HTTP/1.1\r\nHost: slow\r\nUpgr")
        self.idle.append(raw)


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host(
        users={"alice": "simulator", "bob": "simulator"}, settings={"simulator.rate": 200, "simulator.seed": 1})


def warm_up(host, key: str) -> None:
    """So that what any client costs for the first time is not put down to the bad ones."""
    attacker = Attacker(host.url, key, random.Random(0))
    for _ in range(100):
        attacker.run()
    attacker.finish()


def test_a_thousand_bad_frames_cost_nobody_a_tick(host, connect):
    print(f"FEEDHOST_TEST_SEED={SEED}")
    warm_up(host, host.keys["bob"])
    healthy: Client = connect(host, "alice")
    healthy.subscribe("NSE:RELIANCE", "NSE:SBIN", mode="Quote")
    ticks = healthy.ticks(10)
    before = host.resident_kilobytes

    attacker = Attacker(host.url, host.keys["bob"], random.Random(SEED))
    done: list[str] = []
    faults: list[str] = []

    def attack() -> None:
        for number in range(ATTACKS):
            try:
                done.append(attacker.run())
            except (AssertionError, OSError, ValueError) as fault:
                attacker.leave()
                faults.append(f"attack {number}: {fault!r}")

    thread = threading.Thread(target=attack)
    thread.start()
    while thread.is_alive():
        ticks += healthy.ticks(20)
    attacker.finish()
    ticks += healthy.ticks(50)

    print(f"{len(done)} attacks of {len(set(done))} kinds, {len(ticks)} ticks meanwhile")
    assert not faults, "\n".join(faults[:20])
    assert_unbroken(ticks)
    assert {tick["symbol"] for tick in ticks} == {"RELIANCE", "SBIN"}
    assert host.is_running
    growth = host.resident_kilobytes - before
    print(f"grown by {growth} KiB, from {before}")
    assert growth < GROWTH

    fresh = connect(host, "bob")
    fresh.subscribe("NSE:TCS", mode="Depth")
    assert_unbroken(fresh.ticks(20))
    assert " error " not in host.stderr and " critical " not in host.stderr
