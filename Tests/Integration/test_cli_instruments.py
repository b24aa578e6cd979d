"""Instrument masters on the command line: downloads, files, look-ups, and hosts that take them up."""

from __future__ import annotations

import gzip
import io
import json
import os
import pty
import subprocess
import zipfile

import pytest

from host import REPO, Host, binary, wait_until
from master_server import MasterServer

TOKEN = "CANARY-token-5a1e"
HEADER = "symbol,exchange,token\n"
SHARES = HEADER + "RELIANCE,NSE,2885\nSBIN,NSE,3045\nTCS,NSE,11536\nNIFTY28NOV24FUT,NFO,35001\n"


def packed(text: str) -> bytes:
    return gzip.compress(text.encode())


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name + ".csv", text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """The folder of the adapters `harbour` (one file, wants a token) and `pier` (two files)."""
    folder = tmp_path_factory.mktemp("masters")
    subprocess.run(
        ["make", "-s", "-C", str(REPO / "Tests/Fixtures/Masters"), f"OUT={folder}"], check=True, timeout=60)
    return folder


@pytest.fixture
def server():
    server = MasterServer()
    server.answers = {
        "/harbour.csv.gz": packed(SHARES),
        "/north.csv.zip": zipped(a=HEADER + "INFY,NSE,1594\n", b=HEADER + "WIPRO,NSE,3787\n"),
        "/south.csv": (HEADER + "SBIN,NSE,3045\n").encode(),
    }
    yield server
    server.close()


@pytest.fixture
def home(tmp_path, plugins, server):
    """Not started: for commands, with a user on harbour who has a token."""
    home = Host(tmp_path / "home", plugins=[plugins], env=endpoints(server.url))
    home.cli("users", "add", "alice", "--broker", "harbour")
    home.set_credentials("alice", "harbour", access_token=TOKEN)
    return home


def endpoints(url: str) -> dict[str, str]:
    return {f"FEEDHOST_{broker}_MASTER_ENDPOINT": url for broker in ("HARBOUR", "PIER")}


def instruments(home: Host, *arguments):
    """`feedhost instruments …`; `sync` and `import` get the folder of adapters."""
    more = [word for folder in home.plugins for word in ("--plugins", folder)] if arguments[0] in ("sync", "import") else []
    result = home.run("instruments", *arguments, *more, "--store", home.store)
    assert TOKEN not in result.stdout + result.stderr
    return result


def succeeds(home: Host, *arguments) -> str:
    result = instruments(home, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def fails(result, *words, code=1):
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    assert "Error: " in result.stderr
    for word in words:
        assert str(word) in result.stderr, f"{word!r} is not in {result.stderr!r}"


def found(home: Host, text: str = "", **options) -> list[str]:
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    rows = json.loads(succeeds(home, "search", text or "S", "--json", "--limit", 1000, *words))
    return [f"{row['broker']}/{row['exchange']}:{row['symbol']}={row['token']}" for row in rows]


# MARK: sync


def test_sync_stores_what_the_broker_has(home, server):
    assert succeeds(home, "sync", "harbour").startswith("harbour: 4 instruments in ")
    path, headers = server.requests[0]
    assert path == "/harbour.csv.gz" and headers["Authorization"] == f"Bearer {TOKEN}"
    assert found(home, "reli") == ["harbour/NSE:RELIANCE=2885"]
    listed = succeeds(home, "list")
    assert "harbour" in listed and server.url in listed and "harbour.csv.gz" not in listed
    # Without a name: whatever users are on.
    assert "harbour: 4" in succeeds(home, "sync")
    assert server.paths() == ["/harbour.csv.gz"] * 2


def test_the_store_is_beside_the_account_store_and_private(home):
    succeeds(home, "sync")
    file = home.folder / "instruments.sqlite"
    assert file.stat().st_mode & 0o077 == 0
    assert TOKEN.encode() not in file.read_bytes()


def test_several_files_and_members(home):
    assert succeeds(home, "sync", "pier").startswith("pier: 3 instruments in ")
    assert found(home, "I", broker="pier") == ["pier/NSE:INFY=1594", "pier/NSE:SBIN=3045", "pier/NSE:WIPRO=3787"]


def test_plain_lines_without_a_terminal(home):
    result = instruments(home, "sync", "pier")
    assert result.stderr.splitlines() == [
        "pier: downloading north.csv.zip", "pier: downloading south.csv", "pier: reading north.csv.zip",
        "pier: reading south.csv"]


def test_a_bar_on_a_terminal(home, server):
    content = (HEADER + "".join(f"S{i},NSE,{i}\n" for i in range(100_000))).encode()
    server.answers["/south.csv"] = content
    ours, theirs = pty.openpty()
    command = [str(binary()), "instruments", "sync", "pier", "--store", str(home.store), "--plugins", str(home.plugins[0])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, cwd=home.folder, env=home.environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and b"100002 instruments" in output
    size = f"{len(content) / 1e6:.1f}"
    assert f"south.csv [####################] {size} of {size} MB".encode() in shown, shown
    assert shown.endswith(b"\r\x1b[2K"), "the moving line is cleared"


@pytest.mark.parametrize("answer, words", [
    (404, ["HTTP 404"]), (500, ["HTTP 500"]), (403, ["refuses the credentials", "403"]), (401, ["refuses the credentials"]),
    ((403, b"<html>blocked</html>"), ["HTTP 403 with a web page", "says nothing of the credentials"]),
    ((401, b""), ["HTTP 401", "says nothing of the credentials"]),
    ((502, b"<html>bad gateway</html>"), ["HTTP 502 with a web page"]), ((429, b"slow down"), ["HTTP 429"]),
    (b"<html>maintenance</html>", ["harbour.csv.gz", "symbol,exchange,token"]), (b"", ["harbour.csv.gz"]),
    (packed(SHARES)[:-12], ["harbour.csv.gz", "cut short"]), (packed(HEADER), ["not a single instrument"]),
    (packed(HEADER + "BAD\x01NAME,NSE,1\n"), ["not a single instrument"]),
    (gzip.compress(b"\0" * 100)[:10] + b"\xff" * 40, ["damaged"]),
])
def test_a_failure_leaves_the_old_instruments(home, server, answer, words):
    succeeds(home, "sync", "harbour")
    before = succeeds(home, "list")
    server.answers["/harbour.csv.gz"] = answer
    fails(instruments(home, "sync", "harbour"), "harbour", *words)
    assert found(home, "RELIANCE") == ["harbour/NSE:RELIANCE=2885"]
    columns = [line.split()[:4] for line in before.splitlines()]
    assert [line.split()[:4] for line in succeeds(home, "list").splitlines()] == columns


def test_half_a_download(home, server):
    succeeds(home, "sync", "pier")
    # The first file is whole, the second is not.
    server.answers["/north.csv.zip"] = zipped(a=HEADER + "NEWCO,NSE,1\n")
    server.cut = {"/south.csv"}
    fails(instruments(home, "sync", "pier"), "pier", server.url, "closed before the file was whole")
    assert found(home, "NEWCO") == [] and found(home, "WIPRO") == ["pier/NSE:WIPRO=3787"]


def test_rows_that_make_no_sense_are_counted(home, server):
    server.answers["/harbour.csv.gz"] = packed(SHARES + "BAD\x01NAME,NSE,1\n,NSE,2\nSBIN,NSE,9\n")
    assert "4 instruments" in (told := succeeds(home, "sync", "harbour")) and "3 rows left out" in told
    assert found(home, "SBIN") == ["harbour/NSE:SBIN=3045"]


def test_redirects(home, server):
    other = MasterServer()
    try:
        server.answers["/harbour.csv.gz"] = "/today/harbour"
        server.answers["/today/harbour"] = "tomorrow"
        server.answers["/today/tomorrow"] = f"{other.url}/file?x=1"
        other.answers["/file?x=1"] = packed(SHARES)
        assert "4 instruments" in succeeds(home, "sync", "harbour")
        assert all("Authorization" in headers for _, headers in server.requests)
        assert "Authorization" not in other.requests[0][1], "another server has seen the token"
        server.answers["/harbour.csv.gz"] = "/harbour.csv.gz"
        fails(instruments(home, "sync", "harbour"), "redirects more than 3 times")
        server.answers["/harbour.csv.gz"] = "ftp://example.com/x"
        fails(instruments(home, "sync", "harbour"), "redirects to somewhere that cannot be used")
    finally:
        other.close()


def test_whose_credentials(home, server):
    home.cli("users", "add", "zoe", "--broker", "harbour")
    home.set_credentials("zoe", "harbour", access_token="fresh")
    server.answers["/harbour.csv.gz"] = (
        lambda headers: packed(SHARES) if headers["Authorization"] == "Bearer fresh" else 403)
    # The first user's are refused: the next one's are tried.
    assert "4 instruments" in succeeds(home, "sync", "harbour")
    assert len(server.requests) == 2
    assert "4 instruments" in succeeds(home, "sync", "harbour", "--user", "zoe")
    assert len(server.requests) == 3
    fails(instruments(home, "sync", "harbour", "--user", "alice"), "refuses the credentials")
    fails(instruments(home, "sync", "harbour", "--user", "bob"), "bob", "feedhost credentials set")
    home.cli("credentials", "remove", "zoe", "--broker", "harbour")
    home.cli("credentials", "remove", "alice", "--broker", "harbour")
    fails(instruments(home, "sync", "harbour"), "access_token", "feedhost credentials set")


def test_one_broker_that_fails_does_not_hold_up_the_other(home, server):
    home.cli("users", "add", "paul", "--broker", "pier")
    server.answers["/harbour.csv.gz"] = 500
    result = instruments(home, "sync")
    fails(result, "harbour", "HTTP 500")
    assert result.stdout.startswith("pier: 3 instruments")


@pytest.mark.parametrize("arguments, words", [
    (("sync", "nobody"), ["no adapter", "nobody", "feedhost plugins list"]),
    (("import", "nobody", "x.csv"), ["no adapter", "nobody"]),
    (("sync", "harbour", "--set", "harbour.nonsense=1"), ["harbour", "nonsense", "master_endpoint"]),
    (("sync", "harbour", "--set", "harbour.master_endpoint=ftp://x"), ["http and https", "settings"]),
    (("import", "harbour", "missing.csv"), ["missing.csv"]),
    (("import", "pier", "a", "b", "c"), ["north.csv.zip, south.csv"]),
    (("import", "pier", "north.csv", "other.csv"), ["other.csv", "north.csv.zip, south.csv", "--file-name"]),
    (("import", "pier", "north.csv", "x/NORTH.CSV.ZIP"), ["same one"]),
    (("import", "pier", "x.csv", "--file-name", "west.csv"), ["west.csv"]),
])
def test_errors_are_sentences(home, arguments, words):
    fails(instruments(home, *arguments), *words)


@pytest.mark.parametrize("arguments", [
    ("import", "harbour"), ("search",), ("search", ""), ("search", "x", "--limit", "0"),
    ("import", "pier", "a", "b", "--file-name", "north.csv"), ("nonsense",)])
def test_wrong_usage_is_64(home, arguments):
    assert instruments(home, *arguments).returncode == 64


# MARK: import, search, list


def test_files_by_name_by_order_and_by_word(home, tmp_path, server):
    north, south = tmp_path / "SOUTH.csv", tmp_path / "north.csv.zip"
    north.write_text(HEADER + "S1,NSE,1\n")
    south.write_bytes(zipped(a=HEADER + "N1,NSE,2\n"))
    assert "2 instruments" in succeeds(home, "import", "pier", north, south)
    assert found(home, "1", broker="pier") == ["pier/NSE:N1=2", "pier/NSE:S1=1"]
    odd = tmp_path / "download(3)"
    odd.write_text(HEADER + "X1,NSE,3\n")
    result = instruments(home, "import", "pier", odd)
    assert result.returncode == 0 and "south.csv" in result.stderr, "what is missing is said"
    assert found(home, "1", broker="pier") == ["pier/NSE:X1=3"]
    result = instruments(home, "import", "PIER", odd, "--file-name", "south.csv")
    assert result.returncode == 0 and "north.csv.zip" in result.stderr
    assert "download(3)" in succeeds(home, "list")
    assert server.requests == [], "nothing is downloaded"


def test_search(home):
    assert instruments(home, "search", "x").stderr.startswith("No instruments of any broker are stored")
    assert json.loads(succeeds(home, "search", "x", "--json")) == []
    assert succeeds(home, "list") == ""
    assert not (home.folder / "instruments.sqlite").exists(), "looking makes no file"
    succeeds(home, "sync", "harbour", "pier")
    assert found(home, "sbin") == ["harbour/NSE:SBIN=3045", "pier/NSE:SBIN=3045"]
    assert found(home, "sbin", broker="pier") == ["pier/NSE:SBIN=3045"]
    assert found(home, "N", exchange="nfo") == ["harbour/NFO:NIFTY28NOV24FUT=35001"]
    table = succeeds(home, "search", "reliance").splitlines()
    assert table[0].split() == ["SYMBOL", "NAME", "TYPE", "LOT", "TICK", "BROKER", "ITS", "SYMBOL", "ITS", "TOKEN"]
    assert table[1].split() == ["NSE:RELIANCE", "RELIANCE", "EQ", "1", "0.05", "harbour", "RELIANCE", "NSE:2885"]
    missing = instruments(home, "search", "nothing-like-it")
    assert missing.returncode == 0 and missing.stdout == "" and "nothing-like-it" in missing.stderr
    assert "sync angel" in instruments(home, "search", "x", "--broker", "angel").stderr


def test_doctor(home):
    arguments = ["doctor", "--store", home.store, "--plugins", home.plugins[0]]
    assert "note  instruments: none of pier" in home.run(*arguments).stdout
    succeeds(home, "sync", "pier")
    told = home.run(*arguments).stdout
    assert "ok    instruments: 3 of pier" in told and "feedhost instruments sync harbour" in told
    (home.folder / "instruments.sqlite").write_text("this is not a database, and it is long enough to tell")
    result = home.run(*arguments)
    assert result.returncode == 1 and "WRONG instruments" in result.stdout and "Delete it" in result.stdout


# MARK: A running host


def ltp(client, name: str) -> float:
    reply = client.request(
        {"action": "subscribe", "symbol": name.split(":")[1], "exchange": name.split(":")[0], "mode": "LTP"})
    assert reply["status"] == "success", reply
    return client.ticks(1)[0]["data"]["ltp"]


def test_a_running_host_takes_up_a_new_master(plugins, server, tmp_path, start_host, connect):
    host = start_host(
        {"paul": "pier"}, plugins=[plugins], env=endpoints(server.url) | {"FEEDHOST_INSTRUMENTS_REFRESH": "never"})
    client = connect(host, "paul")
    reply = client.request({"action": "subscribe", "symbol": "SBIN", "exchange": "NSE", "mode": "LTP"})
    message = json.dumps(reply)
    assert reply["status"] != "success" and "feedhost instruments sync pier" in message, reply
    succeeds(host, "sync", "pier")
    wait_until(lambda: "3 instruments of pier are loaded" in host.stderr, "the new master")
    assert ltp(client, "NSE:SBIN") == 3045
    # Another one, in which the symbol has another token.
    file = tmp_path / "north.csv"
    file.write_text(HEADER + "INFY,NSE,77\n")
    succeeds(host, "import", "pier", file)
    wait_until(lambda: "1 instruments of pier are loaded" in host.stderr, "the second master")
    assert ltp(client, "NSE:INFY") == 77
    reply = client.request({"action": "subscribe", "symbol": "INFI", "exchange": "NSE", "mode": "LTP"})
    assert "INFY" in json.dumps(reply), "the near match"


def test_a_host_loads_what_is_stored_before_it_is_ready(home, start_host, connect, plugins, server):
    host = start_host(
        {"paul": "pier"}, plugins=[plugins], env=endpoints(server.url) | {"FEEDHOST_INSTRUMENTS_REFRESH": "never"})
    succeeds(host, "sync", "pier")
    host.stop()
    host.start()
    assert ltp(connect(host, "paul"), "NSE:WIPRO") == 3787
    assert server.paths() == ["/north.csv.zip", "/south.csv"]


def test_a_host_fetches_masters_itself(plugins, server, start_host, connect):
    server.answers["/harbour.csv.gz"] = lambda headers: packed(SHARES) if "good" in headers["Authorization"] else 403
    host = start_host({"alice": "harbour"}, plugins=[plugins], env=endpoints(server.url))
    # Nobody has credentials: nothing is fetched. With wrong ones it is tried, and said what to do.
    host.set_credentials("alice", "harbour", access_token=TOKEN)
    wait_until(lambda: "could not be fetched" in host.stderr, "the failure")
    assert "feedhost instruments import harbour" in host.stderr and "refuses the credentials" in host.stderr
    assert server.paths() == ["/harbour.csv.gz"]
    # Fresh ones end the waiting.
    host.set_credentials("alice", "harbour", access_token="good")
    wait_until(lambda: "4 instruments of harbour are loaded" in host.stderr, "the instruments")
    assert ltp(connect(host, "alice"), "NSE:SBIN") == 3045
    assert server.paths() == ["/harbour.csv.gz"] * 2, "a fresh master is not fetched again"
    assert TOKEN not in host.stderr


def test_a_damaged_store_does_not_keep_a_host_from_starting(plugins, start_host, connect, tmp_path_factory):
    host = start_host({"paul": "pier"}, plugins=[plugins])
    host.stop()
    file = host.folder / "instruments.sqlite"
    file.write_text("this is not a database, and it is long enough to tell that")
    host.start()
    assert "is damaged" in host.stderr and "Delete it" in host.stderr
    connect(host, "paul").round_trip()


@pytest.mark.parametrize("name, value", [
    ("FEEDHOST_INSTRUMENTS_REFRESH", "sometimes"), ("FEEDHOST_INSTRUMENTS_REFRESH_AT", "25:00")])
def test_wrong_settings(home, name, value):
    home.environment[name] = value
    fails(instruments(home, "list"), name, value, "allowed")
