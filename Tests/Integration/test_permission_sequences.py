"""Random requests with restricted keys through the real host: nothing of what a key does not permit may show, by any action.

Each sequence has two clients with one key. Both send the same requests, but where one names an instrument that exists and is
not permitted, the other names one that does not exist: their replies must be the same text. Beside that, every frame that
either of them ever gets is searched for what it must not hold. Seed: FEEDHOST_TEST_SEED, printed when a test fails.
"""

from __future__ import annotations

import fnmatch
import json
import os
import random
import re
import time
from dataclasses import dataclass

from client import STREAMED, Client
from host import wait_until
from publisher import Publisher
from test_permissions import SECOND, issue
from test_permissions import host, venue  # noqa: F401 - fixtures

SEED = int(os.environ.get("FEEDHOST_TEST_SEED", str(random.randrange(1 << 32))))
SEQUENCES = 240
REQUESTS = 8
MODES = ["LTP", "Quote", "Depth"]
NUMBERS = {"LTP": 1, "Quote": 2, "Depth": 3}

#: Both brokers have them.
EXISTING = [("NSE", "RELIANCE"), ("NSE", "TCS"), ("NSE", "INFY"), ("NSE", "SBIN"), ("NSE_INDEX", "NIFTY"), ("BSE", "RELIANCE")]
#: Resembles the symbol, exists nowhere, and no key here permits it unless it permits the symbol.
TWINS = {"RELIANCE": "RELIANCF", "TCS": "TCR", "INFY": "INFX", "SBIN": "SBIM", "NIFTY": "NIFTX"}


@dataclass
class Key:
    options: tuple[str, ...]
    exchanges: tuple[str, ...] | None = None
    symbols: tuple[str, ...] | None = None
    modes: tuple[str, ...] = tuple(MODES)
    orders: bool = True

    def permits(self, exchange, symbol) -> bool:
        return (self.exchanges is None or exchange in self.exchanges) and (
            self.symbols is None or any(fnmatch.fnmatchcase(symbol, pattern) for pattern in self.symbols))


KEYS = {
    "one": Key(("--symbols", "TCS"), symbols=("TCS",)),
    "some": Key(("--symbols", "REL*", "--exchanges", "NSE", "--modes", "ltp,quote"), ("NSE",), ("REL*",), ("LTP", "Quote")),
    "index": Key(("--exchanges", "NSE_INDEX", "--no-orders"), ("NSE_INDEX",), orders=False),
    "few": Key(("--symbols", "T*,INFY", "--max-instruments", "1"), symbols=("T*", "INFY")),
    "none": Key(("--symbols", "NOTHING", "--no-orders"), symbols=("NOTHING",), orders=False),
    "mode": Key(("--exchanges", "NSE,BSE", "--symbols", "?BIN,RELIANCE", "--modes", "depth"), ("NSE", "BSE"),
                ("?BIN", "RELIANCE"), ("Depth",)),
}


def base(symbol) -> str:
    return re.sub(r"(?<=.):[1-9][0-9]*$", "", symbol)


class Restricted:
    """One client, and what it must never hear."""

    def __init__(self, host, name: str):
        self.key, self.name = KEYS[name], name
        self.client = Client(host.url, host.keys[name])
        self.counts = {"ticks": 0, "orders": 0}

    def request(self, message: dict) -> str:
        """The reply's text; what streams in before it is looked at."""
        text = json.dumps(message)
        self.client.send(text)
        while True:
            frame = self.client.ws.recv(20)
            if self.is_streamed(frame) or self.is_notice(frame):
                continue
            assert json.loads(frame).get("request_id") == message["request_id"], f"{self.name}: {frame} to {text}"
            # A name that the client did not write itself must not be in a reply, whole or as part of a sentence.
            for exchange, symbol in EXISTING:
                if not self.key.permits(exchange, symbol) and not any(
                        self.key.permits(other, symbol) for other in ("NSE", "BSE", "NSE_INDEX")):
                    assert symbol in text or symbol not in frame, f"{symbol} in {frame} to {text}"
            return frame

    def is_streamed(self, frame: str) -> bool:
        message = json.loads(frame)
        if message.get("type") not in STREAMED:
            return False
        if message["type"] == "order_update":
            assert self.key.orders and self.key.permits(message["exchange"], message["symbol"]), f"{self.name}: {frame}"
            self.counts["orders"] += 1
        else:
            assert self.key.permits(message["exchange"], base(message["symbol"])), f"{self.name}: {frame}"
            assert message["mode"] in [NUMBERS[mode] for mode in self.key.modes], f"{self.name}: {frame}"
            assert base(message["data"]["symbol"]) == base(message["symbol"]), frame
            self.counts["ticks"] += 1
        return True

    def is_notice(self, frame: str) -> bool:
        """What is said of the broker's connection, or of a machine too slow to read; it comes at any time, to whomever."""
        message = json.loads(frame)
        if message.get("type") != "notice":
            return False
        assert not any(symbol in frame for _, symbol in EXISTING), f"{self.name}: {frame}"
        return True

    def finish(self) -> None:
        """Whatever is on its way is looked at too."""
        self.request({"action": "ping", "request_id": "the last"})
        deadline = time.monotonic() + 0.005
        try:
            while time.monotonic() < deadline:
                frame = self.client.ws.recv(max(0, deadline - time.monotonic()))
                assert self.is_streamed(frame) or self.is_notice(frame), frame
        except TimeoutError:
            pass
        self.client.close()


def ask(client: Client, message: dict) -> dict:
    """The reply to a request, whatever else is said meanwhile."""
    client.send(message | {"request_id": "ask"})
    while (reply := client.reply()).get("request_id") != "ask":
        assert reply["type"] == "notice", reply
    return reply


def entry(random_: random.Random) -> dict:
    exchange, symbol = random_.choice(EXISTING)
    symbol = random_.choice([symbol] * 6 + [symbol[0] + "ZZZ", symbol.lower(), "*", "?" * len(symbol), symbol[:-1], symbol + "X"])
    symbol += random_.choice([""] * 5 + [":20", ":5", ":0"])
    exchange = random_.choice([exchange] * 6 + ["NSE", "BSE", "NOWHERE", exchange.lower()])
    found = {"symbol": symbol, "exchange": exchange}
    if random_.random() < 0.2:
        found["mode"] = random_.choice(MODES)
    return found


def request(random_: random.Random) -> dict:
    action = random_.choice(
        ["subscribe"] * 8 + ["unsubscribe"] * 3 + ["unsubscribe_all", "subscribe_orders", "unsubscribe_orders",
                                                   "get_broker_info", "get_supported_brokers", "ping", "nonsense"])
    message = {"action": action}
    if action in ("subscribe", "unsubscribe"):
        if random_.random() < 0.3:
            message |= entry(random_)
        else:
            message["symbols"] = [entry(random_) for _ in range(random_.randrange(1, 5))]
        if random_.random() < 0.9:
            message["mode"] = random_.choice(MODES + [1, 2, 3, 0, "all"])
        if random_.random() < 0.2:
            message["depth"] = random_.choice([5, 20, 30, 0, -1])
    if random_.random() < 0.25 and action not in ("ping", "nonsense"):
        message["broker"] = random_.choice([SECOND, "simulator", "angel", "", 7])
    return message | {"request_id": random_.randrange(1 << 30)}


def twin(message: dict, key: Key) -> dict:
    """The same request, where what exists and is not permitted is something that does not exist."""
    def other(found: dict) -> dict:
        name = base(found["symbol"])
        exists = (found["exchange"], name) in EXISTING
        if not exists or key.permits(found["exchange"], name):
            return found
        assert not key.permits(found["exchange"], TWINS[name])
        return found | {"symbol": TWINS[name] + found["symbol"][len(name):]}

    if "symbols" in message:
        return message | {"symbols": [other(found) for found in message["symbols"]]}
    return other(message) if "symbol" in message else message


def same(frame: str, message: dict, mirrored: dict) -> str:
    """The twin's reply with the names that the first client wrote, entry by entry."""
    text = frame
    for mine, its in zip(message.get("symbols", [message]), mirrored.get("symbols", [mirrored])):
        if mine.get("symbol") != its.get("symbol"):
            text = text.replace(f'"symbol":"{its["symbol"]}"', f'"symbol":"{mine["symbol"]}"')
    return timeless(text, message)


def timeless(text: str, message: dict) -> str:
    """Without what differs between any two moments: the time, how the broker's connection is, and the order in which everything
    is left."""
    if message["action"] == "unsubscribe_all":
        reply = json.loads(text)
        return json.dumps(reply | {"successful": sorted(map(json.dumps, reply.get("successful", [])))})
    text = re.sub(r'"adapter_status":"(connected|connecting|disconnected)"', '"adapter_status":""', text)
    return re.sub(r'"server_timestamp":\d+', '"server_timestamp":0', text)


def replay(host, name: str, said: list[tuple[dict, dict]]) -> tuple[str, str]:
    """The same with two new clients: the last replies."""
    first, second = Restricted(host, name), Restricted(host, name)
    for message, mirrored in said:
        mine, its = first.request(message), second.request(mirrored)
    for client in (first, second):
        client.finish()
    return timeless(mine, message), same(its, message, mirrored)


def test_nothing_that_is_not_permitted_shows(host):  # noqa: F811
    print(f"seed {SEED}: FEEDHOST_TEST_SEED={SEED}")
    for name, key in KEYS.items():
        issue(host, name, *key.options)
    random_ = random.Random(SEED)
    counts = {"ticks": 0, "orders": 0, "replies": 0, "refused": 0, "granted": 0, "different": 0, "again": 0}
    # Somebody who may see everything, so that there are ticks, last values and order updates to see.
    with Client(host.url, host.keys["alice"]) as free, Publisher(host.ready["bus"]) as publisher:
        for broker in ("simulator", SECOND):
            for mode in MODES:
                ask(free, {"action": "subscribe", "mode": mode, "broker": broker,
                           "symbols": [{"exchange": exchange, "symbol": symbol} for exchange, symbol in EXISTING]})
            # Otherwise the session would come and go with the clients that are compared.
            wait_until(lambda broker=broker: ask(free, {"action": "get_broker_info", "broker": broker}).get(
                "adapter_status") == "connected", f"{broker}'s session")
        for number in range(SEQUENCES):
            name = list(KEYS)[number % len(KEYS)]
            first, second, said = Restricted(host, name), Restricted(host, name), []
            for _ in range(REQUESTS):
                message = request(random_)
                mirrored = twin(message, KEYS[name])
                exchange, symbol = random_.choice(EXISTING)
                publisher.publish("SIMULATOR_alice_orders", {
                    "type": "order_update", "user_id": "alice", "mode": "live", "broker": "simulator", "orderid": str(number),
                    "symbol": symbol, "exchange": exchange, "action": "BUY", "quantity": 1, "order_status": "open"})
                said.append((message, mirrored))
                mine, its = first.request(message), second.request(mirrored)
                got, expected = timeless(mine, message), same(its, message, mirrored)
                if got != expected:
                    # The broker's connection may have changed between the two. A hint is there every time.
                    print(f"{name}: {message}\n{got}\n{expected}")
                    counts["again"] += 1
                    got, expected = replay(host, name, said)
                assert got == expected, f"{name}: {said}\n{got}\n{expected}"
                counts["replies"] += 1
                counts["different"] += message != mirrored
                counts["refused"] += mine.count("NOT_PERMITTED")
                counts["granted"] += '"type":"subscribe"' in mine and mine.count('"status":"success"')
            for client in (first, second):
                client.finish()
                for what, count in client.counts.items():
                    counts[what] += count
            ask(free, {"action": "ping"})
            free.waiting.clear()
    print(counts)
    assert counts["again"] < 5, counts
    # Otherwise nothing was shown.
    assert counts["different"] > 300 and counts["refused"] > 500 and counts["granted"] > 20, counts
    assert counts["ticks"] > 20 and counts["orders"] > 20, counts
