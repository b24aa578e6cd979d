"""A host in whose every place a secret can enter there is a canary, and all that it says to anybody: what the tests of canaries share."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from client import Client
from host import DEADLINE, HEADERS, REPO, Host, plugins_folder
from test_redaction import canary

CREDENTIALS = ["api_key", "api_secret", "access_token", "feed_token", "totp"]
#: Files that a test has put its secrets into, and where they may be.
ALLOWED = {".env", "feedhost.yaml", "store.db.key", "store.db.key.old"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With the adapter that repeats everything."""
    folder = tmp_path_factory.mktemp("parrot")
    compiler = next(name for name in ["gcc", "clang", "cc"] if shutil.which(name))
    subprocess.run(
        [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{HEADERS}", "-shared", "-fPIC", "-fvisibility=hidden",
         f"-Wl,--version-script={REPO}/Plugins/adapter.map",
         f"{REPO}/Tests/Integration/plugins/parrot.c", "-o", f"{folder}/parrot.so", "-pthread"], check=True, timeout=120)
    return folder


@pytest.fixture
def plugins(folder):
    return [folder, plugins_folder()]


def files(host: Host) -> dict[str, str]:
    """All that lies in the host's folder after a run, stores included: what is encrypted or hashed there is not found."""
    return {
        str(path.relative_to(host.folder)): path.read_bytes().decode("latin-1")
        for path in host.folder.glob("**/*") if path.is_file() and path.name not in ALLOWED
    }


def processes(host: Host) -> dict[str, str]:
    """What other users of the machine see of it."""
    return {"cmdline": Path(f"/proc/{host.process.pid}/cmdline").read_bytes().decode(errors="replace")}


def commands(host: Host, *more: list[str]) -> dict[str, str]:
    texts = {}
    for command in [
        ["doctor"], ["doctor", "--settings"], ["serve", "--help"], ["plugins", "list"], ["plugins", "list", "--json"],
        ["users", "list"], ["keys", "list"], ["credentials", "list"], ["instruments", "status"], *more,
    ]:
        store = ["--store", host.store] if command[0] in {"users", "keys", "credentials"} or command == ["doctor"] else []
        found = ["--plugins", host.plugins[0]] if command == ["doctor"] else []
        result = host.run(*command, *store, *found, timeout=60)
        texts[" ".join(map(str, command))] = result.stdout + result.stderr
    return texts


def crash(host: Host) -> str:
    """The report of a crash while everything is held."""
    process, host.process = host.process, None
    process.send_signal(signal.SIGSEGV)
    assert process.wait(DEADLINE) == -signal.SIGSEGV
    assert "crashed with SIGSEGV" in host.stderr
    assert not list(host.folder.glob("**/core*"))
    return host.stderr


def ask(host: Host, *messages, key: str | None = None) -> str:
    """What a client of its own is answered."""
    replies = []
    with Client(host.url) as client:
        if key:
            replies.append(client.request({"action": "authenticate", "api_key": key}))
        for message in messages:
            client.send(message)
            try:
                replies.append(client.reply(5))
            except Exception as end:
                replies.append(str(end))
                break
    return json.dumps(replies)


def subscribe(name: str, mode: str = "LTP") -> dict:
    exchange, symbol = name.split(":")
    return {"action": "subscribe", "symbols": [{"exchange": exchange, "symbol": symbol}], "mode": mode}


def credentials(day: int = 0) -> dict[str, str]:
    return {name: canary(f"{name}-{day}") for name in CREDENTIALS}


def put(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)
