"""A WebSocket client for tests: requests with their replies, ticks set aside meanwhile, deadlines for everything."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import ExitStack

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from host import DEADLINE, SHOWN

STREAMED = ("market_data", "order_update")


class Client:
    def __init__(self, url: str, key: str | None = None, *, compression: str | None = None, **options):
        # No pings of its own, and no limit on what it takes: the host under test is to set the pace.
        options = {"ping_interval": None, "max_queue": None, "max_size": None, "proxy": None} | options
        self._exits = ExitStack()
        self.ws = self._exits.enter_context(
            connect(url, compression=compression, open_timeout=DEADLINE, close_timeout=DEADLINE, **options))
        #: Ticks and order updates that came while a reply was awaited, oldest first.
        self.waiting: deque[dict] = deque()
        #: Notices that came while something else was awaited: they come at any time, and a client is not to stumble over them.
        self.notices: deque[dict] = deque()
        if key is not None:
            self.auth(key)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._exits.close()

    # MARK: Requests

    def send(self, message) -> None:
        """Sends text and bytes as they are, anything else as JSON."""
        if isinstance(message, dict) and isinstance(message.get("api_key"), str):
            SHOWN.append(message["api_key"])
        self.ws.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def receive(self, timeout: float = DEADLINE) -> dict:
        """The next message of whatever kind."""
        return json.loads(self.ws.recv(timeout))

    def reply(self, timeout: float = DEADLINE) -> dict:
        """The next message that is neither tick nor order update; those are set aside."""
        return self.notices.popleft() if self.notices else self._next(timeout)

    def _next(self, timeout: float) -> dict:
        deadline = time.monotonic() + timeout
        while True:
            message = self.receive(max(0.0, deadline - time.monotonic()))
            if message.get("type") not in STREAMED:
                return message
            self.waiting.append(message)

    def request(self, message, timeout: float = DEADLINE) -> dict:
        """The answer to a request."""
        self.send(message)
        deadline = time.monotonic() + timeout
        while (reply := self._next(max(0.0, deadline - time.monotonic()))).get("type") == "notice":
            self.notices.append(reply)
        return reply

    def auth(self, key: str) -> dict:
        reply = self.request({"action": "authenticate", "api_key": key})
        assert reply.get("status") == "success", reply
        return reply

    def subscribe(self, *names: str, mode="LTP", **more) -> dict:
        """Subscribes to names such as `NSE:RELIANCE`; each must succeed."""
        reply = self.request({"action": "subscribe", "symbols": symbols(*names), "mode": mode} | more)
        assert reply.get("status") == "success", reply
        return reply

    def unsubscribe(self, *names: str, **more) -> dict:
        reply = self.request({"action": "unsubscribe", "symbols": symbols(*names)} | more)
        assert reply.get("status") == "success", reply
        return reply

    def round_trip(self) -> None:
        """When this returns, everything that the host sent before is received."""
        reply = self.request({"action": "ping"})
        assert reply["type"] == "pong", reply

    def told(self, *codes: str) -> None:
        """Receives so many notices, which must have these codes. An outage that is not asked for may come before each."""
        for code in codes:
            notice = self.reply()
            while notice.get("code") == "BROKER_DISCONNECTED" != code:
                notice = self.reply()
            assert notice.get("code") == code, notice

    # MARK: Ticks

    def tick(self, timeout: float = DEADLINE, match=None) -> dict:
        """The next tick or order update; with `match`, the next of which that is true (others are dropped)."""
        deadline = time.monotonic() + timeout
        while True:
            if self.waiting:
                message = self.waiting.popleft()
            else:
                message = self.receive(max(0.0, deadline - time.monotonic()))
                if message.get("type") == "notice":
                    self.notices.append(message)
                    continue
                assert message.get("type") in STREAMED, f"expected a tick, got {message}"
            if match is None or match(message):
                return message

    def ticks(self, count: int, timeout: float = DEADLINE, match=None) -> list[dict]:
        deadline = time.monotonic() + timeout
        return [self.tick(max(0.0, deadline - time.monotonic()), match) for _ in range(count)]

    def drain(self, seconds: float) -> list[dict]:
        """All ticks that come within some time: for proving that none comes."""
        deadline = time.monotonic() + seconds
        found = []
        while True:
            try:
                found.append(self.tick(max(0.0, deadline - time.monotonic())))
            except TimeoutError:
                return found

    # MARK: The end

    def closed(self, timeout: float = DEADLINE) -> tuple[int | None, str]:
        """Waits until the host closes; code and reason of its close frame."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = json.loads(self.ws.recv(max(0.0, deadline - time.monotonic())))
                if message.get("type") in STREAMED:
                    self.waiting.append(message)
            except ConnectionClosed as end:
                return (end.rcvd.code, end.rcvd.reason) if end.rcvd else (None, "")
            except TimeoutError:
                raise AssertionError(f"not closed within {timeout:g} s") from None


def symbols(*names: str) -> list[dict]:
    return [dict(zip(("exchange", "symbol"), name.split(":", 1))) for name in names]


def name_of(tick: dict) -> str:
    return f"{tick['exchange']}:{tick['symbol']}"


def assert_unbroken(ticks: list[dict]) -> None:
    """`seq` must go up by exactly one from each message of a topic to the next."""
    last: dict[tuple, int] = {}
    for tick in ticks:
        topic = (name_of(tick), tick["mode"], tick["data"].get("depth_level"))
        seq = tick["data"]["seq"]
        assert topic not in last or seq == last[topic] + 1, f"{topic}: seq {last[topic]} is followed by {seq}"
        last[topic] = seq
