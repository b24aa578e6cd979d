"""OpenAlgo belongs to one user of the machine and the host runs as another: what is OpenAlgo's stays OpenAlgo's."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from client import Client
from host import binary, plugins_folder, wait_until
from test_hardening import NOBODY
from test_openalgo_swap import SOON, OpenAlgo, Swap

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="takes root, to be two users, and setpriv")


class Stranger(Swap):
    """A host of the user `nobody` in a folder of root's."""

    @property
    def command(self) -> list[str]:
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *super().command[:2],
                "--ready-file", str(self.ready_file), "--plugins", str(self.plugins[0])]


@pytest.fixture
def stranger():
    with tempfile.TemporaryDirectory() as name:
        # Where nobody can reach it: pytest's own folders are closed to others.
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(binary(), folder / "feedhost")
        shutil.copytree(plugins_folder(), folder / "plugins")
        host = Stranger(folder / "openalgo", plugins=[folder / "plugins"])
        host.openalgo = OpenAlgo(host.folder, {"WEBSOCKET_PORT": "0"})
        host.openalgo.set_key("alice")
        host.openalgo.login("alice", "simulator", "CANARY-token")
        # It may even write there, as it may in a folder that the two share.
        for path in [host.folder, host.folder / "db"]:
            path.chmod(0o777)
        yield host
        host.kill()


def beside(host) -> dict[str, int]:
    """The files of the log with their owners."""
    return {path.name: path.stat().st_uid for path in (host.folder / "db").iterdir() if path.name != "openalgo.db"}


def test_while_openalgo_is_down_nothing_is_made_in_its_place(stranger):
    """A `-shm` file of another user's would keep OpenAlgo from writing its own database."""
    stranger.openalgo.db.close()
    assert beside(stranger) == {}
    with pytest.raises(AssertionError, match="start OpenAlgo first"):
        stranger.start()
    assert beside(stranger) == {}


def test_while_openalgo_runs_its_files_are_read(stranger):
    openalgo = stranger.openalgo
    assert set(beside(stranger).values()) == {0}
    stranger.start()
    with Client(stranger.url, openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.tick()
        # What is written, emptied out of the log, and written after that is seen.
        key = openalgo.set_key("bob_k")
        openalgo.login("bob_k", "simulator", "CANARY-other")
        Client(stranger.url, key).close()
        openalgo.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        newer = openalgo.set_key("bob_k")
        Client(stranger.url, newer).close()
        assert stranger.refusal(key)["code"] == "AUTHENTICATION_ERROR"
        # OpenAlgo ends and comes back.
        openalgo.db.close()
        openalgo.db = sqlite3.connect(openalgo.path, timeout=1, isolation_level=None)
        newest = openalgo.set_key("bob_k")
        wait_until(lambda: stranger.refusal(newer)["code"] == "AUTHENTICATION_ERROR", "the new key", SOON)
        Client(stranger.url, newest).close()
        assert set(beside(stranger).values()) == {0}
        client.round_trip()
    stranger.stop()
    openalgo.set_key("alice")
    openalgo.db.close()
