"""Does what a page says, as a reader would: one folder, one shell that goes on from block to block."""

from __future__ import annotations

import ast
import ctypes
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import documents
from client import Client
from documents import Block
from host import DEADLINE, binary, plugins_folder, wait_until
from simulator import Simulator, simulator_binary

#: What stands in for people, brokers and the network; everything else in a block runs as it is printed.
STAND_INS = r"""
set -euo pipefail
listens() {  # PORT [PROCESS]: until somebody listens there, or the process has ended
    for _ in $(seq 600); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        [ -z "${2:-}" ] || kill -0 "$2" 2>/dev/null || break
        command sleep 0.05
    done
    echo "nobody listens on port $1" >&2; cat "$LOG" >&2; return 1
}
# A second is enough on a machine that does nothing else; here it is until the host listens.
sleep() { listens 8765; }
feedhost() {
    case $1 in
        # Would go on until Ctrl-C.
        tail) command feedhost "$@" --count 3 ;;
        # Would hold the terminal. Whoever types is slower than a simulator that starts.
        serve)
            [ -z "${SIMULATOR_PORT:-}" ] || listens "$SIMULATOR_PORT"
            command feedhost "$@" >>"$LOG" 2>&1 &
            listens 8765 $! ;;
        *) command feedhost "$@" ;;
    esac
}
feedhost-simulate() { command feedhost-simulate "$@" >>"$LOG" 2>&1; }
# There is no index without a network: the same files come from a folder, and what they need is here.
pip() { "$PIP" --disable-pip-version-check "$@" --no-index --find-links "$WHEELS" --no-deps --quiet --target "$SITE"; }
trap 'env -0 >"$STATE"; { printf "key=%s\0" "${key:-}"; printf "KEY=%s\0" "${KEY:-}"; } >>"$STATE"' EXIT
"""


def loopback() -> None:
    """A new network has 127.0.0.1, but it is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        up = struct.pack("16sh", b"lo", 0x1)
        fcntl.ioctl(some, 0x8914, up + bytes(22))  # SIOCSIFFLAGS, IFF_UP


class Page:
    def __init__(self, name: str, folder: Path):
        self.name = name
        self.home = folder
        #: As a checkout after `make build`: what commands on the pages name relative to it is there.
        self.folder = folder / "feedhost"
        release = self.folder / ".build/release"
        release.mkdir(parents=True)
        for program in (binary(), simulator_binary()):
            (release / program.name).symlink_to(program)
        self.install_adapters()
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder), "LOG": str(folder / "log"),
            "STATE": str(folder / "state"), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
        for name in ("LD_LIBRARY_PATH", "SWIFT_HOME"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        #: Where the shell is, and the last keys that it has been given.
        self.at = self.folder
        self.key = ""
        self.group: int | None = None
        self.simulators: list[Simulator] = []
        self.output = ""
        # What a block has left running becomes this process's, which then sees how it ends.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER

    def install_adapters(self) -> None:
        (self.folder / "plugins.d").mkdir()
        for file in plugins_folder().glob("*.so"):
            (self.folder / "plugins.d" / file.name).symlink_to(file)

    def installed(self) -> None:
        """From here on `feedhost` is on the path, as after `make install`."""
        self.environment["PATH"] = f"{self.folder / '.build/release'}:{self.environment['PATH']}"

    # MARK: Blocks

    def run(self, block: Block | str, *, replace: dict[str, str] | None = None, status: int = 0, **environment) -> str:
        """Runs a block in the shell; what it says. Hosts and simulators that it starts run until `end`."""
        self.end()
        text, place = (block.text, block.place) if isinstance(block, Block) else (block, self.name)
        for old, new in (replace or {}).items():
            assert old in text, f"{place}: no {old!r} in it any more"
            text = text.replace(old, new)
        said = self.home / "said"
        # The reader's shell would still have it.
        script = f"{STAND_INS}\nKEY={self.key!r}\ncd {str(self.at)!r}\n{text}"
        with open(said, "wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", script], cwd=self.folder, env=self.environment | environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            self.group = process.pid
            try:
                code = process.wait(120)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                code = -9
        self.output = said.read_text(errors="replace")
        assert code == status, (
            f"{place} ended with {code}:\n{text}\nIt said:\n{self.output}\nThe host:\n{self.log[-3000:]}")
        state = Path(self.environment["STATE"]).read_bytes().decode().split("\0")
        values = dict(line.split("=", 1) for line in state if "=" in line)
        self.environment["PATH"], self.at = values["PATH"], Path(values["PWD"])
        self.key = values["KEY"] or values["key"] or self.key
        return self.output

    def command(self, text: str, status: int = 0) -> str:
        """A command that the page takes for granted. Ends what runs, as every block does."""
        return self.run(text + "\n", status=status)

    def aside(self, *words: str) -> str:
        """A `feedhost` command of another shell, while the block's host runs."""
        path = self.folder / ".build/release/feedhost"
        done = subprocess.run(
            [path, *words], cwd=self.at, env=self.environment, capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def log(self) -> str:
        path = Path(self.environment["LOG"])
        return path.read_text(errors="replace") if path.exists() else ""

    def end(self) -> None:
        """Ends what the last block has left running; hosts must end well."""
        if self.group is None:
            return
        group, self.group = self.group, None
        deadline = time.monotonic() + DEADLINE
        faults = []
        try:
            os.killpg(group, signal.SIGTERM)
        except ProcessLookupError:
            pass
        while True:
            try:
                process, status = os.waitpid(-group, os.WNOHANG)
            except ChildProcessError:
                break
            if process == 0:
                if time.monotonic() > deadline:
                    faults.append("something does not end after SIGTERM")
                    os.killpg(group, signal.SIGKILL)
                    deadline += DEADLINE
                time.sleep(0.02)
                continue
            code = os.waitstatus_to_exitcode(status)
            if code not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
                faults.append(f"a process that was left running ended with {code}")
        assert not faults, f"{self.name}: {faults}\n{self.log[-3000:]}"

    def close(self) -> None:
        try:
            self.end()
        finally:
            for each in self.simulators:
                each.stop()

    # MARK: What stands around

    def simulate(self, broker: str, **options) -> Simulator:
        venue = Simulator(broker, self.home, **{"rate": 200} | options).start()
        self.simulators.append(venue)
        return venue

    def settings(self, text: str) -> None:
        """A feedhost.yaml in the folder: leads adapters to simulators, and changes nothing else."""
        (self.folder / "feedhost.yaml").write_text(text)

    @staticmethod
    def leading_to(venue: Simulator) -> str:
        master = venue.endpoints["masters"][0]
        return f"adapters:\n  {venue.broker}:\n    endpoint: {venue.url}\n    master_endpoint: {master}\n"

    def client(self, key: str | None = None, url: str = "ws://127.0.0.1:8765", **options) -> Client:
        return Client(url, key or self.key, **options)

    def tick(self, symbol: str, key: str | None = None, mode: str = "LTP") -> dict:
        """The first tick. A host that has just started may still be fetching instruments."""
        exchange, name = symbol.split(":")
        wish = {"action": "subscribe", "symbols": [{"exchange": exchange, "symbol": name}], "mode": mode}
        with self.client(key) as client:
            wait_until(lambda: client.request(wish)["status"] == "success", f"the subscription to {symbol}", interval=0.1)
            return client.tick()

    @staticmethod
    def refused(client: Client, symbol: str, mode: str = "LTP") -> None:
        exchange, name = symbol.split(":")
        reply = client.request({"action": "subscribe", "symbols": [{"exchange": exchange, "symbol": name}], "mode": mode})
        assert [entry["status"] for entry in reply["subscriptions"]] == ["error"], reply

    def python(self, block: Block, *, prints: int, replace: dict[str, str] | None = None, path: Path | None = None,
               is_endless: bool = False, while_running=None) -> str:
        """Runs a block of Python until it has printed so many times (see documents_python.py); what it printed."""
        text = block.text
        for old, new in (replace or {}).items():
            assert old in text, f"{block.place}: no {old!r} in it any more"
            text = text.replace(old, new)
        file = self.home / "snippet.py"
        # Tracebacks are to name the page's lines.
        file.write_text("\n" * (block.line - 1) + text)
        environment = self.environment | {"PYTHONPATH": str(path) if path else ""}
        process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "documents_python.py", file, block.page, str(prints),
             "endless" if is_endless else "ends"],
            cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        try:
            if while_running:
                while_running()
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, f"{block.place} ended with {process.returncode}:\n{output}\n{self.log[-2000:]}"
        return output

    def accepts(self, block: Block, text: str | None = None, *flags: str) -> str:
        """Has `feedhost doctor` read a block of YAML: it must know every name and value."""
        file = self.home / "block.yaml"
        file.write_text(text or block.text)
        done = subprocess.run(
            [self.folder / ".build/release/feedhost", "doctor", "--config", file, *flags], cwd=self.folder,
            env=self.environment, capture_output=True, text=True, timeout=DEADLINE)
        said = done.stdout + done.stderr
        assert re.search(r"^ok +configuration", said, re.MULTILINE), f"{block.place}:\n{said}"
        return said


def shape(text: str) -> list[str]:
    """Lines without what differs from run to run: numbers, keys, times, paths, padding."""
    lines = []
    for line in text.rstrip("\n").split("\n"):
        line = re.sub(r"\b[0-9a-f]{64}\b", "KEY", line)
        line = re.sub(r"/\S+/", "/", line)
        line = re.sub(r"-?\d[\d.]*", "0", line)
        lines.append(re.sub(r" {2,}", "  ", line).strip())
    return lines


def literal(text: str) -> dict:
    """What Python has printed of a dictionary, the last one."""
    found = [line for line in text.split("\n") if line.startswith("{")]
    assert found, f"no dictionary in {text!r}"
    return ast.literal_eval(found[-1])


def read(name: str, folder: Path, table: dict) -> None:
    """Goes through a page: each block is handed to what the table has for its first line, once."""
    page = Page(name, folder)
    try:
        for block in documents.blocks(name):
            begun = time.monotonic()
            table[block.first](page, block)
            print(f"{block.place} {block.first[:60]}: {time.monotonic() - begun:.1f} s", file=sys.stderr)
    finally:
        page.close()
