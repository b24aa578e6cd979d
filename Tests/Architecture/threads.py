#!/usr/bin/env python3
"""Every lock of the host is in docs/threads.md, as `Owner.lock`, and the page names no lock that is gone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PAGE = REPO / "docs" / "threads.md"
#: The kit is the adapters', the simulator is never in the host.
LEFT_OUT = ("BrokerSimulator", "feedhost-simulate", "AdapterTestKit")
LOCK = re.compile(r"^( *)(?:\w+(?:\(\w+\))? )*(?:let|var) (\w+)(?::| =) Mutex\b")
OWNER = re.compile(r"^( *)(?:[\w@()]+ )*(?:class|struct|enum|actor|extension) (\w+)")


def locks() -> set[str]:
    found = set()
    for file in sorted((REPO / "Sources").rglob("*.swift")):
        if any(part in LEFT_OUT for part in file.parts):
            continue
        owners: list[tuple[int, str]] = []
        for line in file.read_text().splitlines():
            if owner := OWNER.match(line):
                owners = [held for held in owners if held[0] < len(owner[1])] + [(len(owner[1]), owner[2])]
            elif lock := LOCK.match(line):
                inside = [name for depth, name in owners if depth < len(lock[1])]
                found.add(f"{inside[-1]}.{lock[2]}")
    return found


def main() -> int:
    rows = [line for line in PAGE.read_text().split("## Order of locks", 1)[1].splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r"`(\w+\.\w+)`", row.split("|")[1] + row.split("|")[2])}
    present = locks()
    sentences = [f"docs/threads.md does not name the lock `{name}`" for name in sorted(present - named)]
    sentences += [f"docs/threads.md names `{name}`, and there is no such lock" for name in sorted(named - present)]
    print(*sentences, sep="\n", end="\n" if sentences else "", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
