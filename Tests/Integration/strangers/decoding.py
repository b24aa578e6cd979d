"""What our adapter makes of the frames that a stranger has received: the `.so` behind a host of one page, written in C."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from host import REPO, plugins_folder

LTP, QUOTE, DEPTH = 1, 2, 4


@dataclass
class Wish:
    handle: int
    exchange: str
    symbol: str
    mode: int
    broker_exchange: str
    token: str
    depth: int = 0


@dataclass
class Decoded:
    """What one frame has become."""

    ticks: list[dict] = field(default_factory=list)
    orders: list[dict] = field(default_factory=list)
    others: list[dict] = field(default_factory=list)


def decode(
    broker: str, library: str, wishes: list[Wish], frames: list[bytes | str], *, credentials: dict[str, str],
    first: list[str] = (), link: int = 0, orders: bool = False,
) -> list[Decoded]:
    """One `Decoded` for each of `frames`. `first` are messages between the connect and the subscriptions; with `orders`,
    order updates are wanted."""
    tool = Path(os.environ.get("FEEDHOST_FIXTURES") or REPO / ".build/fixtures") / "examples/decode"
    lines = ["credentials " + " ".join(f"{name}={value}" for name, value in credentials.items()), "connect"]
    lines += [f"text {message}" for message in first]
    lines += ["orders"] if orders else []
    for wish in wishes:
        lines.append(
            f"subscribe {wish.handle} {wish.exchange} {wish.symbol} {wish.mode} {wish.depth} {wish.broker_exchange} "
            f"{wish.token}")
    for frame in frames:
        lines.append(f"text {frame}" if isinstance(frame, str) else f"binary {frame.hex()}")
    result = subprocess.run(
        [str(tool), str(plugins_folder() / f"{library}.so"), broker, str(link)], input="\n".join(lines) + "\n",
        capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    decoded = [Decoded()]
    for line in result.stdout.splitlines():
        event = json.loads(line)
        if "frame" in event:
            decoded.append(Decoded())
        elif "tick" in event:
            decoded[-1].ticks.append(event)
        elif "order" in event:
            decoded[-1].orders.append(event)
        else:
            decoded[-1].others.append(event)
    # Behind the last frame nothing comes.
    return decoded[len(first):-1]


@dataclass
class Comparison:
    """Counts what was compared, and keeps the first differences."""

    values: int = 0
    differences: list[str] = field(default_factory=list)

    def equal(self, ours, theirs, what: str) -> None:
        self.values += 1
        if ours != theirs and len(self.differences) < 20:
            self.differences.append(f"{what}: ours {ours!r}, theirs {theirs!r}")

    def check(self, at_least: int) -> None:
        print(f"{self.values} values compared")
        assert not self.differences, "\n".join(self.differences)
        assert self.values >= at_least, f"only {self.values} values were compared"
