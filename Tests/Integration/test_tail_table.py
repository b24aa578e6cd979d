"""The live table of `feedhost tail` and `feedhost demo`, on terminals of any size."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from host import Host, binary, plugins_folder, wait_until
from scripted_host import ScriptedHost
from terminal import Window, cells

#: One with a wide name, one without a book, and a long one.
NAMES = ["NSE:RELIANCE", "CRYPTO:币安人生USDT", "NSE_INDEX:NIFTY", "NFO:NIFTY29DEC2626000CE"]
#: Most important first.
COLUMNS = ["LTP", "CHANGE %", "BID", "ASK", "VOLUME", "HIGH", "LOW", "OPEN"]
VALUES = {
    "ltp": 1495.05, "change_percent": -0.34, "bid_price": 1495.0, "ask_price": 1495.1, "open": 1496.2, "high": 1499.9,
    "low": 1490.1, "volume": 123456}


@pytest.fixture
def scripted():
    host = ScriptedHost()
    yield host
    host.stop()


@pytest.fixture
def open_window(scripted, tmp_path):
    windows = []

    def open_one(*arguments, names=NAMES, **options):
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]} | options.pop("env", {})
        windows.append(Window(
            [binary(), "tail", "--url", scripted.url, "--key", "k" * 64, *arguments, *names], environment, **options))
        return windows[-1]
    yield open_one
    for window in windows:
        window.close()
        assert window.fault is None, window.fault


def titles(line: str) -> list[str]:
    """In the order in which they stand."""
    return sorted((title for title in COLUMNS if f" {title} " in f"{line} "), key=f"{line} ".index)


def tick_all(scripted, names=NAMES, **values):
    for name in names:
        scripted.tick(name, **VALUES | values)


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120, 200])
def test_it_fits_any_width(scripted, open_window, columns):
    window = open_window(columns=columns)
    scripted.has_client()
    tick_all(scripted)
    picture = window.shows(lambda text: "4 messages" in text, "all ticks")
    head = next(line for line in picture if line.startswith("SY"))
    shown = titles(head)
    assert shown == sorted(shown, key=["LTP", "CHANGE %", "BID", "ASK", "OPEN", "HIGH", "LOW", "VOLUME"].index)
    assert set(shown) == set(COLUMNS[:len(shown)]), f"the least important go first: {head}"
    assert len(shown) >= {20: 1, 40: 1, 60: 4, 80: 5, 120: 8, 200: 8}[columns]
    assert window.screen.wrapped == 0
    rows = picture[picture.index(head) + 1:picture.index("4 messages")]
    assert len(rows) == 4
    for row, name in zip(rows, NAMES):
        start = name if cells(name) + 9 < columns else name[:4]
        assert row.startswith(start) and "1495.05" in row, row
        # Columns stand under their titles, whatever the name's letters.
        assert cells(row[:row.index("1495.05")]) == cells(head[:head.index("LTP")]), (head, row)


def test_what_is_not_there_goes_first(scripted, open_window):
    """In mode LTP nothing else has values: it is those columns that make room, and not half a name."""
    window = open_window("--mode", "ltp", columns=40)
    scripted.has_client()
    for name in NAMES:
        scripted.tick(name, ltp=1.5, volume=7)
    picture = window.shows(lambda text: "4 messages" in text, "all ticks")
    assert any(line.startswith("SYMBOL") and titles(line) == ["LTP", "VOLUME"] for line in picture), picture
    assert any("NFO:NIFTY29DEC2626000CE  1.5" in line for line in picture)


@pytest.mark.parametrize(("before", "after"), [
    ((120, 24), (40, 24)), ((40, 24), (120, 24)), ((80, 24), (20, 6)), ((80, 6), (80, 24)), ((200, 50), (60, 8))])
def test_resizing_leaves_nothing_behind(scripted, open_window, before, after):
    window = open_window(columns=before[0], lines=before[1])
    scripted.has_client()
    tick_all(scripted)
    window.shows(lambda text: "4 messages" in text, "the first picture")
    window.resize(*after)
    # No tick comes: the window alone makes it draw.
    def is_clean(text):
        lines = [line for line in text if line]
        return lines and lines[0].startswith("SY") and lines[-1] == "4 messages" and len(lines) <= 6 and \
            all(sum(name[:9] in line for line in lines) <= 1 for name in NAMES)
    picture = window.shows(is_clean, "a clean picture")
    tick_all(scripted, ltp=2.5)
    picture = window.shows(lambda text: "8 messages" in text, "ticks afterwards")
    assert is_clean([line.replace("8 m", "4 m") for line in picture]) and "1495.05" not in str(picture)
    assert window.screen.wrapped == 0


@pytest.mark.parametrize("lines", [1, 2, 3, 5, 10, 40])
def test_more_symbols_than_lines(scripted, open_window, lines):
    names = [f"NSE:S{number:02}" for number in range(20)]
    window = open_window("--mode", "depth", names=names, lines=lines)
    scripted.has_client()
    for name in names:
        scripted.tick(name, ltp=1.5, depth={"buy": [{"price": 1.4, "quantity": 3}], "sell": []})
    scripted.tick(names[0], ltp=9.75)
    picture = window.shows(lambda text: "9.75" in str(text), "the last tick")
    shown = [line for line in picture if line]
    assert len(shown) <= max(1, lines - 1) and window.screen.wrapped == 0
    assert sum(line.startswith("NSE:S00 ") for line in shown) == 1, "no torn or doubled rows"
    if lines == 10:
        assert "… and 14 more; the window is too low" in shown and shown[-1] == "21 messages"
    if lines == 40:
        assert sum("bids 3@1.4" in line for line in shown) >= 10


def test_values_that_get_shorter_and_the_last_one_before_silence(scripted, open_window):
    window = open_window(names=["NSE:SBIN"])
    scripted.has_client()
    scripted.tick("NSE:SBIN", **VALUES)
    scripted.tick("NSE:SBIN", ltp=1.5)
    picture = window.shows(lambda text: "2 messages" in text, "the second tick, within no time of the first")
    assert [line for line in picture if line.startswith("NSE:SBIN")] == ["NSE:SBIN  1.5"]


def test_what_comes_over_the_network_does_not_steer_the_terminal(scripted, open_window):
    window = open_window(names=["NSE:SBIN"])
    scripted.has_client()
    scripted.tick("NSE:SBIN", ltp="\x1b[2J\u009b31m\u202e1.5")
    scripted.send(type="notice", code="NEWS", message="\x1b]0;owned\x07 hello")
    window.shows(lambda text: "hello" in str(text) and "1.5" in str(text), "both")
    assert "\x1b]" not in window.raw and "\u009b" not in window.raw and "\u202e" not in window.raw


@pytest.mark.parametrize("options", [{"kind": "dumb"}, {"kind": ""}])
def test_terminals_that_cannot_draw(scripted, open_window, options):
    window = open_window("--count", "2", names=["NSE:SBIN"], **options)
    scripted.has_client()
    scripted.tick("NSE:SBIN", ltp=1.5)
    scripted.tick("NSE:SBIN", ltp=1.55)
    assert window.finish() == 0
    assert "\x1b" not in window.raw and window.raw.splitlines() == ["NSE:SBIN  ltp 1.5", "NSE:SBIN  ltp 1.55"]


def test_no_colour(scripted, open_window):
    """There is none to begin with; moving the cursor is no colour."""
    window = open_window(names=["NSE:SBIN"], env={"NO_COLOR": "1"})
    scripted.has_client()
    scripted.tick("NSE:SBIN", ltp=1.5)
    window.shows(lambda text: "1 messages" in text, "the tick")
    assert "\x1b[" in window.raw and "m" not in {end for _, _, end in __import__("terminal").SEQUENCE.findall(window.raw)}


def test_after_fg(scripted, open_window):
    """A shell has written over the picture while the program was stopped."""
    window = open_window(names=["NSE:SBIN"])
    scripted.has_client()
    scripted.tick("NSE:SBIN", ltp=1.5)
    window.shows(lambda text: "1 messages" in text, "the tick")
    window.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: open(f"/proc/{window.process.pid}/stat").read().rsplit(") ")[1][0] == "T", "the stop")
    with window._lock:
        window.screen.feed("\r\n[1]+  Stopped\r\n$ fg\r\n")
    window.process.send_signal(signal.SIGCONT)
    window.shows(lambda text: [line for line in text if line][0].startswith("SYMBOL") and "Stopped" not in str(text),
                 "a clean picture")


def test_the_demo_in_a_window(tmp_path):
    host = Host(tmp_path / "home", env={"ZMQ_PORT": "0"})
    command = [binary(), "demo", "--port", "0", "--plugins", plugins_folder()]
    window = Window(command, host.environment, columns=120, cwd=host.folder, stderr=subprocess.DEVNULL)
    try:
        def is_live(text):
            return any(line.endswith(" messages") for line in text) and any("NSE:INFY" in line for line in text)
        window.shows(lambda text: is_live(text) and any("key  " in line for line in text), "address, key and table")
        window.resize(100, 30)
        window.shows(lambda text: is_live(text) and sum("key  " in line for line in text) == 1 and
                     sum(line.startswith("NSE:TCS") for line in text) == 1, "both again")
        window.resize(60, 8)
        window.shows(lambda text: is_live(text) and not any("key  " in line for line in text), "the table alone")
        window.process.send_signal(signal.SIGINT)
        assert window.finish() == 0
    finally:
        window.close()
    assert window.fault is None, window.fault
