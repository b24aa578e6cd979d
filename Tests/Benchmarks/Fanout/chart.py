"""Bar charts as SVG: delivered messages a second, and latency, of all servers side by side."""

from __future__ import annotations

from html import escape
from statistics import median

COLOURS = {"Feedhost": "#0b6bcb", "uWebSockets": "#e07a1f", "NATS": "#3f9142"}
WIDTH, LEFT, RIGHT, BAR, GAP = 880, 250, 110, 16, 14
PANELS = [
    ("Delivered messages a second, highest rate held (longer is better)", "delivered/s, highest held",
     lambda v: f"{v:,.0f}"),
    ("p99 latency in ms at equal load (shorter is better)", "p99, ms", lambda v: f"{v:.1f}"),
    ("Memory of an idle connection in KiB (shorter is better)", "KiB per connection", lambda v: f"{v:.1f}"),
]


def text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal", size: int = 13) -> str:
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
            f'fill="#1f2328">{escape(words)}</text>')


def panel(title: str, row: str, form, records: list[dict], top: float) -> tuple[list[str], float]:
    """The panel's elements and where the next one may begin; nothing when no scenario has such a row."""
    groups = [(record["title"], {server: median(values) for server, values in record["rows"][row].items()})
              for record in records if row in record["rows"]]
    if not groups:
        return [], top
    largest = max((value for _, bars in groups for value in bars.values()), default=0) or 1
    parts = [text(16, top + 18, title, weight="bold", size=15)]
    y = top + 34
    for name, bars in groups:
        label = name.removeprefix("Throughput, ").removeprefix("Latency, ").removeprefix("Memory, ")
        parts.append(text(LEFT - 10, y + len(bars) * BAR / 2 + 4, label, anchor="end"))
        for server, value in bars.items():
            length = max(1, value / largest * (WIDTH - LEFT - RIGHT))
            parts.append(
                f'<rect x="{LEFT}" y="{y:.0f}" width="{length:.1f}" height="{BAR - 3}" fill="{COLOURS.get(server, COLOURS["Feedhost"])}"/>')
            parts.append(text(LEFT + length + 6, y + BAR - 5, form(value), size=12))
            y += BAR
        y += GAP
    return parts, y + 10


def draw(records: list[dict]) -> str:
    parts, y = [], 16.0
    x = 16
    for server, colour in COLOURS.items():
        parts.append(f'<rect x="{x}" y="{y:.0f}" width="12" height="12" fill="{colour}"/>')
        parts.append(text(x + 18, y + 11, server))
        x += 40 + 9 * len(server)
    y += 30
    for title, row, form in PANELS:
        more, y = panel(title, row, form, records, y)
        parts += more
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y:.0f}" viewBox="0 0 {WIDTH} {y:.0f}" '
            'font-family="system-ui, sans-serif" role="img" aria-label="Feedhost compared with its peers">')
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y:.0f}" fill="#ffffff"/>', *parts, "</svg>", ""])
