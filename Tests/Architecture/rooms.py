#!/usr/bin/env python3
"""The rooms of the house as they really are: who imports whom, and whether anything goes in a circle.

    Tests/Architecture/rooms.py           checks: no circle of rooms, none of folders within a room, picture and table true
    Tests/Architecture/rooms.py --write   draws docs/architecture.svg and the table in docs/architecture.md anew
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PICTURE = REPO / "docs" / "architecture.svg"
PAGE = REPO / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: begin -->", "<!-- rooms: end -->"

IMPORT = re.compile(r"^(?:@\w+ )*(?:public |package |internal )?import (?:\w+ )?(\w+)", re.MULTILINE)
DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |open |final |nonisolated |indirect )*"
    r"(?:class|struct|enum|actor|protocol|typealias) (\w+)", re.MULTILINE)
NAME = re.compile(r"\b[A-Z]\w+\b")
#: What stands in quotes or behind slashes names types without using them. An interpolation is lost with its text.
NOISE = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"')

#: Beside the host, and what strangers build on: in other colours in the picture.
BESIDE = {"BrokerSimulator", "feedhost-simulate"}
OUTSIDE = {"AdapterKit", "AdapterTestKit", "CFeedhostABI", "plugins"}


def folders() -> dict[str, Path]:
    """Each room's folder. The kit is a package of its own, with rooms of its own."""
    rooms = {}
    for folder in sorted((REPO / "Sources").iterdir()):
        if (folder / "Package.swift").exists():
            rooms |= {room.name: room for room in sorted((folder / "Sources").iterdir()) if room.is_dir()}
        elif folder.is_dir():
            rooms[folder.name] = folder
    rooms |= {"plugins": REPO / "Plugins"}
    return rooms


def arrows(rooms: dict[str, Path]) -> dict[str, set[str]]:
    """By room, the rooms that its files import."""
    found = {}
    for room, folder in rooms.items():
        imported = {name for file in folder.rglob("*.swift") for name in IMPORT.findall(file.read_text())}
        found[room] = (imported & rooms.keys()) - {room}
    return found


def circle(graph: dict[str, set[str]]) -> list[str] | None:
    """One circle, as the names that it goes through; None when there is none."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str] | None:
        if node in way:
            return [*way[way.index(node):], node]
        if node in done:
            return None
        for following in sorted(graph.get(node, ())):
            if found := walk(following, [*way, node]):
                return found
        done.add(node)
        return None

    return next((found for node in sorted(graph) if (found := walk(node, []))), None)


def uses(folder: Path) -> dict[str, dict[str, str]]:
    """By folder of a room, the other folders whose types it uses, each with an example."""
    texts = {file: NOISE.sub("", file.read_text()) for file in sorted(folder.rglob("*.swift"))}
    home = {name: file.parent for file, text in texts.items() for name in DECLARATION.findall(text)}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for file, text in texts.items():
        for name in sorted(set(NAME.findall(text)) & home.keys()):
            if home[name] != file.parent:
                here, there = (str(path.relative_to(folder)) for path in (file.parent, home[name]))
                found[here].setdefault(there, f"{file.name} uses {name}")
    return found


def lost(page: str) -> list[str]:
    """Files that the page names and nobody finds."""
    there = {file.name for file in (REPO / "Sources").rglob("*.swift")}
    named = re.findall(r"`(?:[\w<>.]+/)*([\w+]+\.swift)`", page)
    return [f"docs/{PAGE.name} names {name}, which is nowhere in Sources" for name in named if name not in there]


def faults(rooms: dict[str, Path], graph: dict[str, set[str]]) -> list[str]:
    sentences = lost(PAGE.read_text())
    if found := circle(graph):
        sentences.append(f"rooms import one another in a circle: {' → '.join(found)}")
    for room, folder in rooms.items():
        if room == "plugins":
            continue
        between = uses(folder)
        if found := circle({here: set(there) for here, there in between.items()}):
            steps = [f"{a} → {b} ({between[a][b]})" for a, b in zip(found, found[1:])]
            sentences.append(f"folders of {room} use one another in a circle: {'; '.join(steps)}")
    return sentences


# MARK: Drawing


def levels(graph: dict[str, set[str]]) -> dict[str, int]:
    """How far a room is above those that import nothing."""
    found: dict[str, int] = {}

    def level(room: str) -> int:
        if room not in found:
            found[room] = 1 + max((level(below) for below in graph[room]), default=-1)
        return found[room]

    for room in graph:
        level(room)
    return found


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without arrows that follow from others: the way from A to C where A leads to B and B to C."""
    def reach(room: str) -> set[str]:
        return set().union(*({below} | reach(below) for below in graph[room])) if graph[room] else set()

    return {room: {below for below in graph[room]
                   if not any(below in reach(other) for other in graph[room] - {below})} for room in graph}


def draw(graph: dict[str, set[str]]) -> str:
    """System libraries are left out: the table has them."""
    graph = {room: {below for below in others if not library(below)} for room, others in graph.items() if not library(room)}
    height = levels(graph)
    rows: dict[int, list[str]] = defaultdict(list)
    for room in sorted(graph):
        rows[height[room]].append(room)
    top, box, gap, step, edge = max(rows), (136, 34), 20, 96, 20
    width = max(len(row) for row in rows.values()) * (box[0] + gap) - gap + 2 * edge
    centre: dict[str, tuple[float, float]] = {}
    lines = reduced(graph)
    for level in range(top + 1):
        # Each near those that it leads to, so that few arrows cross.
        def wish(room: str) -> float:
            below = [centre[other][0] for other in lines[room] if other in centre]
            return sum(below) / len(below) if below else width / 2

        row = sorted(rows[level], key=lambda room: (wish(room), room))
        whole = len(row) * (box[0] + gap) - gap
        for index, room in enumerate(row):
            x = (width - whole) / 2 + index * (box[0] + gap) + box[0] / 2
            centre[room] = (x, edge + box[1] / 2 + (top - level) * step)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top * step + box[1] + 2 * edge}" '
        'font-family="sans-serif" font-size="14">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#666"/></marker></defs>',
        f'<rect width="{width}" height="{top * step + box[1] + 2 * edge}" fill="#fff"/>',
    ]
    for room in sorted(lines):
        for below in sorted(lines[room]):
            (x1, y1), (x2, y2) = centre[room], centre[below]
            start, end = y1 + box[1] / 2, y2 - box[1] / 2 - 2
            bend = (end - start) / 2
            parts.append(f'<path d="M{x1:.0f},{start:.0f} C{x1:.0f},{start + bend:.0f} {x2:.0f},{end - bend:.0f} '
                         f'{x2:.0f},{end:.0f}" fill="none" stroke="#666" marker-end="url(#tip)"/>')
    for room in sorted(centre):
        x, y = centre[room]
        fill = "#fdf3d8" if room in BESIDE else "#e3f1dc" if room in OUTSIDE else "#dbe9f8"
        parts.append(f'<rect x="{x - box[0] / 2:.0f}" y="{y - box[1] / 2:.0f}" width="{box[0]}" height="{box[1]}" '
                     f'rx="4" fill="{fill}" stroke="#444"/>')
        parts.append(f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle">{room}</text>')
    return "\n".join([*parts, "</svg>", ""])


def library(room: str) -> bool:
    return room in {"CZeroMQ", "CZlib", "CArgon2"}


def table(graph: dict[str, set[str]]) -> str:
    height = levels(graph)
    rows = [f"| `{room}` | {', '.join(f'`{below}`' for below in sorted(graph[room])) or '–'} |"
            for room in sorted(graph, key=lambda room: (-height[room], room.lower()))]
    return "\n".join(["| room | imports |", "|---|---|", *rows])


def main() -> int:
    rooms = folders()
    graph = arrows(rooms)
    sentences = faults(rooms, graph)
    page = PAGE.read_text()
    head, rest = page.split(BEGIN, 1)
    wanted = f"{head}{BEGIN}\n{table(graph)}\n{END}{rest.split(END, 1)[1]}"
    if "--write" in sys.argv[1:] and not sentences:
        PICTURE.write_text(draw(graph))
        PAGE.write_text(wanted)
        return 0
    if not sentences:
        for file, text in [(PICTURE, draw(graph)), (PAGE, wanted)]:
            if not file.exists() or file.read_text() != text:
                sentences.append(f"{file.relative_to(REPO)} does not show the rooms as they are: run {sys.argv[0]} --write")
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
