"""Output that cannot be written is an error; output that nobody reads any more is the end. For every command that prints."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess

import pytest

from host import Host, binary, plugins_folder

#: Commands, with `{store}` and `{plugins}` filled in. All of them have something to say.
COMMANDS = {
    "help": ["--help"], "serve help": ["serve", "--help"], "version": ["--version"],
    "doctor": ["doctor", "--store", "{store}", "--plugins", "{plugins}", "--port", "0"],
    "doctor settings": ["doctor", "--settings"],
    "plugins": ["plugins", "list", "--plugins", "{plugins}"],
    "plugins json": ["plugins", "list", "--json", "--plugins", "{plugins}"],
    "plugins none": ["plugins", "list"],
    "users": ["users", "list", "--store", "{store}"],
    "keys": ["keys", "list", "--store", "{store}"],
    "keys issue": ["keys", "issue", "alice", "--store", "{store}"],
    "credentials": ["credentials", "list", "--store", "{store}"],
    "instruments": ["instruments", "list", "--store", "{store}"],
    "instruments left out": ["instruments", "list", "--left-out", "--store", "{store}"],
    "instruments search": ["instruments", "search", "INFY", "--store", "{store}"],
    "instruments json": ["instruments", "search", "INFY", "--json", "--store", "{store}"],
    "instruments import": ["instruments", "import", "zerodha", "{master}", "--force", "--store", "{store}",
                           "--plugins", "{plugins}"],
    "bus": ["bus", "keygen", "{name}"],
    "demo": ["demo", "--port", "0", "--plugins", "{plugins}"],
    "serve demo": ["serve", "--demo", "--port", "0", "--plugins", "{plugins}"],
    "tail": ["tail", "--url", "{url}", "--key", "{key}", "NSE:SBIN"],
    "tail json": ["tail", "--json", "--url", "{url}", "--key", "{key}", "NSE:SBIN"],
}
MASTER = """instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange
408065,1594,INFY,INFOSYS,0,,0,0.05,1,EQ,NSE,NSE
779521,3045,SBIN,STATE BANK OF INDIA,0,,0,0.05,1,EQ,NSE,NSE
"""


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host({"alice": "simulator"}, settings={"simulator.rate": 200})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = Host(tmp_path_factory.mktemp("home"), env={"ZMQ_PORT": "0"})
    home.add_user("alice", "simulator")
    home.set_credentials("alice", "zerodha", api_key="CANARY-one", access_token="CANARY-two")
    (home.folder / "instruments.csv").write_text(MASTER)
    home.cli("instruments", "import", "zerodha", home.folder / "instruments.csv", "--plugins", plugins_folder())
    return home


def command(home, host, name, tag) -> list[str]:
    named = {"store": home.store, "plugins": plugins_folder(), "master": home.folder / "instruments.csv",
             "name": f"{tag}-{os.getpid()}", "url": host.url, "key": host.keys["alice"]}
    return [str(binary()), *(part.format(**named) for part in COMMANDS[name])]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(home, host, name):
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            command(home, host, name, "full"), env=home.environment, cwd=home.folder, stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=30)
    assert result.returncode == 1, result.stderr
    assert "Error: Standard output cannot be written: No space left on device." in result.stderr


@pytest.mark.parametrize(("name", "ignored"), [
    *((name, False) for name in COMMANDS), *((name, True) for name in ("help", "users", "demo", "tail"))])
def test_a_reader_that_has_gone(home, host, name, ignored):
    """As `yes | head` has it: no word, and the signal as the status; also where whoever started it ignores the signal."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run(
            command(home, host, name, f"gone{ignored}"), env=home.environment, cwd=home.folder, stdout=writing,
            stderr=subprocess.PIPE, text=True, timeout=30, restore_signals=not ignored,
            preexec_fn=(lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)) if ignored else None)
    finally:
        os.close(writing)
    assert result.returncode == -signal.SIGPIPE, result.stderr
    assert "Error" not in result.stderr and "Fatal" not in result.stderr
    assert not list((home.folder / "tmp").glob("feedhost-demo-*"))


@pytest.mark.parametrize("name", ["users", "doctor", "plugins"])
def test_output_that_is_closed(home, host, name):
    """Nothing that is opened later, such as the store, may take its place."""
    result = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command(home, host, name, "closed")], env=home.environment,
        cwd=home.folder, stderr=subprocess.PIPE, text=True, timeout=30)
    assert result.returncode == 1 and "Standard output cannot be written: Bad file descriptor" in result.stderr
    for path in home.folder.glob("*"):
        assert path.is_dir() or not re.search(rb"CREDENTIALS AT|The host can start|CAPABILITIES", path.read_bytes()), path
    with sqlite3.connect(home.store) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()


def test_errors_that_cannot_be_written(home, host):
    """Somebody who throws them away has the same outcome as anybody else."""
    for arguments, code in (["users", "list", "--store", home.store], 0), (["users", "list", "--store", "/nowhere"], 1):
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [binary(), *arguments], env=home.environment, cwd=home.folder, stdout=subprocess.DEVNULL, stderr=full)
        assert result.returncode == code


@pytest.mark.parametrize("name", ["demo", "tail", "tail json"])
def test_head(home, host, name):
    result = subprocess.run(
        ["bash", "-c", '"$@" 2>errors.txt | head -n 2; echo ${PIPESTATUS[0]}', "bash", *command(home, host, name, "head")],
        env=home.environment, cwd=home.folder, stdout=subprocess.PIPE, text=True, timeout=30)
    lines = result.stdout.splitlines()
    assert len(lines) == 3 and lines[2] == "141", (lines, (home.folder / "errors.txt").read_text())
