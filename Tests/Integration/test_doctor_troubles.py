"""What `feedhost doctor` says of accounts, disks, descriptors, the clock and of another host: each trouble, its line and
the status."""

from __future__ import annotations

import datetime
import re
import shutil
import sqlite3
import subprocess
import time

import pytest

from host import Host, binary, plugins_folder

CREDENTIALS = {
    "zerodha": {"access_token": "CANARY-token-1", "api_key": "CANARY-key-1"},
    "angel": {"access_token": "CANARY-token-2", "api_key": "CANARY-key-2", "user_id": "A1", "feed_token": "CANARY-feed"},
    "flattrade": {"access_token": "CANARY-token-3", "user_id": "FT1"},
}


def examine(home, *arguments, before=()):
    """Its status and its lines."""
    command = [*before, binary(), "doctor", "--store", home.store, "--plugins", plugins_folder(), "--port", "0", *arguments]
    result = subprocess.run(
        list(map(str, command)), env={"ZMQ_PORT": "0"} | home.environment, cwd=home.folder, capture_output=True, text=True,
        timeout=30)
    assert not result.stderr, result.stderr
    assert "CANARY" not in result.stdout
    *lines, last = result.stdout.splitlines()
    wrong = any(line.startswith("WRONG") for line in lines)
    assert result.returncode == wrong and last == (
        "Something keeps the host from working." if wrong else "The host can start.")
    return result.returncode, lines


def of(lines, what: str) -> list[str]:
    """Lines of one kind, without it: `note  text`."""
    return [re.sub(rf"^(\S+) +{what}: ", r"\1 ", line) for line in lines if re.match(rf"\S+ +{what}: ", line)]


def store_sql(home, text: str, *values) -> None:
    with sqlite3.connect(home.store) as store:
        assert store.execute(text, values).rowcount > 0
    store.close()


# MARK: Accounts


def test_logins_of_today(home):
    home.add_user("asha", "zerodha")
    for broker, values in CREDENTIALS.items():
        home.set_credentials("asha", broker, **values)
    code, lines = examine(home)
    assert code == 0 and of(lines, "accounts") == [f"ok asha has what {broker} needs" for broker in sorted(CREDENTIALS)]


def test_credentials_that_are_missing(home):
    """Each that each broker cannot do without, of a user of its own."""
    cases = [("zerodha", "access_token"), ("flattrade", "access_token"), *(("angel", name) for name in CREDENTIALS["angel"])]
    for number, (broker, missing) in enumerate(cases):
        home.cli("users", "add", f"user{number}", "--broker", broker)
        home.set_credentials(f"user{number}", broker, **{
            name: value for name, value in CREDENTIALS[broker].items() if name != missing})
    code, lines = examine(home)
    assert code == 0 and of(lines, "accounts") == [
        f"note user{number} lacks {missing} at {broker}; set it with `feedhost credentials set user{number} "
        f"--broker {broker} --stdin < credentials.json`" for number, (broker, missing) in enumerate(cases)]


def test_a_credential_that_the_environment_has_for_all(home):
    home.add_user("asha", "angel")
    home.set_credentials("asha", "angel", **{name: value for name, value in CREDENTIALS["angel"].items() if name != "api_key"})
    home.environment["BROKER_API_KEY"] = "CANARY-of-all"
    assert of(examine(home)[1], "accounts") == ["ok asha has what angel needs"]


def test_no_credentials_at_all(home):
    home.add_user("asha", "angel")
    home.add_user("bob", "simulator")
    home.add_user("carl", "external")
    code, lines = examine(home)
    assert code == 0
    assert [line.split(";")[0] for line in of(lines, "accounts")] == [
        "note asha lacks api_key, user_id, access_token, feed_token at angel"]


def test_a_user_on_a_broker_that_nobody_serves(home):
    home.add_user("asha", "zerodah")
    code, lines = examine(home)
    assert code == 0 and of(lines, "accounts") == [
        "note asha is on zerodah, and no adapter for it is loaded: install one, or move the user with "
        "`feedhost users move asha --broker BROKER`"]
    home.environment["FEEDHOST_EXTERNAL_AS"] = "zerodah"
    assert of(examine(home)[1], "accounts") == [], "it is fed from outside"


def rollover(hour: int, minute: int = 0) -> int:
    """The last time that it was this time of the day in India."""
    india = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    now = datetime.datetime.now(india)
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return int((at if at <= now else at - datetime.timedelta(days=1)).timestamp())


@pytest.mark.parametrize(("expiry", "hour", "minute"), [(None, 3, 0), ("05:30", 5, 30)])
def test_a_token_from_before_the_morning(home, expiry, hour, minute):
    home.add_user("asha", "zerodha")
    home.set_credentials("asha", "zerodha", **CREDENTIALS["zerodha"])
    if expiry:
        home.environment["SESSION_EXPIRY_TIME"] = expiry
    # Far enough from the test's own minute.
    for age, wanted in ((0, "ok"), (-60, "note")):
        store_sql(home, "UPDATE credential_sets SET updated_at = ?", rollover(hour, minute) + age)
        code, lines = examine(home)
        assert code == 0 and [line.split()[0] for line in of(lines, "accounts")] == [wanted], (age, lines)
    assert "ends them every morning: log in at the broker and set it with `feedhost credentials set asha" in str(lines)


def test_tokens_that_do_not_die(home):
    """Of a broker that does not say so."""
    home.add_user("asha", "simulator")
    home.set_credentials("asha", "simulator", anything="CANARY-x")
    store_sql(home, "UPDATE credential_sets SET updated_at = 1760000000")
    assert of(examine(home)[1], "accounts") == ["ok asha has what simulator needs"]


def test_users_that_the_host_does_not_look_at(home):
    home.add_user("asha", "zerodah")
    code, lines = examine(home, "--set", "accounts.provider=jwt", "--set", f"jwt.secret={'CANARY' * 8}")
    assert of(lines, "accounts") == [], lines


# MARK: The machine


def test_all_is_well(home):
    home.add_user("asha", "simulator")
    code, lines = examine(home)
    assert code == 0 and len(of(lines, "disk")) == 1 and len(of(lines, "clock")) == 1 and len(of(lines, "host")) == 0
    assert of(lines, "clock")[0].startswith(f"ok {datetime.date.today().year}-")


def mounts() -> bool:
    return shutil.which("unshare") is not None and subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0


@pytest.mark.skipif(not mounts(), reason="this user may mount nothing")
@pytest.mark.parametrize(("size", "filled", "code", "line"), [
    ("300m", 0, 0, "note 300 MiB are left for the store ({0}); free some space before it is full"),
    ("2m", 2, 1, "WRONG the disk of the store ({0}) is full; free some space there, or choose another folder"),
    ("64m,nr_inodes=2", 0, 1, "WRONG the disk of the store ({0}) is full; free some space there, or choose another folder"),
])
def test_disks(home, size, filled, code, line):
    place = home.folder / "small"
    place.mkdir()
    home.store = place / "store.db"
    script = f'mount -t tmpfs -o size={size} none "$0" && touch "$0/a"; head -c {filled << 20} /dev/zero >"$0/a" 2>/dev/null; exec "$@"'
    status, lines = examine(home, before=["unshare", "-rm", "sh", "-c", script, place])
    assert status == code and line.format(place) in of(lines, "disk"), lines


@pytest.mark.skipif(not mounts(), reason="this user may mount nothing")
def test_a_disk_of_the_log(home):
    (home.folder / "log").mkdir()
    home.environment |= {"LOG_TO_FILE": "True", "LOG_DIR": str(home.folder / "log")}
    code, lines = examine(home, before=[
        "unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=9m none "$0" && exec "$@"', home.folder / "log"])
    assert code == 0 and len(of(lines, "disk")) == 2
    assert f"note 9 MiB are left for the log ({home.folder / 'log'}); free some space before it is full" in of(lines, "disk")


@pytest.mark.parametrize(("limit", "code", "words"), [
    (60, 1, "WRONG at most 60 files and sockets, and the host needs "), (1000, 0, "note at most 1000 files and sockets")])
def test_descriptors(home, limit, code, words):
    status, lines = examine(home, before=["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"])
    (line,) = of(lines, "system")
    assert status == code and line.startswith(words) and "LimitNOFILE=" in line and "`ulimit -n 4096`" in line


def test_a_clock_that_is_slow(home):
    home.add_user("asha", "zerodha")
    home.set_credentials("asha", "zerodha", **CREDENTIALS["zerodha"])
    for later, what, sql in (
            (1800, "user asha", "UPDATE users SET created_at = ?"),
            (3600, "key 1", "UPDATE api_keys SET created_at = ?"),
            (5400, "the login of asha at zerodha", "UPDATE credential_sets SET updated_at = ?")):
        store_sql(home, sql, int(time.time()) + later)
        code, lines = examine(home)
        (line,) = of(lines, "clock")
        assert code == 1 and line.startswith(f"WRONG {what} was written at 20") and "timedatectl set-ntp true" in line


def test_clocks_of_two_machines_differ_a_little(home):
    home.add_user("asha", "simulator")
    store_sql(home, "UPDATE users SET created_at = ?", int(time.time()) + 60)
    assert examine(home)[0] == 0


@pytest.mark.parametrize("shared", [False, True])
def test_another_host(start_host, shared):
    host = start_host({"asha": "simulator"})
    code, lines = examine(host, *(["--shared-store"] if shared else []))
    (line,) = of(lines, "host")
    assert f"a host (process {host.process.pid}) runs on {host.store}" in line
    assert (code, line.split()[0]) == ((0, "note") if shared else (1, "WRONG"))
    assert "--shared-store" in line and (shared or "stop it" in line)
    host.stop()
    assert of(examine(host)[1], "host") == []


def test_another_host_on_the_port(start_host, tmp_path):
    host = start_host()
    other = Host(tmp_path / "other")
    code, lines = examine(other, "--port", host.port)
    (line,) = of(lines, "client port")
    assert code == 1 and f"is taken by feedhost (process {host.process.pid}); stop it or choose another" in line


def test_what_to_do_stands_in_each_line(home, tmp_path):
    """Of all troubles at once."""
    home.add_user("asha", "zerodah")
    home.cli("keys", "revoke", "--user", "asha")
    home.add_user("bob", "angel")
    home.cli("keys", "revoke", "--user", "bob")
    _, lines = examine(home)
    for line in lines:
        if not line.startswith("ok"):
            assert "`feedhost " in line or ";" in line, line
