"""What README.md and docs/ tell people to type: the fenced blocks, and the indented commands, with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from host import REPO

#: Pages whose blocks are tried, each in a folder and a network of its own.
PAGES = [
    "README.md", "docs/authentication.md", "docs/adapters.md", "docs/accounts.md", "docs/listeners.md", "docs/bus.md",
    "docs/simulators.md", "docs/terminal.md",
]
#: An indented line counts as a command when it begins with one of these.
COMMANDS = ("make ", "feedhost ", "feedhost-simulate ", "echo ", "pip ")


@dataclass(frozen=True)
class Block:
    page: str
    #: Of its first line of text, from 1.
    line: int
    #: What stands behind the fence; `indented` for commands without one.
    language: str
    text: str
    #: Which of those on the page that begin alike, from 1.
    nth: int = 1

    @property
    def first(self) -> str:
        """Its first line, by which a page's reader claims it; `… (2)` for another one that begins so."""
        return first_line(self.text) + (f" ({self.nth})" if self.nth > 1 else "")

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]


def blocks(page: str) -> list[Block]:
    return parse(page, (REPO / page).read_text())


def parse(page: str, text: str) -> list[Block]:
    found: list[Block] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        if fence := re.fullmatch(r"( *)```(\w*)", lines[at]):
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == "```"), None)
            assert end is not None, f"{page}:{at + 1}: the fence is never closed"
            inside = [line.removeprefix(fence[1]) for line in lines[at + 1:end]]
            found.append(Block(page, at + 2, fence[2], "\n".join(inside) + "\n"))
            at = end + 1
        elif lines[at].startswith("    ") and lines[at].strip().startswith(COMMANDS):
            end = at
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            found.append(Block(page, at + 1, "indented", "\n".join(line[4:] for line in lines[at:end]) + "\n"))
            at = end
        else:
            at += 1
    seen: dict[str, int] = {}
    for at, block in enumerate(found):
        seen[block.first] = nth = seen.get(block.first, 0) + 1
        found[at] = replace(block, nth=nth)
    return found


def inline_commands(page: str) -> list[tuple[int, str]]:
    """Commands in the running text and in tables: `feedhost …` between backticks."""
    found = []
    is_inside = False
    for number, line in enumerate((REPO / page).read_text().split("\n"), 1):
        if line.lstrip().startswith("```"):
            is_inside = not is_inside
        elif not is_inside:
            found += [(number, span) for span in re.findall(r"`(feedhost(?:-simulate)? [^`]+)`", line)]
    return found
