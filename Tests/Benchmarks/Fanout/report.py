"""Figures as Markdown, put between the markers of docs/performance.md; the rest of that page is written by hand."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import chart
from servers import Feedhost, UWebSockets
from tools import BenchmarkError

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
#: Rows in which a ratio to uWebSockets says nothing.
NOT_COMPARED = ("ticks/s at that", "MiB without", "MiB at the end", "messages that", "of the 100", "delivered, %", "p99 beside")


def number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cell(values: list[float]) -> str:
    if not values:
        return "–"
    least, most = number(min(values)), number(max(values))
    return number(median(values)) if least == most else f"{number(median(values))} ({least}–{most})"


def ratio(columns: dict[str, list[float]]) -> str:
    """The median of the ratios of runs that followed each other."""
    pairs = zip(columns.get(Feedhost.title, []), columns.get(UWebSockets.title, []))
    ratios = [ours / theirs for ours, theirs in pairs if theirs]
    return f"{median(ratios):.2f}" if ratios else "–"


def table(record: dict) -> list[str]:
    rows = record["rows"]
    columns = list(dict.fromkeys(column for values in rows.values() for column in values))
    compared = {Feedhost.title, UWebSockets.title} <= set(columns)
    heads = ["", *columns] + (["Feedhost : uWebSockets"] if compared else [])
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, values in rows.items():
        cells = [name, *(cell(values.get(column, [])) for column in columns)]
        if compared:
            cells.append("" if name.startswith(NOT_COMPARED) else ratio(values))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def section(record: dict) -> list[str]:
    what = record["what"][0].upper() + record["what"][1:]
    return [f"### {record['title']}", "", f"{what}.", "", *table(record), "",
            f"`{record['command']}`, {record['date']}, {record['repetitions']} × {record['seconds']:g} s, load average "
            f"before it {record['load_average']:.1f}."
            + ("".join(f" {peer}: {why}." for peer, why in record["absent"].items())), ""]


def write(records: list[dict], machine: str, folder: Path) -> None:
    """Replaces what lies between the markers, and draws the chart. The page is made if there is none."""
    lines = [BEGIN, "", f"Machine: {machine}.", ""]
    if any(record["quick"] for record in records):
        lines += ["**Quick runs: they show that the benchmark works, and measure nothing.**", ""]
    lines += ["![Feedhost and its peers](performance.svg)", ""]
    for record in records:
        lines += section(record)
    page = folder / "performance.md"
    text = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise BenchmarkError(f"{page} has lost its markers {BEGIN} and {END}")
    page.write_text(before + "\n".join(lines) + END + after)
    (folder / "performance.svg").write_text(chart.draw(records))
