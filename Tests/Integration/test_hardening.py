"""What the process gives up, what a crash shows, and what systemd is told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from host import DEADLINE, REPO, Host, binary, plugins_folder
from test_redaction import canary, scan

NOBODY = 65534


def status(host: Host, name: str) -> set[str]:
    """What all its threads have."""
    return {
        line.split(":", 1)[1].strip() for thread in Path(f"/proc/{host.process.pid}/task").iterdir()
        for line in (thread / "status").read_text().splitlines() if line.startswith(name + ":")
    }


def core_limit(host: Host) -> list[str]:
    """Soft and hard, as /proc shows them: prlimit() of another user's process takes more rights than reading."""
    lines = Path(f"/proc/{host.process.pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max core file size")).split()[4:6]


class Unprivileged(Host):
    """A host of the user `nobody`: whether its memory is its own shows in who owns its files under /proc."""

    @property
    def command(self) -> list[str]:
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        return prefix + super().command

    @property
    def is_dumpable(self) -> bool:
        # What is not dumpable belongs to root (proc(5), /proc/pid).
        return os.stat(f"/proc/{self.process.pid}/mem").st_uid != 0


@pytest.fixture
def unprivileged():
    hosts: list[Host] = []
    with tempfile.TemporaryDirectory() as name:
        # Where nobody can reach it: pytest's own folders are closed to others.
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(binary(), folder / "feedhost")
        shutil.copytree(plugins_folder(), folder / "plugins")

        def start(**options) -> Host:
            host = Unprivileged(folder / f"host{len(hosts)}", plugins=[folder / "plugins"], **options)
            host.environment["FEEDHOST_STORE"] = str(host.store)
            hosts.append(host)
            host.add_user("alice", "simulator")
            if os.geteuid() == 0:
                for path in [host.folder, *host.folder.iterdir()]:
                    os.chown(path, NOBODY, NOBODY)
            return host.start()

        yield start
        for host in hosts:
            host.stop()


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="setpriv is not here")
def test_nobody_can_look_into_its_memory(unprivileged, connect):
    host = unprivileged()
    assert not host.is_dumpable
    assert core_limit(host) == ["0", "0"]
    assert status(host, "NoNewPrivs") == {"1"}
    assert "running as root" not in host.stderr
    # Adapters are probed and loaded all the same.
    assert "simulator" in host.ready["brokers"]
    client = connect(host, "alice")
    client.subscribe("NSE:SBIN")
    client.tick()


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="setpriv is not here")
def test_for_debugging_it_can_be_allowed(unprivileged):
    host = unprivileged(env={"FEEDHOST_CORE_DUMPS": "true"})
    assert host.is_dumpable
    assert core_limit(host)[0] == core_limit(host)[1]
    assert "core dump" in host.stderr


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP])
def test_a_crash_shows_no_memory(start_host, connect, number):
    secret = canary("crash")
    host = start_host(env={"BROKER_API_KEY": secret})
    host.secrets.add(secret)
    connect(host, "alice").subscribe("NSE:SBIN")
    process, host.process = host.process, None
    process.send_signal(number)
    assert process.wait(DEADLINE) == -number
    assert f"crashed with {number.name}" in host.stderr
    assert not list(host.folder.glob("core*"))
    assert scan(host.secrets, {"stderr": host.stderr, "stdout": host.stdout}) == []
    for sign in ["Registers:", "rax", "BROKER_API_KEY", "Images:"]:
        assert sign not in host.stderr


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_is_told(start_host, tmp_path, kind):
    name = str(tmp_path / "notify") if kind == "path" else f"@feedhost-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        manager.settimeout(DEADLINE)
        host = start_host(env={"NOTIFY_SOCKET": name})
        assert manager.recv(100) == b"READY=1"
        host.stop()
        assert manager.recv(100) == b"STOPPING=1"


def test_without_systemd_nothing_is_missing(start_host):
    host = start_host(env={"NOTIFY_SOCKET": "/nowhere/at/all"})
    assert host.is_running


def test_the_unit_allows_what_libzmq_cannot_do_without():
    """Seen with systemd 252 and libzmq 4.3.4: without one of these its assertions end the host at its start."""
    lines = (REPO / "docs/deploy/feedhost.service").read_text().splitlines()
    families = next(line for line in lines if line.startswith("RestrictAddressFamilies="))
    assert "AF_NETLINK" in families.split("=")[1].split()
    # The last line of the filter counts: it gives back what the one before has taken.
    filters = [line.split("=")[1].split() for line in lines if line.startswith("SystemCallFilter=")]
    assert {"sched_setscheduler", "prlimit64"} <= set(filters[-1])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_the_unit_is_sound(tmp_path):
    unit = (REPO / "docs/deploy/feedhost.service").read_text()
    # The program need not be installed for its unit to be looked at.
    lines = [f"ExecStart={binary()} serve" if line.startswith("ExecStart=") else line for line in unit.splitlines()]
    path = tmp_path / "feedhost.service"
    path.write_text("\n".join(lines) + "\n")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True)
    own = [line for line in verified.stderr.splitlines() if "feedhost.service" in line]
    assert verified.returncode == 0 and not own, verified.stderr
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", str(path)],
        capture_output=True, text=True)
    assert rated.returncode == 0, rated.stdout[-2000:] + rated.stderr
