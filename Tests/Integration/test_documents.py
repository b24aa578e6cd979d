"""README.md and docs/ do what they say: every block of every page is run, in a fresh folder, in a network of its own.

A page's reader (documents_*.py) claims its blocks by their first lines. A block that nobody claims fails here, so a new
snippet comes with what it must do. The pages use fixed ports and must not reach the internet: each is read inside a
network namespace.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import documents
import documents_readers
from documents import PAGES
from host import REPO, binary
from simulator import simulator_binary

#: Every page's text is read, also of those that have no blocks to run.
INLINE_PAGES = ["README.md", "SECURITY.md", "CONTRIBUTING.md"]
INLINE_PAGES += sorted(f"docs/{file.name}" for file in (REPO / "docs").glob("*.md"))


@cache
def apart() -> list[str] | None:
    """What runs a command in a network of its own here, if anything does."""
    ways = [["unshare", "-n"]] if os.geteuid() == 0 else [["unshare", "-rn"]]
    for way in ways:
        try:
            if subprocess.run([*way, "true"], capture_output=True, timeout=10).returncode == 0:
                return way
        except OSError:
            pass
    return None


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_claimed_once(page):
    blocks = documents.blocks(page)
    table = documents_readers.TABLES[page]
    unknown = [f"{block.place}: {block.first}" for block in blocks if block.first not in table]
    assert not unknown, "blocks that no test runs; add them to the page's table"
    firsts = [block.first for block in blocks]
    assert len(set(firsts)) == len(firsts), "two blocks begin with the same line"
    assert not set(table) - set(firsts), "these are not on the page any more"


@pytest.mark.parametrize("page", PAGES)
def test_the_page_does_what_it_says(page, tmp_path):
    if apart() is None:
        pytest.skip("no network namespaces here (unshare): the pages' fixed ports may be taken")
    done = subprocess.run(
        [*apart(), sys.executable, Path(__file__).parent / "documents_readers.py", page, tmp_path], capture_output=True,
        text=True, timeout=400)
    print(done.stderr)
    assert done.returncode == 0, done.stderr


def test_blocks_are_found():
    text = "```sh\nfeedhost doctor\n```\n\n    make run  # x\n    make test\n\n1. a\n   ```json\n   {}\n   ```\n"
    found = [(block.line, block.language, block.text) for block in documents.parse("x", text)]
    assert found == [(2, "sh", "feedhost doctor\n"), (5, "indented", "make run  # x\nmake test\n"), (10, "json", "{}\n")]
    with pytest.raises(AssertionError, match="never closed"):
        documents.parse("x", "```sh\nfeedhost doctor\n")


# MARK: Commands in the running text


@cache
def help_of(*words: str) -> str:
    """What a command says of itself."""
    program = simulator_binary() if words[0] == "feedhost-simulate" else binary()
    done = subprocess.run([program, *words[1:], "--help"], capture_output=True, text=True, timeout=20)
    return done.stdout


def subcommands(*words: str) -> set[str]:
    _, _, listed = help_of(*words).partition("SUBCOMMANDS:")
    return set(re.findall(r"^  ([a-z][a-z-]*)", listed, re.MULTILINE))


def faults(command: str) -> list[str]:
    words = command.split()
    path = [words[0]]
    for word in words[1:]:
        if word not in (inside := subcommands(*path)):
            if inside and not word.startswith("-") and word != "…":
                return [f"there is no command `{' '.join([*path, word])}`"]
            break
        path.append(word)
    said = help_of(*path)
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    return [f"`{' '.join(path)}` has no {option}" for option in options if not re.search(rf"{option}\b", said)]


@pytest.mark.parametrize("page", INLINE_PAGES)
def test_commands_in_the_text_exist(page):
    """Their names and options; what stands in blocks is run."""
    found = {f"{page}:{line}: {fault}" for line, command in documents.inline_commands(page) for fault in faults(command)}
    assert not found


def test_a_command_that_does_not_exist_is_found():
    for command in ("feedhost keys isue NAME", "feedhost keys issue --for-ever", "feedhost-simulate --x"):
        assert len(faults(command)) == 1
    assert not faults("feedhost keys issue NAME --label laptop")
