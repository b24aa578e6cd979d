"""Credentials that change again and again while a client is subscribed: does its session always come back, and does memory?

Each cycle writes new credentials for a user at a simulated Zerodha, waits until the session is connected and subscribed anew,
and looks at the resident memory of the host now and then. Prints a line of JSON. It fails when memory goes on growing: former
values are searched for in what adapters say, the last 256 of a session and 4,096 of an adapter, and so may take their room.

    make bench-credentials        (release build)
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "Tests/Integration"))
os.environ.setdefault("FEEDHOST_BIN", str(REPO / ".build/release/feedhost"))
os.environ.setdefault("FEEDHOST_SIMULATE_BIN", str(REPO / ".build/release/feedhost-simulate"))

from client import Client  # noqa: E402
from host import Host, wait_until  # noqa: E402
from publisher import Publisher  # noqa: E402
from simulator import Simulator  # noqa: E402
from test_openalgo_swap import OpenAlgo, Swap  # noqa: E402


def sqlite(folder: Path, venue: Simulator):
    host = Host(folder, settings={"zerodha.endpoint": venue.url, "zerodha.master_endpoint": venue.endpoints["masters"][0]})
    host.add_user("alice", "zerodha")
    host.set_credentials("alice", "zerodha", api_key="simkey", access_token="simtoken")
    flags = [part for name, value in host.settings.items() for part in ("--set", f"{name}={value}")]
    host.cli("instruments", "sync", "zerodha", *flags, "--plugins", host.plugins[0])
    host.start()
    return host, host.keys["alice"], lambda: host.set_credentials("alice", "zerodha", note=secrets.token_hex(32))


def openalgo(folder: Path, venue: Simulator):
    host = Swap(folder)
    host.openalgo = database = OpenAlgo(
        folder, {"WEBSOCKET_PORT": "0", "BROKER_API_KEY": "simkey", "FEEDHOST_ZERODHA_ENDPOINT": venue.url,
                 "REDIRECT_URL": "http://127.0.0.1:5000/zerodha/callback"})
    database.set_key("alice")
    database.login("alice", "zerodha", "simkey:simtoken")
    database.load_instruments(venue)
    host.start()
    publisher = Publisher(host.ready["bus"])

    def change():
        database.login("alice", "zerodha", "simkey:simtoken", secrets.token_hex(32))
        publisher.publish("CACHE_INVALIDATE_ALL_alice", {"action": "invalidate", "user_id": "alice", "cache_type": "ALL"})

    return host, database.keys["alice"], change


def clear(client: Client) -> None:
    """What has come, notices too, is of no use any more."""
    deadline = time.monotonic() + 0.005
    try:
        while time.monotonic() < deadline:
            client.receive(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        pass


def measure(provider: str, cycles: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        venue = Simulator("zerodha", Path(folder), rate=200, seed=5).start()
        host, key, change = {"sqlite": sqlite, "openalgo": openalgo}[provider](Path(folder) / "host", venue)
        try:
            wanted = {"full": [venue.instruments()["NSE", "RELIANCE"]["key"]]}
            memory, slowest, begin = [], 0.0, time.monotonic()
            with Client(host.url, key) as client:
                client.subscribe("NSE:RELIANCE", mode="Depth")
                venue.wait_subscribed(wanted)
                for cycle in range(cycles):
                    before, changed = venue.state["upgrades"].get("101", 0), time.monotonic()
                    change()
                    wait_until(lambda before=before: venue.state["upgrades"].get("101", 0) > before, "a new connection", 10, 0.005)
                    venue.wait_subscribed(wanted)
                    slowest = max(slowest, time.monotonic() - changed)
                    clear(client)
                    if cycle % max(1, cycles // 10) == cycles // 10 - 1:
                        memory.append(host.resident_kilobytes)
                clear(client)
                while (message := client.receive()).get("type") != "market_data":
                    pass
                assert message["symbol"] == "RELIANCE"
            return {"provider": provider, "cycles": cycles, "seconds": round(time.monotonic() - begin, 1),
                    "slowest restored after, s": round(slowest, 2), "resident kB, each tenth": memory}
        finally:
            host.kill()
            venue.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--provider", choices=["sqlite", "openalgo"], default="openalgo")
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--most", type=int, default=4096, help="kB that the second half may add")
    options = parser.parse_args()
    figures = measure(options.provider, options.cycles)
    print(json.dumps(figures), flush=True)
    memory = figures["resident kB, each tenth"]
    if memory[-1] - memory[len(memory) // 2] > options.most or figures["slowest restored after, s"] > 5:
        sys.exit("memory goes on growing, or a session took too long to come back")


if __name__ == "__main__":
    main()
