"""Brokers and credentials that nobody knows are refused when they are set; where adapters are looked for."""

from __future__ import annotations

import json
import shutil

import pytest

from cli import fails
from host import Host, binary, plugins_folder, wait_until


@pytest.mark.parametrize("command", [("users", "add", "bob"), ("users", "move", "alice"), ("credentials", "set", "alice")])
def test_unknown_brokers_are_refused(home, command):
    home.cli("users", "add", "alice", "--broker", "simulator")
    values = ["api_key=x"] if command[0] == "credentials" else []
    slip = home.run(*command, "--broker", "zerodah", *values, "--store", home.store)
    fails(slip, "zerodah", "Did you mean zerodha?", "external", "simulator", "--force")
    home.cli(*command, "--broker", "zerodah", *values, "--force")
    outside = home.run(*command[:2], "carol" if command[1] == "add" else "alice", "--broker", "dhan", *values,
                       "--store", home.store, "--set", "bus.external_as=dhan")
    assert outside.returncode == 0, outside.stderr


@pytest.mark.parametrize("broker, names, slip, meant", [
    ("zerodha", ["api_key", "access_token"], "acces_token", "access_token"),
    ("angel", ["api_key", "user_id", "access_token", "feed_token"], "feedtoken", "feed_token"),
    ("flattrade", ["user_id", "access_token", "api_key"], "userid", "user_id"),
    ("binance", [], "api_key", None),
])
def test_unknown_credentials_are_refused(home, broker, names, slip, meant):
    home.cli("users", "add", "alice", "--broker", broker)
    if names:
        home.cli("credentials", "set", "alice", "--broker", broker, *(f"{name}=hunter22" for name in names))
    result = home.run("credentials", "set", "alice", "--broker", broker, f"{slip}=hunter22", "--store", home.store)
    fails(result, slip, broker, *([f"Did you mean {meant}?"] if meant else ["it needs none"]))
    assert "hunter22" not in result.stderr
    by_json = home.run("credentials", "set", "alice", "--broker", broker, "--stdin", "--store", home.store,
                       stdin=json.dumps({slip: "hunter22"}))
    fails(by_json, slip)
    home.cli("credentials", "set", "alice", "--broker", broker, f"{slip}=hunter22", "--force")
    # What should never have been there can always be taken away.
    home.cli("credentials", "set", "alice", "--broker", broker, f"{slip}=")
    listed = home.cli("credentials", "list", "alice") if names else ""
    assert slip not in listed.split()[-2:][0].split(",") if names else True


def test_a_host_without_adapters_says_where_it_looked(tmp_path):
    host = Host(tmp_path / "bare", plugins=[])
    host.add_user("alice", "simulator")
    host.start()
    try:
        line = next(line for line in host.stderr.splitlines() if "no adapter was found" in line)
        assert " warning " in line
        for folder in [host.folder / "plugins.d", host.folder / ".local/share/feedhost/plugins.d",
                       "/usr/local/lib/feedhost/plugins.d", binary().resolve().parent / "plugins.d"]:
            assert str(folder) in line
    finally:
        host.stop()


def test_adapters_beside_the_program_are_found_last(tmp_path, monkeypatch):
    program = tmp_path / "opt"
    (program / "plugins.d").mkdir(parents=True)
    shutil.copy(binary(), program / "feedhost")
    shutil.copy(plugins_folder() / "simulator.so", program / "plugins.d")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/feedhost").symlink_to(program / "feedhost")
    monkeypatch.setenv("FEEDHOST_BIN", str(tmp_path / "bin/feedhost"))
    host = Host(tmp_path / "elsewhere", plugins=[])
    host.add_user("alice", "simulator")
    host.start()
    assert host.ready["brokers"] == ["external", "simulator"] or host.ready["brokers"] == ["simulator", "external"]
    host.stop()
    # One in the folder of the start comes before.
    own = host.folder / "plugins.d"
    own.mkdir()
    shutil.copy(plugins_folder() / "simulator.so", own)
    rows = json.loads(host.run("plugins", "list", "--json").stdout)
    states = {row["path"]: row["state"] for row in rows}
    assert states[str(own / "simulator.so")] == "loaded"
    assert states[str(program / "plugins.d/simulator.so")] == "shadowed"
    wait_until(lambda: not host.is_running, "the end")


OPENALGO = {"DATABASE_URL": "sqlite:///db/openalgo.db", "API_KEY_PEPPER": "p" * 40}


@pytest.mark.parametrize("arguments", [("users", "list"), ("keys", "list"), ("credentials", "list")])
def test_commands_say_which_store_they_change(home, arguments):
    """In OpenAlgo's folder the host reads OpenAlgo's database, and these work on a store that nobody looks at."""
    home.cli("users", "add", "alice", "--broker", "simulator")
    plain = home.run(*arguments, "--store", home.store)
    assert "OpenAlgo" not in plain.stderr
    host = Host(home.folder / "openalgo", env=OPENALGO)
    (host.folder / "db").mkdir()
    shutil.copy(home.store, host.folder / "own.db")
    (host.folder / "db/openalgo.db").write_bytes(b"")
    result = host.run(*arguments, "--set", "accounts.provider=openalgo", "--store", host.folder / "own.db")
    assert result.returncode == 0, result.stderr
    assert str(host.folder / "own.db") in result.stderr and "OpenAlgo" in result.stderr, result.stderr
    token = host.run(*arguments, "--set", "accounts.provider=jwt", "--store", host.folder / "own.db")
    assert ("jwt" in token.stderr) == (arguments[0] != "credentials"), token.stderr
