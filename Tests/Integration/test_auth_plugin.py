"""Accounts from a plugin (`feedhost.auth/1`): the example in C, with OpenAlgo's client."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time

import pytest
from openalgo import api

from client import Client
from host import REPO, Host, plugins_folder, wait_until

KEYS = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("alice", "bob", "carol")}


def line(name: str, *options: str, broker: str = "simulator") -> str:
    digest = hashlib.sha256(KEYS[name].encode()).hexdigest()
    return " ".join([digest, name, broker, *options])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    subprocess.run(["make", "-s", "-C", str(REPO / "Plugins/Examples"), "auth", f"OUT={folder}"], check=True, timeout=120)
    return folder


@pytest.fixture
def keys(tmp_path):
    """Writes the file with the keys, in one step."""
    def write(*lines: str):
        (tmp_path / "new").write_text("# keys\n" + "\n".join(lines) + "\n")
        os.replace(tmp_path / "new", tmp_path / "keys")
        return tmp_path / "keys"
    return write


@pytest.fixture
def start(start_host, folder):
    def start(path, name="auth_file"):
        return start_host(
            {}, plugins=[folder, plugins_folder()], env={"FEEDHOST_ACCOUNTS": f"plugin:{name}"},
            settings={"keyfile.path": path, "simulator.rate": 100})
    return start


@pytest.mark.parametrize("name", ["auth_file", "auth_file.so", "io.feedhost.example.keyfile", "keyfile"])
def test_the_official_client(start, keys, name):
    host = start(keys(line("alice")), name)
    client = api(api_key=KEYS["alice"], host="http://127.0.0.1:5000", ws_url=host.url)
    assert client.connect() is True
    ticks = []
    client.subscribe_ltp([{"exchange": "NSE", "symbol": "RELIANCE"}], on_data_received=lambda tick: ticks.append(tick))
    wait_until(lambda: len(ticks) > 5, "ticks")
    client.disconnect()


def test_wrong_and_expired_keys(start, keys, connect):
    host = start(keys(line("alice"), line("bob", f"until={int(time.time()) - 10}")))
    for key, words in [("0" * 64, "Invalid"), ("x" * 9000, "Invalid"), (KEYS["bob"], "expired")]:
        reply = connect(host).request({"action": "authenticate", "api_key": key})
        assert reply["code"] == "AUTHENTICATION_ERROR" and words in reply["message"], reply
    assert KEYS["bob"] not in host.stderr


def test_permissions(start, keys, connect):
    host = start(keys(line("alice", "exchanges=NSE", "symbols=RELI*", "modes=LTP")))
    client = connect(host)
    client.auth(KEYS["alice"])
    client.subscribe("NSE:RELIANCE")
    assert client.tick()["symbol"] == "RELIANCE"
    for exchange, symbol, mode in [("NSE", "TCS", "LTP"), ("NSE_INDEX", "NIFTY", "LTP"), ("NSE", "RELIANCE", "Depth")]:
        reply = client.request(
            {"action": "subscribe", "symbols": [{"exchange": exchange, "symbol": symbol}], "mode": mode})
        assert reply["status"] != "success", reply


def test_changes_reach_clients(start, keys, connect):
    host = start(keys(line("alice"), line("bob"), line("carol")))
    alice, bob, carol = (connect(host) for _ in range(3))
    for client, name in [(alice, "alice"), (bob, "bob"), (carol, "carol")]:
        client.auth(KEYS[name])
    keys(line("bob", "modes=LTP"), line("carol"))
    for client in (alice, bob):
        code, _ = client.closed(5)
        assert code and code >= 4000
    carol.round_trip()
    reply = connect(host).request({"action": "authenticate", "api_key": KEYS["alice"]})
    assert reply["status"] == "error"
    connect(host).auth(KEYS["bob"])


def test_a_damaged_file_changes_nothing(start, keys, connect):
    host = start(keys(line("alice")))
    keys(line("bob", "modes=everything"))
    wait_until(lambda: "makes no sense" in host.stderr, "the warning")
    connect(host).auth(KEYS["alice"])


@pytest.mark.parametrize(("name", "settings", "words"), [
    ("auth_file", {}, "keyfile.path"),
    ("auth_file", {"keyfile.path": "/nowhere"}, "cannot be read"),
    ("simulator", {}, "provides no accounts"),
    ("missing", {}, "io.feedhost.example.keyfile"),
])
def test_what_does_not_start(folder, tmp_path, name, settings, words):
    host = Host(
        tmp_path, settings=settings, env={"FEEDHOST_ACCOUNTS": f"plugin:{name}"}, plugins=[folder, plugins_folder()])
    result = host.run(*host.command[1:])
    assert result.returncode != 0 and words in result.stderr, result.stderr
