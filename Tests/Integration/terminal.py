"""A terminal for programs that draw: a pseudo terminal, and a model of the screen behind it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
import unicodedata

from host import wait_until

SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")


def width(character: str) -> int:
    """Cells, by Python's own tables."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(text: str) -> int:
    return sum(map(width, text))


class Screen:
    """What a terminal shows. Lines that are too long wrap, and are folded when the window gets narrower; what it does
    not know is an error."""

    def __init__(self, columns: int, lines: int):
        self.columns, self.lines = columns, lines
        self.rows: list[list[str]] = [[] for _ in range(lines)]
        self.row = self.column = 0
        self.wraps = True
        #: Rows that a line has run over into the next one.
        self.wrapped = 0
        self._rest = ""

    @property
    def text(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.rows]

    def resize(self, columns: int, lines: int) -> None:
        """As terminals do that fold: what was one line becomes several."""
        folded: list[list[str]] = []
        at = 0
        for number, row in enumerate(self.rows[:self.row + 1]):
            pieces = [row[start:start + columns] for start in range(0, max(1, len(row)), columns)]
            folded += pieces
            at = len(folded) - 1
        below = [[] for _ in range(lines)]
        folded = (folded + below)[max(0, at + 1 - lines):][:lines]
        self.row = min(at, lines - 1)
        self.columns, self.lines, self.rows = columns, lines, folded
        self.column = min(self.column, columns - 1)

    def feed(self, text: str) -> None:
        text, self._rest = self._rest + text, ""
        place = 0
        while place < len(text):
            character = text[place]
            if character == "\x1b":
                match = SEQUENCE.match(text, place)
                if not match:
                    assert len(text) - place < 16, f"an unknown sequence: {text[place:place + 16]!r}"
                    self._rest = text[place:]
                    return
                self._steer(match[1], match[2], match[3])
                place = match.end()
                continue
            place += 1
            if character == "\n":
                self._down()
            elif character == "\r":
                self.column = 0
            else:
                assert character.isprintable(), f"{character!r} on a screen"
                self._put(character)

    def _steer(self, private: str, number: str, letter: str) -> None:
        match private + number + letter:
            case "?7l":
                self.wraps = False
            case "?7h":
                self.wraps = True
            case "H":
                self.row = self.column = 0
            case "2J":
                self.rows = [[] for _ in range(self.lines)]
            case "J":
                self.rows[self.row] = self.rows[self.row][:self.column]
                self.rows[self.row + 1:] = [[] for _ in self.rows[self.row + 1:]]
            case "2K":
                self.rows[self.row] = []
            case _ if letter == "A" and number.isdigit():
                assert int(number) <= self.row, "up beyond the top: the picture is torn"
                self.row -= int(number)
            case other:
                raise AssertionError(f"an unknown sequence: {other}")

    def _put(self, character: str) -> None:
        wide = width(character)
        if wide == 0:
            return
        if self.column + wide > self.columns:
            if self.wraps:
                self.wrapped += 1
                self.column = 0
                self._down()
            else:
                self.column = self.columns - wide
        row = self.rows[self.row]
        row.extend(" " * (self.column + wide - len(row)))
        # The second half of a wide letter is an empty text.
        row[self.column:self.column + wide] = [character] + [""] * (wide - 1)
        self.column += wide

    def _down(self) -> None:
        if self.row + 1 < self.lines:
            self.row += 1
        else:
            self.rows = self.rows[1:] + [[]]


class Window:
    """A program in a terminal of a size. `kind` is TERM."""

    def __init__(self, command, environment, columns=80, lines=24, kind="xterm-256color", **options):
        self.raw = ""
        self.screen = Screen(columns, lines)
        self._lock = threading.Lock()
        self._terminal, other = pty.openpty()
        self._size(columns, lines)
        self.process = subprocess.Popen(
            list(map(str, command)), env=environment | {"TERM": kind}, stdin=other, stdout=other,
            stderr=options.pop("stderr", other), **options)
        os.close(other)
        self._ends = False
        self.fault: Exception | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns: int, lines: int) -> None:
        with self._lock:
            # Everything that was drawn for the old size is on the old screen.
            self._take(0)
            self.screen.resize(columns, lines)
            self._size(columns, lines)

    def _take(self, timeout: float) -> bool:
        """False at the end."""
        if not select.select([self._terminal], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._terminal, 65536)
        except OSError:
            return False
        if not data:
            return False
        self._bytes = getattr(self, "_bytes", b"") + data
        try:
            text, self._bytes = self._bytes.decode(), b""
        except UnicodeDecodeError as error:
            text, self._bytes = self._bytes[:error.start].decode(), self._bytes[error.start:]
        self.raw += text
        self.screen.feed(text)
        return True

    def _read(self) -> None:
        try:
            while not self._ends:
                with self._lock:
                    if not self._take(0.01):
                        return
                time.sleep(0.005)
        except Exception as fault:  # Told to the test, whose thread is another one.
            self.fault = fault

    @property
    def text(self) -> list[str]:
        with self._lock:
            assert self.fault is None, self.fault
            return self.screen.text

    def shows(self, condition, what: str) -> list[str]:
        """The first picture that satisfies it; an assertion within it that fails is shown at the end."""
        seen: list[list[str]] = []

        def look():
            seen[:] = [self.text]
            return condition(seen[0])
        try:
            wait_until(look, what)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n" + "\n".join(seen[0] if seen else [])) from None
        return seen[0]

    def finish(self, timeout: float = 20) -> int:
        """Waits for the end; everything that was written is on the screen then."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        assert not self._reader.is_alive() and self.fault is None, self.fault
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._ends = True
        self._reader.join(5)
        os.close(self._terminal)
