"""Files that are not what they seem, to the reader of each broker: refused with the old instruments kept, or counted."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import subprocess

import pytest

from host import Host, binary, plugins_folder

ZERODHA = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,"
    "segment,exchange\n")
FLATTRADE = "Exchange,Token,Lotsize,Symbol,Tradingsymbol,Instrument,Expiry,Strike,Optiontype\n"
SHOONYA = "Exchange,Token,LotSize,Symbol,TradingSymbol,Expiry,Instrument,OptionType,StrikePrice,TickSize,\n"


def zerodha(token: int, expiry: str = "2096-09-24") -> str:
    return f"{token},1,S{token},NIFTY,0,{expiry},{token},0.05,1,CE,NFO-OPT,NFO\n"


def flattrade(token: int, expiry: str = "24-SEP-2096") -> str:
    return f"NFO,{token},1,NIFTY,N{token},OPTIDX,{expiry},{token},CE\n"


def shoonya(token: int, expiry: str = "24-SEP-2096") -> str:
    return f"NFO,{token},1,NIFTY,N{token},{expiry},OPTIDX,CE,{token},0.05,\n"


def angel(token: int, expiry: str | None = "24SEP2096") -> dict:
    return dict(token=str(token), symbol=f"NIFTY24SEP96{token}CE", name="NIFTY", expiry=expiry, strike=f"{token}00.0",
                lotsize="1", instrumenttype="OPTIDX", exch_seg="NFO", tick_size="5.0")


class Reader:
    """One broker's way to write a master."""

    def __init__(self, broker: str, file: str, header: str = "", line=None):
        self.broker, self.file, self.header, self.line = broker, file, header, line

    def text(self, *rows) -> str:
        """Rows are tokens, or tokens with a day of expiry."""
        rows = [row if isinstance(row, tuple) else (row,) for row in rows]
        if self.header:
            return self.header + "".join(self.line(*row) for row in rows)
        return json.dumps([angel(*row) for row in rows])


READERS = [
    Reader("zerodha", "instruments.csv", ZERODHA, zerodha),
    Reader("flattrade", "Nfo_Index_Derivatives.csv", FLATTRADE, flattrade),
    Reader("shoonya", "NFO_symbols.txt", SHOONYA, shoonya),
    Reader("angel", "OpenAPIScripMaster.json"),
]
LINES = READERS[:3]
TOKENS = tuple(range(1000, 1040))
BROKERS = [reader.broker for reader in READERS]


@pytest.fixture
def home(tmp_path):
    return Host(tmp_path / "home", plugins=[plugins_folder()])


def imported(home: Host, reader: Reader, content: str | bytes, *options, name: str | None = None):
    file = home.folder / reader.file
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return home.run(
        "instruments", "import", reader.broker, file, *options, *(("--file-name", name) if name else ()), "--plugins",
        home.plugins[0], "--store", home.store)


def listed(home: Host, *options) -> str:
    result = home.run("instruments", "list", *options, "--store", home.store)
    assert result.returncode == 0, result.stderr
    return result.stdout


def symbols(home: Host, text: str = "NIFTY") -> list[str]:
    result = home.run("instruments", "search", text, "--json", "--limit", 1000, "--store", home.store)
    return sorted(row["symbol"] for row in json.loads(result.stdout))


def stored(home: Host, reader: Reader, *rows):
    result = imported(home, reader, reader.text(*(rows or TOKENS)))
    assert result.returncode == 0 and "left out" not in result.stdout, (result.stdout, result.stderr)
    return symbols(home)


def refused(home: Host, reader: Reader, content: str | bytes, *words, force: int | None, name: str | None = None):
    """The old ones stay; with --force there are so many, or none (None: nothing can be read)."""
    before = stored(home, reader)
    for _ in range(2):
        result = imported(home, reader, content, name=name)
        assert result.returncode == 1 and "Error: " in result.stderr, (result.stdout, result.stderr)
        for word in (reader.file.split(".")[0], *words):
            assert word in result.stderr, f"{word!r} is not in {result.stderr!r}"
    assert symbols(home) == before
    result = imported(home, reader, content, "--force", name=name)
    if force is None:
        assert result.returncode == 1 and symbols(home) == before
    else:
        assert result.returncode == 0, result.stderr
        assert f"{reader.broker}: {force} instruments" in result.stdout
        assert len(symbols(home)) == force


# MARK: Refused


@pytest.mark.parametrize("reader", LINES, ids=BROKERS[:3])
def test_a_cut_last_line(home, reader):
    # Within the strike, as when a download breaks off: it would be another contract.
    whole = reader.text(*TOKENS)
    last = whole.splitlines()[-1]
    cut = whole[:len(whole) - len(last) - 1] + last[:last.rindex("1039") + 3]
    refused(home, reader, cut, "line 41", "cut short", "Download it again", "--force", force=39)
    assert "1 cut short" in listed(home)


@pytest.mark.parametrize("part", [0.3, 0.99])
def test_json_that_is_cut_short(home, part):
    reader = READERS[3]
    whole = reader.text(*TOKENS)
    count = whole[:int(len(whole) * part)].count("},")
    refused(home, reader, whole[:int(len(whole) * part)], "cut off", f"after {count} instruments", "--force", force=count)


@pytest.mark.parametrize("reader", LINES, ids=BROKERS[:3])
@pytest.mark.parametrize("line", [1, 20, 40])
def test_a_quote_that_is_never_closed(home, reader, line):
    lines = reader.text(*TOKENS).splitlines(keepends=True)
    lines[line] = '"' + lines[line]
    refused(home, reader, "".join(lines), f"a quote in line {line + 1} is never closed", "--force", force=39)


@pytest.mark.parametrize("reader", LINES, ids=BROKERS[:3])
def test_a_header_alone(home, reader):
    refused(home, reader, reader.header, "not a single instrument", force=None)
    for text in (reader.header.rstrip(), reader.header + "\n\n"):
        result = imported(home, reader, text)
        assert result.returncode == 1 and "not a single instrument" in result.stderr


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
@pytest.mark.parametrize("content", ["", "<html>maintenance</html>", "[]", "{}", "\0" * 40], ids=repr)
def test_nothing_of_the_kind(home, reader, content):
    refused(home, reader, content, force=None)


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
@pytest.mark.parametrize("other", READERS, ids=BROKERS)
def test_another_brokers_file(home, reader, other):
    # Flattrade and Shoonya are one family with one form.
    if {reader.broker, other.broker} <= {"flattrade", "shoonya"}:
        return
    if reader is not other:
        refused(home, reader, other.text(*TOKENS), force=None)


@pytest.mark.parametrize("reader, name", [(READERS[1], "NSE_Equity.csv"), (READERS[2], "BSE_symbols.txt")],
                         ids=BROKERS[1:3])
def test_another_segments_file(home, reader, name):
    refused(home, reader, reader.text(*TOKENS), "40 of NFO", "--force", name[:3], force=40, name=name)


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
def test_too_many_rows_that_are_not_understood(home, reader):
    rows = [1000, *((token, "24/13/2026") for token in TOKENS[1:])]
    refused(home, reader, reader.text(*rows), "39 of the 40 rows", "39 expiry not understood", "--force", force=1)


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
def test_a_table_that_shrinks(home, reader):
    stored(home, reader)
    result = imported(home, reader, reader.text(*TOKENS[:29]))
    assert result.returncode == 1 and "29 of NFO where there were 40" in result.stderr and "25 %" in result.stderr
    assert imported(home, reader, reader.text(*TOKENS[:30])).returncode == 0, "a quarter is no more than a quarter"
    assert imported(home, reader, reader.text(*TOKENS[:5]), "--force").returncode == 0


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
def test_packed_files_that_are_cut_short(home, reader):
    packed = gzip.compress(reader.text(*TOKENS).encode())
    refused(home, reader, packed[:-20], "cut short", force=None)


def test_a_bomb_costs_no_memory(home):
    """2 GB of zeros: refused with as little memory as it takes to say so."""
    reader = READERS[0]
    stored(home, reader)
    bomb = home.folder / reader.file
    zeros = b"\0" * (8 << 20)
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        for _ in range(256):
            file.write(zeros)
    before = peak(home, "instruments", "list")
    command = ("instruments", "import", "zerodha", bomb, "--plugins", home.plugins[0])
    result = home.run(*command, "--store", home.store)
    assert result.returncode == 1 and "512 MiB" in result.stderr
    used = peak(home, *command)
    assert used - before < 40_000, f"{used} KB, {before} KB without the bomb"


def peak(home: Host, *arguments) -> int:
    """Kilobytes that a command had in memory at the most."""
    process = subprocess.Popen(
        [str(binary()), *map(str, arguments), "--store", str(home.store)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, cwd=home.folder, env=home.environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss


# MARK: Read


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
@pytest.mark.parametrize("encoding, mark", [
    ("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE),
    ("utf-16-le", b""), ("utf-16-be", b"")])
def test_marks_and_utf_16(home, reader, encoding, mark):
    result = imported(home, reader, mark + reader.text(*TOKENS).encode(encoding))
    assert result.returncode == 0 and "40 instruments" in result.stdout, result.stderr


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
def test_utf_32_is_named(home, reader):
    refused(home, reader, reader.text(*TOKENS).encode("utf-32"), "UTF-32", "UTF-8", force=None)


# MARK: Counted


@pytest.mark.parametrize("reader", READERS, ids=BROKERS)
def test_rows_that_are_left_out_are_shown(home, reader):
    rows = [*TOKENS, (2000, "soon"), (2001, "")]
    if reader.broker == "angel":
        rows.append((2002, None))
    result = imported(home, reader, reader.text(*rows))
    count = len(rows) - 40
    assert result.returncode == 0
    for shown in (result.stdout, listed(home), listed(home, "--left-out")):
        assert "expiry not understood" in shown and str(count) in shown
    assert f"{count} rows left out: {count} expiry not understood" in result.stdout
    told = listed(home, "--left-out")
    line = 41 if reader.broker == "angel" else 42
    assert reader.file in told and f"line {line}" in told and "2000" in told and "2001" in told


def test_the_two_shares_of_electcast(home):
    reader = READERS[3]
    shares = [dict(angel(token, ""), symbol=symbol, name="ELECTCAST", instrumenttype="", exch_seg="NSE", strike="-1.0")
              for token, symbol in ((1, "ELECTCAST-BE"), (2, "ELECTCAST-EQ"))]
    for order in (shares, shares[::-1]):
        assert imported(home, reader, json.dumps(order)).returncode == 0
        result = home.run("instruments", "search", "ELECTCAST", "--json", "--store", home.store)
        assert {row["symbol"]: row["token"] for row in json.loads(result.stdout)} == {
            "ELECTCAST": "2", "ELECTCAST-BE": "1"}
        told = listed(home, "--left-out")
        assert "NSE:ELECTCAST-BE" in told and "NSE:ELECTCAST is ELECTCAST-EQ, token 2" in told


def test_flattrades_two_shares(home):
    reader = Reader("flattrade", "NSE_Equity.csv", FLATTRADE)
    lines = ["NSE,1,1,X,X-BE,BE,,,\n", "NSE,2,1,X,X-EQ,EQ,,,\n"]
    for order in (lines, lines[::-1]):
        assert imported(home, reader, FLATTRADE + "".join(order)).returncode == 0
        result = home.run("instruments", "search", "X", "--exchange", "NSE", "--json", "--store", home.store)
        assert {row["symbol"]: row["token"] for row in json.loads(result.stdout)} == {"X": "2", "X-BE": "1"}
