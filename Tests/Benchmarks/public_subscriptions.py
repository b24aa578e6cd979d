"""10,000 topics asked for at once on the public socket: when do they count, and how late do ticks get meanwhile?

A client in a process of its own takes the time from the host's receipt (`timestamp`, whole milliseconds) to its own read, at
1,000 ticks a second. The last of the topics is the only live one, so its first message says that all have been read.

    make bench-public        (release build)
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

import zmq

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "Tests/Integration"))
os.environ.setdefault("FEEDHOST_BIN", str(REPO / ".build/release/feedhost"))
os.environ.setdefault("FEEDHOST_PLUGINS", str(REPO / "plugins.d"))

from host import Host  # noqa: E402
from raw import TEXT, RawSocket  # noqa: E402

TOPICS = 10_000
#: Seconds: of quiet before, and that the client listens in all.
QUIET, WHOLE = 2.0, 4.5


def watch(url: str, key: str, found) -> None:
    """Hands over (when it was read, how many milliseconds it took) for each tick."""
    times = []
    with RawSocket(url) as raw:
        raw.open()
        raw.send_json({"action": "authenticate", "api_key": key})
        raw.reply()
        raw.send_json({"action": "subscribe", "mode": "LTP", "symbols": [{"exchange": "NSE", "symbol": "RELIANCE"}]})
        raw.reply()
        end = time.time() + WHOLE
        while (now := time.time()) < end:
            _, opcode, payload = raw.read_frame()
            message = json.loads(payload) if opcode == TEXT else {}
            if message.get("type") == "market_data":
                times.append((now, time.time() * 1000 - message["data"]["timestamp"]))
    found.put(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder), settings={"simulator.rate": 1000})
        host.add_user("alice", "simulator")
        key = host.issue_key("alice")
        host.start()
        found = multiprocessing.Queue()
        client = multiprocessing.Process(target=watch, args=(host.url, key, found))
        client.start()
        subscriber = zmq.Context().socket(zmq.SUB)
        # libzmq drops subscriptions beyond the subscriber's own limit.
        subscriber.setsockopt(zmq.SNDHWM, 0)
        subscriber.connect(host.ready["publisher"])
        time.sleep(QUIET)
        begun = time.time()
        for number in range(TOPICS):
            subscriber.setsockopt(zmq.SUBSCRIBE, f"SIMULATOR_NSE_SYM{number}_LTP".encode())
        subscriber.setsockopt(zmq.SUBSCRIBE, b"SIMULATOR_NSE_RELIANCE_LTP")
        asked = time.time()
        assert subscriber.poll(10_000), "no message came"
        counted = time.time()
        times = found.get()
        client.join()
        host.stop()
    quiet = [late for at, late in times if at < begun]
    meanwhile = [late for at, late in times if begun <= at <= counted + 0.3]
    print(json.dumps({
        "topics": TOPICS + 1, "asked, ms": round((asked - begun) * 1000, 1), "counted, ms": round((counted - begun) * 1000, 1),
        "latest tick in quiet, ms": round(max(quiet), 1), "latest tick meanwhile, ms": round(max(meanwhile), 1)}))


if __name__ == "__main__":
    main()
