"""Accounts from a plugin (`feedhost.auth/1`): the example in C, with OpenAlgo's client."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time

import pytest
from openalgo import api

from client import Client
from host import HEADERS, REPO, Host, plugins_folder, wait_until

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
], ids=lambda value: value if isinstance(value, str) else "settings")
def test_what_does_not_start(folder, tmp_path, name, settings, words):
    host = Host(
        tmp_path, settings=settings, env={"FEEDHOST_ACCOUNTS": f"plugin:{name}"}, plugins=[folder, plugins_folder()])
    result = host.run(*host.command[1:])
    assert result.returncode != 0 and words in result.stderr, result.stderr


# MARK: Plugins without a broker

#: A plugin of accounts alone whose `extension` does what a test says; its provider lets nobody in.
SOURCE = """
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "feedhost/extensions.h"
static fh_status start(fh_auth_ctx *c, const fh_auth_host *h, const fh_field *f, uint32_t n) { (void)c, (void)h, (void)f, (void)n; return FH_OK; }
static fh_status authenticate(fh_str key, void *sink, void (*account)(void *, const fh_account *)) { (void)key, (void)sink, (void)account; return FH_E_AUTH; }
static const fh_auth auth __attribute__((unused)) = {.size = sizeof auth, .start = start, .authenticate = authenticate};
static const void *extension(fh_instance *instance, const char *id) { (void)instance, (void)id; EXTENSION }
static const fh_descriptor only = {.size = sizeof only, .id = "org.example." NAME, .name = NAME, .vendor = "test", .version = "1", .broker = NAME};
static const fh_descriptor *const descriptors[] = {&only, NULL};
static const fh_adapter table = {.size = sizeof table, .extension = extension};
static const fh_adapter *adapter(const char *id) { (void)id; return &table; }
__attribute__((constructor)) static void load(void) { LOAD }
FH_EXPORT const fh_entry *feedhost_adapter_entry_v1(void) {
    static const fh_entry e = {FH_MAGIC, sizeof e, FH_ABI_MAJOR, FH_ABI_MINOR, 0, 0, FH_LAYOUT, descriptors, adapter};
    return &e;
}
"""
GOOD = 'return strcmp(id, "feedhost.auth/1") == 0 ? &auth : NULL;'


def build(folder, file: str, extension: str = GOOD, load: str = "", name: str = "door"):
    folder.mkdir(exist_ok=True)
    (folder / f"{file}.c").write_text(SOURCE)
    subprocess.run(
        ["cc", "-std=gnu11", "-shared", "-fPIC", f"-DNAME=\"{name}\"", f"-DEXTENSION={extension}", f"-DLOAD={load}",
         "-I", str(HEADERS), str(folder / f"{file}.c"), "-o", str(folder / f"{file}.so")],
        check=True, timeout=60)
    return folder


def listed(host) -> dict[str, dict]:
    records = json.loads(host.cli("plugins", "list", "--json", *(part for folder in host.plugins for part in ("--plugins", folder))))
    return {record["file"]: record for record in records}


def test_a_plugin_of_accounts_alone_is_listed(folder, tmp_path):
    """Nothing of a broker is in it, and the list of valid brokers does not concern it."""
    host = Host(tmp_path, plugins=[folder, plugins_folder()], env={"VALID_BROKERS": "simulator"})
    record = listed(host)["auth_file.so"]
    assert (record["state"], record["id"], record["summary"]) == ("loaded", "io.feedhost.example.keyfile", "accounts")
    assert "broker" not in record and "capabilities" not in record
    table = host.cli("plugins", "list", *(part for path in host.plugins for part in ("--plugins", path)))
    assert any("io.feedhost.example.keyfile" in row and " accounts " in row for row in table.splitlines()), table
    assert "Not loaded" not in table or "auth_file" not in table.split("Not loaded")[1]


def test_it_is_no_broker(start, keys, connect):
    host = start(keys(line("alice", broker="keyfile")))
    reply = connect(host).request({"action": "authenticate", "api_key": KEYS["alice"]})
    assert reply["code"] == "BROKER_ERROR", reply
    assert "keyfile" not in connect(host).request({"action": "get_supported_brokers"})["brokers"]


@pytest.mark.parametrize(("extension", "load", "words"), [
    ("return *(void **)0x8;", "", "crashed with SIGSEGV while it was opened"),
    ("abort();", "", "crashed with SIGABRT while it was opened"),
    ("for (;;) pause();", "", "timed out: it was still being opened after"),
    ("_exit(0);", "", "exited with status 0 while it was opened"),
    (GOOD, "raise_segv();", "needs the symbol raise_segv"),
    (GOOD, "*(volatile int *)0x8 = 1;", "crashed with SIGSEGV while it was opened"),
    (GOOD, "for (;;) pause();", "timed out: it was still being opened after"),
    ("return NULL;", "", "has no capabilities in the descriptor of org.example.door, and no accounts either"),
], ids=["crash", "abort", "hang", "leave", "symbol", "crash-at-load", "hang-at-load", "nothing"])
def test_one_that_is_broken_does_not_take_the_host_down(tmp_path, extension, load, words):
    folder = build(tmp_path / "plugins", "door", extension, ("void raise_segv(void); " if "raise" in load else "") + load)
    host = Host(tmp_path, env={"FEEDHOST_ACCOUNTS": "plugin:door"}, plugins=[folder, plugins_folder()])
    assert listed(host)["door.so"]["state"] in ("quarantined", "refused")
    result = host.run(*host.command[1:])
    assert result.returncode == 1, result.stderr
    assert "accounts.provider: no adapter door is loaded" in result.stderr and words in result.stderr, result.stderr


def test_an_adapter_that_fails_when_it_is_asked_provides_no_accounts(tmp_path):
    """It serves its broker, as before; chosen for accounts it is refused."""
    source = SOURCE.replace("static const fh_descriptor only = {", """
static const char *const exchanges[] = {"NSE", NULL};
static const fh_capabilities able = {.size = sizeof able, .modes = FH_MODE_LTP, .flags = FH_CAP_ANY_SYMBOL, .exchanges = exchanges};
static fh_status create(const fh_create_params *p, fh_instance **o) { (void)p, (void)o; return FH_E_UNSUPPORTED; }
static fh_status connect_(fh_instance *i, uint64_t g, const fh_credentials *c) { (void)i, (void)g, (void)c; return FH_E_UNSUPPORTED; }
static fh_status wish(fh_instance *i, uint64_t r, const fh_sub_request *w, uint32_t n) { (void)i, (void)r, (void)w, (void)n; return FH_E_UNSUPPORTED; }
static fh_status disconnect(fh_instance *i, uint64_t g) { (void)i, (void)g; return FH_OK; }
static void destroy(fh_instance *i) { (void)i; }
static const fh_descriptor only = {.capabilities = &able, """).replace(
        "{.size = sizeof table, ", "{sizeof table, 0, create, connect_, wish, wish, disconnect, destroy, ")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "both.c").write_text(source)
    subprocess.run(
        ["cc", "-std=gnu11", "-shared", "-fPIC", '-DNAME="both"', "-DEXTENSION=return *(void **)0x8;", "-DLOAD=", "-I",
         str(HEADERS), str(folder / "both.c"), "-o", str(folder / "both.so")],
        check=True, timeout=60)
    host = Host(tmp_path, env={"FEEDHOST_ACCOUNTS": "plugin:both"}, plugins=[folder, plugins_folder()])
    assert (listed(host)["both.so"]["state"], listed(host)["both.so"]["broker"]) == ("loaded", "both")
    result = host.run(*host.command[1:])
    assert result.returncode == 1 and "provides no accounts" in result.stderr, result.stderr


def test_two_of_one_name_are_both_refused(tmp_path):
    folder = build(tmp_path / "plugins", "one")
    build(folder, "two")
    records = listed(Host(tmp_path, plugins=[folder, plugins_folder()]))
    for file, other in (("one.so", "two.so"), ("two.so", "one.so")):
        assert records[file]["state"] == "refused" and other in records[file]["reason"]
