"""3,000 symbols in Depth through Zerodha's simulator at 20,000 packets a second, on a host that has one core: is anything lost,
is anything stale? Prints a line of JSON and fails if so.

    make bench-broker        (release builds; Linux with taskset; the host on core 0, everything else on core 1)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "Tests/Integration"))
os.environ.setdefault("FEEDHOST_BIN", str(REPO / ".build/release/feedhost"))
os.environ.setdefault("FEEDHOST_SIMULATE_BIN", str(REPO / ".build/release/feedhost-simulate"))

from host import Host, wait_until  # noqa: E402
from raw import RawSocket  # noqa: E402
from simulator import Simulator  # noqa: E402


def pin(pid: int, core: int) -> None:
    subprocess.run(["taskset", "-apc", str(core), str(pid)], check=True, stdout=subprocess.DEVNULL)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Counter:
    """Reads ticks, and looks at each: the last price and sequence number of every symbol. By hand, since a library takes
    longer for a message than the host."""

    def __init__(self, raw: RawSocket):
        self.raw = raw
        self.buffer = raw.buffer
        self.last: dict[bytes, tuple[int, bytes]] = {}
        self.messages = self.gaps = 0

    def read(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self.raw.socket.settimeout(rest)
            try:
                data = self.raw.socket.recv(1 << 20)
            except TimeoutError:
                return
            if not data:
                raise EOFError("the host has closed the connection")
            self.scan(self.buffer + data)

    def scan(self, data: bytes) -> None:
        start, end = 0, len(data)
        while end - start >= 4:
            length, head = data[start + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[start + 2:start + 4], "big"), 4
            elif length == 127:
                if end - start < 10:
                    break
                length, head = int.from_bytes(data[start + 2:start + 10], "big"), 10
            if start + head + length > end:
                break
            if data[start] == 0x81:
                self.take(data, start + head, start + head + length)
            start += head + length
        self.buffer = data[start:]

    def take(self, data: bytes, start: int, end: int) -> None:
        symbol = data.find(b'"symbol":"SIM', start, end)
        price = data.find(b'"ltp":', symbol, end)
        sequence = data.rfind(b'"seq":', price, end)
        if symbol < 0 or price < 0 or sequence < 0:
            return
        name = data[symbol + 10:symbol + 18]
        number = int(data[sequence + 6:data.find(b"}", sequence, end)])
        known = self.last.get(name)
        if known is not None and number != known[0] + 1:
            self.gaps += 1
        self.last[name] = (number, data[price + 6:data.find(b",", price, end)])
        self.messages += 1


def run(options) -> dict:
    folder = Path(tempfile.mkdtemp(prefix="feedhost-bench-"))
    venue = Simulator("zerodha", folder, rate=options.rate, seed=5, instruments=options.symbols).start()
    pin(venue.process.pid, 1)
    settings = {"zerodha.endpoint": venue.url, "zerodha.master_endpoint": venue.endpoints["masters"][0]}
    host = Host(folder / "host", settings=settings, plugins=[Path(options.plugins)], env={
        "FEEDHOST_INSTRUMENTS_REFRESH": "never", "WS_PROXY_STATS_FILE": str(folder / "stats.json")})
    try:
        host.add_user("bench", "zerodha")
        host.set_credentials("bench", "zerodha", api_key=venue.api_key, access_token="simtoken")
        flags = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        host.cli("instruments", "sync", "zerodha", *flags, "--plugins", options.plugins)
        host.start()
        pin(host.process.pid, 0)
        with RawSocket(host.url) as socket:
            socket.open().send_json({"action": "authenticate", "api_key": host.keys["bench"]})
            assert socket.reply()["status"] == "success"
            symbols = [{"exchange": "NSE", "symbol": f"SIM{n + 1:05d}"} for n in range(options.symbols)]
            socket.send_json({"action": "subscribe", "mode": "Depth", "symbols": symbols})
            counter = Counter(socket)
            wait_until(lambda: counter.read(0.2) or len(counter.last) == options.symbols, "ticks of every symbol", 60)
            counter.messages = 0
            packets, cpu, begun = venue.connections()[0]["packets"], cpu_seconds(host.process.pid), time.monotonic()
            counter.read(options.seconds)
            seconds = time.monotonic() - begun
            packets, cpu = venue.connections()[0]["packets"] - packets, cpu_seconds(host.process.pid) - cpu
            messages = counter.messages
            # One more tick of everything, and then nothing: whoever shows another price is stale.
            venue.fault("pause")
            venue.fault("emit")
            counter.read(2)
            rows = {row["symbol"]: row for row in venue.get("/_sim/instruments?exchange=NSE")}
            stale = sum(
                1 for symbol, (_, price) in counter.last.items()
                if float(price) != rows[symbol.decode()]["ltp"] / 10 ** -rows[symbol.decode()]["price_exponent"])
        wait_until(lambda: (folder / "stats.json").exists(), "the statistics")
        counters = json.loads((folder / "stats.json").read_text())["counters"]
        dropped = sum(value for name, value in counters.items() if "drop" in name or name.endswith("conflated"))
        return {
            "symbols": options.symbols, "packets_per_s": round(packets / seconds), "messages_per_s": round(messages / seconds),
            "gaps": counter.gaps, "stale": stale, "dropped": dropped, "host_cpu_percent": round(100 * cpu / seconds, 1)}
    finally:
        host.stop()
        venue.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--symbols", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--plugins", default=str(REPO / "plugins.d"))
    os.sched_setaffinity(0, {1})
    figures = run(parser.parse_args())
    print(json.dumps(figures))
    sys.exit(1 if figures["gaps"] or figures["stale"] or figures["dropped"] else 0)
