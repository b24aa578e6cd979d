"""100 wrong keys a second for a minute: what does a client that is in notice of it, and what becomes of the attacker?

A publisher outside sends a tick every few milliseconds, a client that has authenticated takes the time of each, and quiet
minutes alternate with attacked ones. The host has one core, everything else the other one. With `openalgo` most rows can be
compared by their Argon2 hashes alone, so a wrong key is worth half a second of work. `--spread` lets each wrong key come from
one of 100 addresses, none of which is over its limit. Prints a line of JSON for each pair of minutes, and one for all.

    make bench-wrong-keys        (release build; Linux with taskset)
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import secrets
import selectors
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "Tests/Integration"))
os.environ.setdefault("FEEDHOST_BIN", str(REPO / ".build/release/feedhost"))

from broker import cpu_seconds, pin  # noqa: E402
from host import Host, wait_until  # noqa: E402
from publisher import Publisher  # noqa: E402
from raw import TEXT, RawSocket, frame  # noqa: E402
from test_openalgo_swap import OpenAlgo, Swap  # noqa: E402

MULTIPROCESSING = multiprocessing.get_context("fork")
#: Users of whose keys OpenAlgo's database has nothing but the hash.
HASHED = 3
TOPIC = "NSE_RELIANCE_LTP"


# MARK: Processes


def publish(bus: str, interval: float, stop) -> None:
    with Publisher(bus) as publisher:
        due = time.monotonic()
        while not stop.is_set():
            publisher.publish(TOPIC, {"ltp": 1400.5, "sent": time.monotonic_ns()})
            due += interval
            time.sleep(max(0.0, due - time.monotonic()))


def watch(url: str, key: str, stop, found) -> None:
    """Hands over (when it was sent, how long it took) for each tick, in nanoseconds."""
    times: list[tuple[int, int]] = []
    with RawSocket(url) as raw:
        raw.open()
        raw.send_json({"action": "authenticate", "api_key": key})
        assert raw.reply()["status"] == "success"
        raw.send_json({"action": "subscribe", "mode": "LTP", "symbols": [{"exchange": "NSE", "symbol": "RELIANCE"}]})
        assert raw.reply()["status"] == "success"
        while not stop.is_set():
            _, opcode, payload = raw.read_frame()
            now = time.monotonic_ns()
            if opcode == TEXT:
                at = payload.find(b'"sent":') + 7
                sent = int(payload[at:at + 20].split(b"}")[0].split(b",")[0])
                times.append((sent, now - sent))
            elif opcode == 9:
                raw.send(frame(10, payload))
    found.put(times)


class Attack:
    """So many wrong keys a second, whatever the host makes of them: who is kept waiting by one connection uses another."""

    def __init__(self, url: str, rate: int, spread: bool, fresh: bool):
        self.url, self.rate, self.spread, self.fresh = url, rate, spread, fresh
        self.selector = selectors.DefaultSelector()
        self.idle: list[RawSocket] = []
        self.answers: dict[str, int] = {}
        self.shown = self.connections = 0

    def run(self, seconds: float, found) -> None:
        os.nice(10)  # It stands for other machines.
        begin = time.monotonic()
        while (now := time.monotonic() - begin) < seconds:
            while self.shown < now * self.rate:
                self.show()
            for key, _ in self.selector.select(max(0.0, (self.shown + 1) / self.rate - (time.monotonic() - begin))):
                self.hear(key.fileobj, key.data)
        for key in list(self.selector.get_map().values()):
            key.data.close()
        found.put({"shown": self.shown, "connections": self.connections} | self.answers)

    def show(self) -> None:
        self.shown += 1
        raw = self.idle.pop() if self.idle and not self.fresh else self.connect()
        try:
            raw.send_json({"action": "authenticate", "api_key": secrets.token_hex(32)})
        except OSError:
            self.leave(raw)

    def connect(self) -> RawSocket:
        self.connections += 1
        raw = RawSocket(self.url, timeout=10)
        headers = {"X-Forwarded-For": f"192.0.2.{random.randrange(100)}"} if self.spread else {}
        raw.open(headers=headers)
        self.selector.register(raw.socket, selectors.EVENT_READ, raw)
        return raw

    def hear(self, _, raw: RawSocket) -> None:
        try:
            _, opcode, payload = raw.read_frame()
        except (EOFError, OSError):
            return self.leave(raw)
        if opcode == 8:
            self.count("closed")
            return self.leave(raw)
        if opcode == TEXT:
            self.count(json.loads(payload).get("code", "none"))
            self.leave(raw) if self.fresh else self.idle.append(raw)

    def count(self, what: str) -> None:
        self.answers[what] = self.answers.get(what, 0) + 1

    def leave(self, raw: RawSocket) -> None:
        self.selector.unregister(raw.socket)
        raw.close()
        if raw in self.idle:
            self.idle.remove(raw)


# MARK: Hosts


def start(provider: str, folder: Path, spread: bool) -> tuple[Host, str]:
    environment = {"WS_PROXY_STATS_FILE": "stats.json", "WEBSOCKET_PORT": "0"}
    if spread:
        environment["FEEDHOST_TRUSTED_PROXIES"] = "127.0.0.1"
    if provider == "sqlite":
        host = Host(folder, env=environment, plugins=[])
        key = host.add_user("alice", "external")
    else:
        host = Swap(folder, env=environment, plugins=[])
        host.openalgo = OpenAlgo(folder, {})
        key = host.openalgo.set_key("alice")
        host.openalgo.login("alice", "external", "no-token-is-needed")
        for number in range(HASHED):
            host.openalgo.set_key(f"hashed{number}", is_readable=False)
    return host.start(), key


def counters(host: Host) -> dict[str, int]:
    try:
        return json.loads((host.folder / "stats.json").read_text())["counters"]
    except (OSError, ValueError):
        return {}


# MARK: Figures


def percentiles(times: list[tuple[int, int]], begin: float, end: float) -> dict[str, float]:
    """In microseconds, of what was sent in that time."""
    taken = sorted(took for sent, took in times if begin * 1e9 <= sent < end * 1e9)
    at = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {"ticks": len(taken)} | {
        name: round(taken[int(len(taken) * part)] / 1000) for name, part in at.items()} | {"most": round(taken[-1] / 1000)}


def measure(options) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        host, key = start(options.provider, Path(folder) / "host", options.spread)
        stop, found, attacked = MULTIPROCESSING.Event(), MULTIPROCESSING.Queue(), MULTIPROCESSING.Queue()
        os.sched_setaffinity(0, {1 % os.cpu_count()})
        pin(host.process.pid, 0)
        helpers = [
            MULTIPROCESSING.Process(target=watch, args=(host.url, key, stop, found), daemon=True),
            MULTIPROCESSING.Process(target=publish, args=(host.ready["bus"], 1 / options.ticks, stop), daemon=True)]
        try:
            for helper in helpers:
                helper.start()
            time.sleep(3)
            minutes: list[dict] = []
            for _ in range(options.rounds):
                minute = {}
                for name in ("quiet", "attack"):
                    begin, used = time.monotonic(), cpu_seconds(host.process.pid)
                    if name == "attack":
                        attack = Attack(host.url, options.rate, options.spread, options.fresh)
                        attacker = MULTIPROCESSING.Process(target=attack.run, args=(options.seconds, attacked), daemon=True)
                        attacker.start()
                    time.sleep(options.seconds)
                    minute[name] = {"from": begin, "to": time.monotonic(),
                                    "core": round((cpu_seconds(host.process.pid) - used) / options.seconds, 3)}
                    if name == "attack":
                        minute["attacker"] = attacked.get(timeout=30)
                        attacker.join()
                minutes.append(minute)
            # The stats file is written every ten seconds.
            time.sleep(11)
            counts = counters(host)
            stop.set()
            times = found.get(timeout=60)
        finally:
            stop.set()
            for helper in helpers:
                helper.terminate()
            host.stop()
    return report(options, minutes, times, counts)


def report(options, minutes: list[dict], times, counts) -> bool:
    every = {"quiet": [], "attack": []}
    for minute in minutes:
        for name in every:
            span = minute[name]
            every[name] += [each for each in times if span["from"] * 1e9 <= each[0] < span["to"] * 1e9]
            minute[name] = percentiles(times, span["from"], span["to"]) | {"core": span["core"]}
        print(json.dumps(minute | {"ratio of p99": round(minute["attack"]["p99"] / minute["quiet"]["p99"], 2)}), flush=True)
    total = {name: percentiles(all_, 0, 1e18) for name, all_ in every.items()}
    ratio = total["attack"]["p99"] / total["quiet"]["p99"]
    print(json.dumps({
        "provider": options.provider, "spread": options.spread, "rate": options.rate, "seconds": options.seconds} | total | {
        "ratio of p99": round(ratio, 2), "attempts not looked at": counts.get("proxy_limited_authentications", 0),
        "refused": counts.get("proxy_auth_failures", 0)}), flush=True)
    return ratio <= options.most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--provider", choices=["sqlite", "openalgo"], default="sqlite")
    parser.add_argument("--spread", action="store_true", help="from 100 addresses instead of one")
    parser.add_argument("--fresh", action="store_true", help="a connection for each key")
    parser.add_argument("--rate", type=int, default=100, help="wrong keys a second")
    parser.add_argument("--ticks", type=int, default=200, help="ticks a second")
    parser.add_argument("--seconds", type=float, default=60, help="of each minute")
    parser.add_argument("--rounds", type=int, default=2, help="pairs of minutes")
    parser.add_argument("--most", type=float, default=1.2, help="largest ratio of p99 that is no failure")
    if not measure(parser.parse_args()):
        sys.exit("an authenticated client notices the attack")


if __name__ == "__main__":
    main()
