"""What keys allow and until when, on the command line and in a running host."""

from __future__ import annotations

import sqlite3
import time

import pytest

from cli import SOON, fails
from host import wait_until


def rows(home) -> list[str]:
    return home.cli("keys", "list").splitlines()[1:]


def test_terms_of_keys_are_shown_and_changed(home):
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.cli("keys", "issue", "alice", "--label", "screen", "--expires", "30d", "--exchanges", "NSE,NFO", "--symbols",
             "NIFTY*,RELIANCE", "--modes", "ltp,quote", "--no-orders", "--max-instruments", "50", "--brokers", "simulator")
    allows = ("brokers simulator; exchanges NFO,NSE; symbols NIFTY*,RELIANCE; modes ltp,quote; no orders; "
              "50 instruments")
    assert allows in rows(home)[0]
    header = home.cli("keys", "list").splitlines()[0]
    assert all(word in header for word in ("LABEL", "EXPIRES", "LAST USED", "ALLOWS"))
    home.cli("keys", "allow", "1", "--symbols", "all", "--orders", "--expires", "2099-12-31")
    assert "exchanges NFO,NSE; modes ltp,quote; 50 instruments" in rows(home)[0]
    assert "2099-12-31T18:30:00Z" in rows(home)[0], "the end of that day in India"
    home.cli("keys", "allow", "1", "--everything", "--expires", "never")
    assert "everything" in rows(home)[0] and "never" in rows(home)[0]
    said = home.run("keys", "allow", "1", "--exchanges", "NSX", "--store", home.store).stderr
    assert "NSX" in said and "Did you mean NS" in said, said


@pytest.mark.parametrize("options, words", [
    (["--modes", "ltp,dept"], ["dept", "Did you mean depth?"]),
    (["--modes", ""], ["mode"]),
    (["--exchanges", "nse"], ["nse", "Did you mean NSE?"]),
    (["--exchanges", "NSE,,NFO"], ["exchange"]),
    (["--symbols", "NSE:RELIANCE"], ["--exchanges"]),
    (["--symbols", "NIFTY\u200bBANK"], ["nothing invisible"]),
    (["--symbols", ",".join(["A*"] * 101)], ["100"]),
    (["--brokers", "Zerodha"], ["Zerodha", "lowercase"]),
    (["--max-instruments", "0"], ["1000000"]),
    (["--max-instruments", "many"], ["many", "unlimited"]),
    (["--expires", "yesterday"], ["yesterday", "30d"]),
    (["--expires", "2020-01-01"], ["expired already"]),
    (["--expires", "2026-02-30"], ["2026-02-30"]),
    (["--expires", "99999999999999999999d"], ["30d"]),
    (["--label", ""], ["label"]),
    (["--label", "taken"], ["taken", "Key 1"]),
])
def test_wrong_terms(home, options, words):
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.cli("keys", "issue", "alice", "--label", "taken")
    fails(home.run("keys", "issue", "alice", "--store", home.store, *options), *words)
    assert len(rows(home)) == 1
    if options[0] != "--label":
        fails(home.run("keys", "allow", "1", "--store", home.store, *options), *words)
        assert "everything" in rows(home)[0]


def test_changing_nothing_or_nobodys_key(home):
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.cli("keys", "issue", "alice")
    assert home.run("keys", "allow", "1", "--store", home.store).returncode == 64
    fails(home.run("keys", "allow", "9", "--no-orders", "--store", home.store), "9", "keys list")
    home.cli("keys", "revoke", "1")
    fails(home.run("keys", "allow", "1", "--no-orders", "--store", home.store), "revoked")


def test_last_use_is_shown(start_host, connect):
    host = start_host({"alice": "simulator"})
    assert rows(host)[0].count("never") == 2, "neither expires nor was used"
    connect(host, "alice")
    wait_until(lambda: rows(host)[0].count("never") == 1, "the time of the last use", 5)


def test_an_expired_key_does_not_open(start_host, connect):
    host = start_host({"alice": "simulator"})
    with sqlite3.connect(host.store) as store:
        store.execute("UPDATE api_keys SET expires_at = ?", [int(time.time()) - 1])
    store.close()
    reply = connect(host).request({"action": "authenticate", "api_key": host.keys["alice"]})
    assert (reply["code"], reply["message"]) == ("AUTHENTICATION_ERROR", "API key expired")
    host.cli("keys", "allow", "1", "--expires", "1h")
    connect(host, "alice")


def test_a_key_that_is_changed_ends_its_connections(start_host, connect):
    host = start_host({"alice": "simulator"})
    client = connect(host, "alice")
    host.cli("keys", "allow", "1", "--symbols", "SBIN")
    code, reason = client.closed(SOON)
    assert 4000 <= code < 4500, (code, reason, "clients are to come back")
