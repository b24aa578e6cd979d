"""`feedhost tail` and `feedhost doctor`, and what every command says of itself."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess

import pytest

from host import Host, binary, plugins_folder, wait_until

COMMANDS = [
    (), ("serve",), ("demo",), ("tail",), ("doctor",), ("plugins",), ("plugins", "list"), ("users",), ("users", "add"),
    ("users", "list"), ("users", "move"), ("users", "remove"), ("keys",), ("keys", "issue"), ("keys", "list"),
    ("keys", "revoke"), ("credentials",), ("credentials", "set"), ("credentials", "list"), ("credentials", "remove")]


@pytest.fixture
def home(tmp_path):
    """Not started: for commands."""
    return Host(tmp_path / "home")


@pytest.fixture(scope="module")
def host(start_shared_host):
    return start_shared_host({"alice": "simulator"}, settings={"simulator.rate": 200})


def tail(host, *arguments, key=None, timeout=20):
    return host.run("tail", "--url", host.url, "--key", key or host.keys["alice"], *arguments, timeout=timeout)


# MARK: Tail


@pytest.mark.parametrize("mode, number, field", [("ltp", 1, "ltp"), ("quote", 2, "open"), ("depth", 3, "depth")])
def test_tail_json(host, mode, number, field):
    result = tail(host, "--json", "--count", 5, "--mode", mode, "NSE:RELIANCE", "NSE_INDEX:NIFTY")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    for message in map(json.loads, lines):
        assert message["type"] == "market_data" and message["mode"] == number and field in message["data"]
        assert (message["exchange"], message["symbol"]) in {("NSE", "RELIANCE"), ("NSE_INDEX", "NIFTY")}
        assert host.keys["alice"] not in str(message)


def test_tail_depth(host):
    result = tail(host, "--json", "--count", 1, "--mode", "depth", "--depth", 20, "NSE:RELIANCE")
    book = json.loads(result.stdout)["data"]["depth"]
    assert len(book["buy"]) == len(book["sell"]) == 20


def test_tail_for_people(host):
    result = tail(host, "--count", 3, "NSE:RELIANCE")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 3 and all("NSE:RELIANCE" in line and "\x1b" not in line for line in lines)


def test_the_key_from_the_environment(host):
    host.environment["FEEDHOST_KEY"] = host.keys["alice"]
    try:
        result = host.run("tail", "--url", host.url, "--json", "--count", 1, "NSE:RELIANCE")
    finally:
        del host.environment["FEEDHOST_KEY"]
    assert result.returncode == 0 and json.loads(result.stdout)["symbol"] == "RELIANCE"


def test_a_wrong_key(host):
    result = tail(host, "--json", "--count", 1, "NSE:RELIANCE", key="0" * 64)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and "Invalid API key" in result.stderr
    assert "0" * 64 not in result.stderr


def test_an_unknown_symbol(host):
    result = tail(host, "--json", "--count", 1, "NSE:RELIANSE")
    assert result.returncode == 1 and result.stdout == ""
    assert "RELIANSE" in result.stderr and "Error: " in result.stderr
    result = tail(host, "--json", "--count", 1, "XYZ:RELIANCE")
    assert result.returncode == 1 and "XYZ" in result.stderr


def test_one_unknown_symbol_among_good_ones(host):
    result = tail(host, "--json", "--count", 3, "NSE:RELIANSE", "NSE:SBIN")
    assert result.returncode == 0 and "RELIANSE" in result.stderr
    assert {json.loads(line)["symbol"] for line in result.stdout.splitlines()} == {"SBIN"}


def test_nobody_there(home):
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{place.getsockname()[1]}"
        result = home.run("tail", "--url", url, "--key", "x", "NSE:RELIANCE")
    assert result.returncode == 1 and result.stdout == ""
    assert url in result.stderr and "refused" in result.stderr
    assert result.stderr.count(url) == 1, "it is said once"


def test_the_host_goes_away(start_host):
    host = start_host({"alice": "simulator"}, settings={"simulator.rate": 100})
    with open(host.folder / "tail.txt", "wb") as output:
        process = subprocess.Popen(
            [binary(), "tail", "--json", "--no-reconnect", "--url", host.url, "--key", host.keys["alice"],
             "NSE:RELIANCE"], env=host.environment, stdout=output, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: (host.folder / "tail.txt").stat().st_size > 0, "a tick")
        host.stop()
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert errors.startswith("Error: ") and "1001" in errors


def test_output_that_is_no_longer_read(host):
    """`feedhost tail … | head -1` ends, and without a word."""
    process = subprocess.Popen(
        [binary(), "tail", "--json", "--url", host.url, "--key", host.keys["alice"], "NSE:RELIANCE"],
        env=host.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert json.loads(process.stdout.readline())
        process.stdout.close()
        process.wait(10)
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize("arguments, word", [
    (("RELIANCE",), "EXCHANGE:SYMBOL"), (("--mode", "full", "NSE:SBIN"), "ltp, quote or depth"), ((), "symbols"),
    (("--depth", "0", "NSE:SBIN"), "--depth"), (("--count", "x", "NSE:SBIN"), "--count"),
    (("--url", "http://x", "NSE:SBIN"), "ws")])
def test_tail_used_wrongly(home, arguments, word):
    result = home.run("tail", "--key", "x", *arguments)
    assert result.returncode != 0 and word in result.stderr and result.stdout == ""


def test_tail_without_a_key(home):
    result = home.run("tail", "NSE:SBIN")
    assert result.returncode != 0 and "--key" in result.stderr and "keys issue" in result.stderr


# MARK: Doctor


def test_the_doctor_is_content(home):
    home.add_user("alice", "simulator")
    home.environment["ZMQ_PORT"] = "0"
    result = home.run("doctor", "--store", home.store, "--plugins", plugins_folder(), "--port", 0)
    assert result.returncode == 0, result.stdout
    assert "WRONG" not in result.stdout and "simulator" in result.stdout and "1 users, 1 valid keys" in result.stdout
    assert home.keys["alice"] not in result.stdout


def sick(home, tmp_path, what):
    """Arguments that make one thing wrong, and what the doctor must name."""
    home.environment["ZMQ_PORT"] = "0"
    plugins = ("--plugins", plugins_folder())
    if what == "no adapter":
        return (), ["adapter", "plugins.d"]
    if what == "port":
        return (*plugins, "--port", 99999), ["--port", "99999", "65535"]
    if what == "store":
        return (*plugins, "--store", tmp_path), [tmp_path]
    if what == "adapter setting":
        return (*plugins, "--set", "simulator.rat=1"), ["simulator.rat", "Did you mean rate"]
    if what == "configuration":
        (home.folder / "feedhost.yaml").write_text("proxy: {prt: 1}\nbus: {port: x}\n")
        return plugins, ["proxy.prt", "bus.port", "line 1", "line 2"]
    home.environment["WS_PROXY_STATS_FILE"] = "/nowhere/stats.json"
    return plugins, ["/nowhere/stats.json", "mkdir"]


@pytest.mark.parametrize("what", ["no adapter", "port", "store", "adapter setting", "configuration", "stats file"])
def test_the_doctor_finds(home, tmp_path, what):
    arguments, words = sick(home, tmp_path, what)
    result = home.run("doctor", *arguments)
    assert result.returncode == 1, result.stdout
    wrong = [line for line in result.stdout.splitlines() if line.startswith("WRONG")]
    for word in words:
        assert any(str(word) in line for line in wrong), f"{word!r} is not in {wrong}"


def test_the_doctor_names_who_holds_a_port(home):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        result = home.run("doctor", "--plugins", plugins_folder(), "--port", port)
    assert result.returncode == 1
    assert any(str(port) in line and f"process {os.getpid()}" in line for line in result.stdout.splitlines())


# MARK: Every command


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(home, command):
    result = home.run(*command, "--help")
    assert result.returncode == 0 and result.stderr == ""
    usage = next(line for line in result.stdout.splitlines() if line.startswith("USAGE:"))
    assert " ".join(["feedhost", *command]) in usage and "OVERVIEW:" in result.stdout
    assert home.run("help", *command).stdout == result.stdout


def test_version(home):
    result = home.run("--version")
    assert result.returncode == 0 and re.fullmatch(r"\d+\.\d+\.\d+\n", result.stdout)


def test_help_needs_nothing(home):
    """Neither a home nor a sound configuration."""
    (home.folder / "feedhost.yaml").write_text("nonsense: [")
    del home.environment["HOME"]
    home.environment["ZMQ_PORT"] = "x"
    assert home.run("serve", "--help").returncode == 0 and home.run("--version").returncode == 0
