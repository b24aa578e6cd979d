"""Files that cannot be read or written: the error names permission as permission, whichever file it is.

Root may read everything, so the commands run as an ordinary user.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from host import DEADLINE, binary, plugins_folder

ORDINARY = 65534
PERMISSION = re.compile("permission", re.IGNORECASE)
MISSING = re.compile("does not exist|There is no|No such file")
#: What the library says when it has nothing to say.
EMPTY = re.compile("operation could not be completed|Cocoa|errno")


@pytest.fixture(scope="module")
def place():
    """A folder that everybody may enter, with a copy of the program and of an adapter."""
    folder = Path(tempfile.mkdtemp(prefix="feedhost-files-"))
    folder.chmod(0o755)
    shutil.copy(binary(), folder / "feedhost")
    (folder / "plugins.d").mkdir()
    shutil.copy(plugins_folder() / "zerodha.so", folder / "plugins.d")
    home = folder / "home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, ORDINARY, ORDINARY)
    yield folder
    shutil.rmtree(folder)


def environment(place: Path, **variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"HOME": str(place / "home"), "ZMQ_PORT": "0"} | variables


def command(place: Path, *arguments: str) -> list[str]:
    user = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"] if os.geteuid() == 0 else []
    return [*user, str(place / "feedhost"), *arguments]


def error(place: Path, arguments: list[str], **variables: str) -> str:
    result = subprocess.run(
        command(place, *arguments), capture_output=True, text=True, timeout=DEADLINE, cwd=place / "home",
        env=environment(place, **variables))
    assert result.returncode == 1, (result.stdout, result.stderr)
    return result.stderr.splitlines()[-1]


#: What reads or writes a file before the host is ready: arguments and variables, with PATH for the file.
READERS = {
    "configuration": (["serve", "--config", "PATH"], {}),
    "variables": (["users", "list", "--env-file", "PATH"], {}),
    "store": (["users", "list", "--store", "PATH"], {}),
    "ready file": (["serve", "--port", "0", "--ready-file", "PATH"], {}),
    "certificate": (["serve", "--port", "0", "--listen", "wss://127.0.0.1:0"],
                    {"FEEDHOST_TLS_CERTIFICATE": "PATH", "FEEDHOST_TLS_KEY": "PATH"}),
    "secret of tokens": (["serve", "--port", "0"], {"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_SECRET_FILE": "PATH"}),
    "keys of tokens": (["serve", "--port", "0"], {"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_KEY_SET": "PATH"}),
    "key of the bus": (["serve", "--port", "0"], {"FEEDHOST_BUS_CERTIFICATE": "PATH", "FEEDHOST_BUS_CLIENTS": "HOME"}),
    "master": (["instruments", "import", "zerodha", "PATH", "--plugins", "PLUGINS"], {}),
    "master, found beside the program": (["instruments", "import", "zerodha", "PATH"], {}),
}
#: They make the file, so that a missing one is no trouble.
WRITERS = {"ready file"}


def fill(text: str, path: Path, place: Path) -> str:
    return text.replace("PATH", str(path)).replace("PLUGINS", str(place / "plugins.d")).replace(
        "HOME", str(place / "home"))


def said(place: Path, reader: str, path: Path) -> str:
    arguments, variables = READERS[reader]
    return error(
        place, [fill(word, path, place) for word in arguments],
        **{name: fill(value, path, place) for name, value in variables.items()})


@pytest.fixture
def trouble(place):
    """Makes a path that gives trouble of a kind."""
    made: list[Path] = []

    def make(kind: str) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"{kind.replace(' ', '-')}-", dir=place))
        made.append(folder)
        folder.chmod(0o755)
        path = folder / "it"
        if kind in ("closed folder", "unreadable"):
            path.write_text("x")
            path.chmod(0o644 if kind == "closed folder" else 0)
            folder.chmod(0o700 if kind == "closed folder" else 0o755)
        elif kind == "folder":
            path.mkdir(mode=0o755)
            (path / "kept").write_text("x")
        return path

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that another user may not read")
@pytest.mark.parametrize("kind", ["closed folder", "unreadable"])
@pytest.mark.parametrize("reader", READERS)
def test_permission_is_named(place, trouble, reader, kind):
    path = trouble(kind)
    text = said(place, reader, path)
    assert text.startswith("Error: ") and str(path) in text, text
    assert PERMISSION.search(text) or "cannot be written by this user" in text, text
    assert not MISSING.search(text) and not EMPTY.search(text), text


@pytest.mark.parametrize("reader", [name for name in READERS if name not in WRITERS])
def test_what_is_missing_is_named_so(place, trouble, reader):
    path = trouble("missing")
    text = said(place, reader, path)
    assert str(path) in text and MISSING.search(text) and not EMPTY.search(text), text


def test_the_folder_of_the_ready_file_is_missing(place, trouble):
    path = trouble("missing").parent / "nowhere" / "ready.json"
    text = said(place, "ready file", path)
    assert f"the folder {path.parent} does not exist" in text


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_in_its_place(place, trouble, reader):
    """It stays as it is, with what is in it."""
    path = trouble("folder")
    if os.geteuid() == 0:
        # The user could remove it.
        for owned in (path.parent, path, path / "kept"):
            os.chown(owned, ORDINARY, ORDINARY)
    text = said(place, reader, path)
    assert str(path) in text and not EMPTY.search(text) and not MISSING.search(text), text
    assert (path / "kept").read_text() == "x"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders that another user may not enter")
@pytest.mark.parametrize("name", ["WS_PROXY_STATS_FILE", "LOG_DIR"])
def test_what_the_host_can_do_without_is_a_warning(place, trouble, name):
    path = trouble("closed folder")
    variables = environment(place, LOG_TO_FILE="true" if name == "LOG_DIR" else "false") | {name: str(path)}
    process = subprocess.Popen(
        command(place, "serve", "--port", "0"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        cwd=place / "home", env=variables)
    try:
        line = next(line for line in process.stderr if "warning" in line and str(path) in line)
        assert PERMISSION.search(line) and not MISSING.search(line) and not EMPTY.search(line), line
    finally:
        process.terminate()
        process.wait(DEADLINE)
