"""The master key: credentials at rest, its rotation, and hosts whose key changes or is gone."""

from __future__ import annotations

import os
import stat
import subprocess
import time

from cli import KEY, SECRETS, SOON, fails
from host import binary, wait_until


def in_files(home, text: str) -> list[str]:
    return [file.name for file in home.folder.glob("store.db*") if text.encode() in file.read_bytes()]


def test_credentials_are_encrypted(home):
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.set_credentials("alice", "simulator", **SECRETS)
    assert not in_files(home, "CANARY") and in_files(home, "api_secret") == ["store.db"]
    key = home.folder / "store.db.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and KEY.fullmatch(key.read_text().strip())
    assert "3, all can be decrypted" in home.run("doctor", "--store", home.store).stdout
    assert "simulator" in home.cli("users", "list").splitlines()[1].split()[3]


def test_a_wrong_or_missing_key_is_said(home):
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.set_credentials("alice", "simulator", **SECRETS)
    key = home.folder / "store.db.key"
    text = key.read_text()
    set_pin = ["credentials", "set", "alice", "--broker", "simulator", "pin=5", "--force", "--store", home.store]
    key.unlink()
    fails(home.run(*set_pin), key, "does not exist")
    key.touch(0o600)
    key.write_text("0f" * 32)
    fails(home.run(*set_pin), key, home.store, "another key")
    doctor = home.run("doctor", "--store", home.store)
    assert doctor.returncode == 1 and "WRONG credentials" in doctor.stdout and str(key) in doctor.stdout
    key.write_text("no key")
    fails(home.run(*set_pin), key, "holds no key")
    assert "api_key" in home.cli("credentials", "list"), "names can be listed without"
    key.unlink()
    home.environment["FEEDHOST_MASTER_KEY"] = "0f" * 32
    fails(home.run(*set_pin), "FEEDHOST_MASTER_KEY", "another key")
    home.environment["FEEDHOST_MASTER_KEY"] = text
    home.cli(*set_pin[:-2])
    home.environment["FEEDHOST_KEY_FILE"] = str(key)
    fails(home.run(*set_pin), "FEEDHOST_MASTER_KEY", "FEEDHOST_KEY_FILE")
    assert not key.exists(), "nothing was made up"


def test_rotation_in_every_way(home):
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.set_credentials("alice", "simulator", **SECRETS)
    key = home.folder / "store.db.key"
    texts = [key.read_text()]
    said = home.run("credentials", "rotate-key", "--store", home.store)
    assert said.returncode == 0 and "3 credentials" in said.stderr and str(key) in said.stderr
    texts.append(key.read_text())
    assert texts[0] != texts[1] and (home.folder / "store.db.key.old").read_text() == texts[0]
    key.unlink()
    home.environment["FEEDHOST_MASTER_KEY"] = texts[1].strip()
    fails(home.run("credentials", "rotate-key", "--store", home.store), "--new-key-file", "FEEDHOST_MASTER_KEY")
    moved = home.folder / "moved.key"
    said = home.run("credentials", "rotate-key", "--new-key-file", moved, "--store", home.store)
    assert said.returncode == 0 and "FEEDHOST_KEY_FILE" in said.stderr, said.stderr
    fails(home.run("credentials", "rotate-key", "--new-key-file", moved, "--store", home.store), "exists already")
    del home.environment["FEEDHOST_MASTER_KEY"]
    home.environment["FEEDHOST_KEY_FILE"] = str(moved)
    assert "3, all can be decrypted" in home.run("doctor", "--store", home.store).stdout
    for text in (*texts, moved.read_text()):
        assert text.strip() not in said.stdout + said.stderr


def test_a_killed_rotation_loses_nothing(home):
    """At times that are spread over the whole command."""
    home.cli("users", "add", "alice", "--broker", "simulator")
    home.set_credentials("alice", "simulator", **SECRETS)
    begun = time.monotonic()
    home.cli("credentials", "rotate-key")
    whole = time.monotonic() - begun
    killed = 0
    for round in range(12):
        process = subprocess.Popen(
            [str(binary()), "credentials", "rotate-key", "--store", str(home.store)], cwd=home.folder,
            env=home.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * (round + 1) / 12)
        process.kill()
        killed += process.wait() != 0
        assert "3, all can be decrypted" in home.run("doctor", "--store", home.store).stdout
    assert killed, "none was cut off: this shows nothing"
    home.cli("credentials", "rotate-key")


def test_a_running_host_goes_on_with_a_new_key(start_host, connect):
    host = start_host({"alice": "simulator"}, settings={"simulator.rate": 100},
                      before=lambda host: host.set_credentials("alice", "simulator", api_key="one"))
    client = connect(host, "alice")
    client.subscribe("NSE:SBIN")
    client.ticks(3)
    host.cli("credentials", "rotate-key")
    client.ticks(20)
    # Only who has the new key can read what is set now; the session connects with it.
    host.set_credentials("alice", "simulator", api_key="two")
    wait_until(lambda: "credentials" in host.stderr.lower(), "the change in the host's log", SOON)
    client.ticks(100)
    assert "decrypt" not in host.stderr and "cannot be read" not in host.stderr, host.stderr


def test_a_host_without_its_master_key_says_so_and_recovers(start_host, connect):
    def lose_the_key(host):
        host.set_credentials("alice", "simulator", api_key="one")
        os.rename(host.folder / "store.db.key", host.folder / "away")

    host = start_host({"alice": "simulator", "bob": "simulator"}, before=lose_the_key)
    wait_until(lambda: "store.db.key does not exist" in host.stderr, "the warning", SOON)
    bob = connect(host, "bob")
    bob.subscribe("NSE:SBIN")
    bob.ticks(2)
    os.rename(host.folder / "away", host.folder / "store.db.key")
    wait_until(lambda: "can be decrypted again" in host.stderr, "the good news", SOON)
    alice = connect(host, "alice")
    alice.subscribe("NSE:SBIN")
    alice.ticks(2)
    assert host.stderr.count("store.db.key does not exist") <= 2, "said once by the watcher, once by who asked"
