"""Users, keys and credentials on the command line, and what a running host makes of changes."""

from __future__ import annotations

import json
import os
import stat
import time

import pytest

from cli import KEY, SECRETS, SOON, fails
from client import Client
from host import wait_until


def test_the_key_is_alone_on_standard_output(home):
    added = home.run("users", "add", "alice", "--broker", "simulator", "--store", home.store)
    assert (added.returncode, added.stdout) == (0, ""), added.stderr
    issued = home.run("keys", "issue", "alice", "--store", home.store)
    assert issued.returncode == 0 and KEY.fullmatch(issued.stdout.rstrip("\n"))
    assert issued.stdout.count("\n") == 1 and issued.stdout.strip() not in issued.stderr


def test_keys_differ_and_are_listed_without_being_shown(home):
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.cli("users", "add", "bob", "--broker", "external")
    keys = [home.cli("keys", "issue", user, "--label", label)
            for user, label in (("alice", "of alice"), ("alice", "another"), ("bob", "of bob"))]
    assert len(set(keys)) == 3
    listed = home.cli("keys", "list")
    assert not [key for key in keys if key in listed] and not KEY.search(listed)
    assert all(key[-4:] in listed for key in keys) and "of alice" in listed
    assert keys[2][-4:] not in home.cli("keys", "list", "alice")
    users = home.cli("users", "list")
    assert "alice" in users and "simulator" in users and "external" in users


def test_keys_are_not_in_the_store(home):
    key = home.add_user("alice", "simulator")
    for file in home.folder.glob("store.db*"):
        assert key.encode() not in file.read_bytes() and bytes.fromhex(key) not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, f"others can read {file}"


@pytest.mark.parametrize("way", ["flag", "environment", "flag over environment", "default"])
def test_where_the_store_is(home, way):
    file = home.folder / "sub/folder/own.db"
    arguments = ["--store", file] if "flag" in way else []
    if "environment" in way:
        home.environment["FEEDHOST_STORE"] = str(file if way == "environment" else home.folder / "other.db")
    if way == "default":
        file = home.folder / ".local/share/feedhost/feedhost.db"
    assert home.run("users", "add", "alice", "--broker", "simulator", *arguments).returncode == 0
    assert home.run("keys", "issue", "alice", *arguments).returncode == 0
    assert file.exists() and [path.name for path in home.folder.rglob("*.db")] == [file.name]
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700, "the folder it made is open to others"


def test_revoke_by_number_key_and_user(home):
    home.cli("users", "add", "alice", "--broker", "simulator")
    keys = [home.cli("keys", "issue", "alice") for _ in range(4)]
    home.cli("keys", "revoke", "1")
    home.cli("keys", "revoke", keys[1])
    home.cli("keys", "revoke", "--user", "alice")
    rows = home.cli("keys", "list").splitlines()[1:]
    assert len(rows) == 4 and not [row for row in rows if row.endswith("-")]
    fails(home.run("keys", "revoke", "1", "--store", home.store), "revoked before")


@pytest.mark.parametrize("command, words", [
    (("users", "add", "alice", "--broker", "simulator"), ["alice", "exists"]),
    (("users", "add", "al ice", "--broker", "simulator"), ["al ice"]),
    (("users", "add", "", "--broker", "simulator"), ["name"]),
    (("users", "add", "x" * 65, "--broker", "simulator"), ["64"]),
    (("users", "add", "bob", "--broker", "Not A Broker"), ["Not A Broker", "lowercase"]),
    (("keys", "issue", "nobody"), ["nobody"]),
    (("keys", "revoke", "4711"), ["4711"]),
    (("keys", "revoke", "f" * 64), []),
    (("credentials", "set", "nobody", "--broker", "simulator", "a=b"), ["nobody"]),
])
def test_errors_are_sentences(home, command, words):
    home.cli("users", "add", "alice", "--broker", "simulator")
    fails(home.run(*command, "--store", home.store), *words)


@pytest.mark.parametrize("command", [
    ("users", "add", "bob"), ("keys", "issue"), ("keys", "revoke"), ("keys", "revoke", "1", "--user", "alice"),
    ("credentials", "set", "alice", "--broker", "simulator"),
    ("credentials", "set", "alice", "--broker", "simulator", "--stdin", "a=b"), ("keys", "lost"), ("nonsense",)])
def test_wrong_usage_is_64(home, command):
    home.cli("users", "add", "alice", "--broker", "simulator")
    store = ["--store", home.store] if command[-1] not in ("lost", "nonsense") else []
    result = home.run(*command, *store)
    assert result.returncode == 64 and "Usage:" in result.stderr


# MARK: Credentials


def test_credentials_are_never_shown(home, start_host, connect):
    host = start_host({"alice": "simulator"}, env={"LOG_LEVEL": "trace", "BROKER_API_SECRET": "CANARY-four-0b1d"})
    client = connect(host, "alice")
    client.subscribe("NSE:RELIANCE")
    pairs = [f"{name}={value}" for name, value in SECRETS.items()]
    outputs = []
    for command, stdin in (
        (("set", "alice", "--broker", "simulator", "--force", *pairs), None),
        (("set", "alice", "--broker", "simulator", "--force", "--stdin"), json.dumps(SECRETS)),
        (("list",), None),
        (("set", "alice", "--broker", "simulator", "nothing", SECRETS["pin"]), None),
        (("set", "alice", "--broker", "simulator", f"a={SECRETS['pin']}", f"a={SECRETS['pin']}"), None)):
        result = host.run("credentials", *command, "--store", host.store, stdin=stdin)
        outputs.append(result.stdout + result.stderr)
    assert "api_key" in outputs[0] and "api_secret" in outputs[2], "the names are shown"
    outputs += [host.run("users", "list", "--store", host.store).stdout, host.run("doctor", "--store", host.store).stdout]
    wait_until(lambda: "credentials" in host.stderr.lower(), "the change in the host's log", SOON)
    client.ticks(3)
    outputs.append(host.cli("credentials", "remove", "alice", "--broker", "simulator"))
    outputs.append(host.stderr + host.stdout)
    for output in outputs:
        assert "CANARY" not in output, output
        assert host.keys["alice"] not in output


@pytest.mark.parametrize("text", [
    "", "{", '{"api_key": "CANARY"', '["CANARY"]', '"CANARY"', '{"api_key": {"CANARY": 1}}', '{"api_key": 5}',
    '{"api_key": null}', "{}", "CANARY=x", '{"bad name!": "CANARY"}'])
def test_credentials_from_bad_input(home, text):
    home.cli("users", "add", "alice", "--broker", "simulator")
    result = home.run("credentials", "set", "alice", "--broker", "simulator", "--stdin", "--store", home.store, stdin=text)
    fails(result)
    assert "CANARY" not in result.stderr
    assert home.cli("credentials", "list") == ""


# MARK: A store in use


def test_changes_reach_a_running_host(start_host, connect):
    host = start_host({"alice": "simulator"}, settings={"simulator.rate": 100})
    # A new key of a new user: refused before, let in soon after.
    key = host.add_user("bob", "simulator")
    issued = time.monotonic()
    bob = wait_until(lambda: let_in(host, key), "the new key", SOON)
    assert time.monotonic() - issued < SOON
    alice = connect(host, "alice")
    alice.subscribe("NSE:SBIN")
    # A revoked key: its client is ended, the others are not.
    host.cli("keys", "revoke", "--user", "bob")
    code, reason = bob.closed(SOON)
    assert 4000 <= code < 5000 and reason, (code, reason)
    refused = connect(host).request({"action": "authenticate", "api_key": key})
    assert refused["code"] == "AUTHENTICATION_ERROR"
    alice.ticks(5)
    # New credentials: the session is rebuilt under its clients.
    host.set_credentials("alice", "simulator", api_key="x")
    wait_until(lambda: "credentials" in host.stderr.lower(), "the change in the host's log", SOON)
    alice.ticks(20)


def let_in(host, key) -> Client | None:
    client = Client(host.url)
    if client.request({"action": "authenticate", "api_key": key})["status"] == "success":
        return client
    client.close()
    return None


@pytest.mark.parametrize("change", [("move", "alice", "--broker", "external"), ("remove", "alice")])
def test_a_user_who_moves_or_leaves(start_host, connect, change):
    host = start_host({"alice": "simulator"})
    client = connect(host, "alice")
    host.cli("users", *change)
    assert 4000 <= client.closed(SOON)[0] < 5000
    reply = connect(host).request({"action": "authenticate", "api_key": host.keys["alice"]})
    assert reply.get("broker") == "external" if "move" in change else reply["code"] == "AUTHENTICATION_ERROR"


def test_many_commands_at_once(start_host):
    """Ten processes write to a store in use; all of it is there in the end."""
    from concurrent.futures import ThreadPoolExecutor

    host = start_host({"alice": "simulator"})
    with ThreadPoolExecutor(5) as pool:
        keys = list(pool.map(lambda _: host.cli("keys", "issue", "alice"), range(10)))
    assert len(set(keys)) == 10
    for key in (keys[0], keys[-1]):
        wait_until(lambda key=key: let_in(host, key), "the key", SOON).close()


# MARK: Stores that are none


@pytest.mark.parametrize("command", [
    ("users", "add", "bob", "--broker", "simulator"), ("keys", "list"), ("serve", "--port", "0")])
def test_bad_stores(home, command):
    folder, text = home.folder / "a-folder", home.folder / "text.db"
    folder.mkdir()
    text.write_text("This is no database, but it is long enough to be one. " * 100)
    home.environment["ZMQ_PORT"] = "0"
    for path, words in ((folder, [folder]), (text, [text, "database"]), (text / "below.db", [text])):
        result = home.run(*command, "--store", path)
        assert result.returncode == 1, result.stderr
        last = result.stderr.strip().splitlines()[-1]
        assert last.startswith("Error: ") and all(str(word) in last for word in words), last
    assert text.read_text().startswith("This is no database")


def test_a_missing_store(home):
    fails(home.run("keys", "list", "--store", home.store), home.store, "users add")
    assert not home.store.exists(), "only `users add` begins a store"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that root cannot write to")
def test_an_unwritable_folder(home):
    fails(home.run("users", "add", "alice", "--broker", "simulator", "--store", "/proc/feedhost.db"), "/proc/feedhost.db")
