"""`feedhost serve`: the ready file, ports, the demo, and outputs that fail; how it ends is in test_cli_signals.py."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from client import Client
from host import Host, binary, plugins_folder, wait_until


def listener(port: int = 0) -> socket.socket:
    """Holds a port, without SO_REUSEPORT, as another program would."""
    place = socket.socket()
    place.bind(("127.0.0.1", port))
    place.listen()
    return place


def bus_port(host: Host) -> int:
    return int(host.ready["bus"].rsplit(":", 1)[1])


class PlainHost(Host):
    """Without `--port`, so that port and bus are at their defaults unless a test says otherwise."""

    @property
    def command(self):
        command = [str(binary()), "serve", "--store", str(self.store), "--ready-file", str(self.ready_file)]
        return command + ["--plugins", str(plugins_folder()), *map(str, self.arguments)]


def refused(host: Host) -> str:
    """Starts a host that must not start; its last line."""
    result = subprocess.run(
        host.command, capture_output=True, text=True, timeout=20, cwd=host.folder, stdin=subprocess.DEVNULL,
        env={"ZMQ_PORT": "0"} | host.environment)
    assert result.returncode == 1, (result.returncode, result.stderr)
    assert not host.ready_file.exists()
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: "), line
    return line


@pytest.fixture
def make(tmp_path):
    """Makes hosts that are not started, and takes down what the test leaves running."""
    made: list[Host] = []

    def host(kind=Host, **options):
        made.append(kind(tmp_path / f"host{len(made)}", **options))
        made[-1].add_user("alice", "simulator")
        return made[-1]

    yield host
    for one in made:
        one.kill()


# MARK: The ready file


def test_what_the_ready_file_says(start_host):
    host = start_host()
    ready = host.ready
    assert set(ready) >= {"pid", "websocket", "bus", "publisher", "brokers"}
    assert ready["pid"] == host.process.pid
    assert re.fullmatch(r"ws://127\.0\.0\.1:\d+", ready["websocket"])
    for name in ("bus", "publisher"):
        assert re.fullmatch(r"tcp://127\.0\.0\.1:[1-9]\d*", ready[name])
    bundled = {"simulator", "binance", "zerodha", "angel", "flattrade", "shoonya", "zebu", "tradesmart"}
    assert set(ready["brokers"]) == bundled | {"external"}
    assert len({ready["websocket"].rsplit(":")[-1], ready["bus"].rsplit(":")[-1], ready["publisher"].rsplit(":")[-1]}) == 3
    with Client(host.url, host.keys["alice"]) as client:
        assert client.request({"action": "get_supported_brokers"})["brokers"]


def test_the_ready_file_is_whole_whenever_it_is_seen(make):
    """Read as fast as possible while the host starts: never half a file, and clients can connect at once."""
    host = make()
    seen = []

    def watch():
        while not seen:
            try:
                seen.append(host.ready_file.read_text())
            except FileNotFoundError:
                pass

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    host.start()
    watcher.join(5)
    assert json.loads(seen[0])["pid"] == host.process.pid
    assert [path.name for path in host.folder.iterdir() if "ready" in path.name] == [host.ready_file.name]
    host.stop()


def test_a_ready_file_that_cannot_be_written(make):
    host = make()
    host.ready_file = host.folder / "nowhere/ready.json"
    assert str(host.ready_file) in refused(host)


# MARK: Ports


@pytest.mark.parametrize("what", ["--port", "WEBSOCKET_PORT", "ZMQ_PORT", "FEEDHOST_PUBLISHER"])
def test_an_explicit_port_that_is_taken(make, what):
    with listener() as held:
        port = held.getsockname()[1]
        if what == "--port":
            host = make(arguments=["--port", port])
        else:
            value = f"tcp://127.0.0.1:{port}" if what == "FEEDHOST_PUBLISHER" else port
            host = make(PlainHost, env={"WEBSOCKET_PORT": "0"} | {what: value})
        line = refused(host)
    assert f"port {port}" in line and "taken" in line
    assert f"process {os.getpid()}" in line, "who holds it is named"
    assert what in line, "the source of the port is named"


def test_another_feedhost_holds_the_port(make):
    first = make().start()
    line = refused(make(arguments=["--port", first.port]))
    assert f"feedhost (process {first.process.pid})" in line
    first.stop()


def test_default_ports_that_are_taken(make):
    """The next free ones are found, and it is said."""
    with ExitStack() as stack:
        for port in (8765, 5555):
            try:
                stack.enter_context(listener(port))
            except OSError:
                pytest.skip(f"port {port} is taken by somebody else on this machine")
        host = make(PlainHost)
        # `start` would set ZMQ_PORT: here it has to stay at its default.
        host.process = subprocess.Popen(
            host.command, env=host.environment, cwd=host.folder, stdin=subprocess.DEVNULL,
            stderr=open(host.stderr_file, "wb"))
        wait_until(host._is_ready, "the ready file")
        host.ready = json.loads(host.ready_file.read_text())
        ports = (host.port, bus_port(host))
        assert 8765 < ports[0] <= 8865 and 5555 < ports[1] <= 5655
        log = host.stderr
        assert any("8765 is taken" in line and str(ports[0]) in line for line in log.splitlines()), log
        assert any("5555 is taken" in line and str(ports[1]) in line for line in log.splitlines()), log
        host.stop()


# MARK: The demo


def test_the_demo_prints_a_key_that_works(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ZMQ_PORT": "0", "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [binary(), "serve", "--demo", "--port", "0", "--plugins", plugins_folder()], env=environment, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = []
        while not any(line.lstrip().startswith("brokers") for line in lines):
            line = process.stdout.readline()
            assert line, f"the demo has ended: {lines}"
            lines.append(line)
        shown = dict(line.split(maxsplit=1) for line in lines if line.startswith("  "))
        with Client(shown["address"].strip()) as client:
            assert client.auth(shown["key"].strip())["user_id"] == shown["user"].strip()
            client.subscribe("NSE:RELIANCE")
            client.ticks(3)
        assert not list(tmp_path.glob("**/.local")), "the demo's store is a temporary one"
    finally:
        process.terminate()
        code = process.wait(20)
        process.stdout.close()
    assert code == 0 and not list(Path(folder).iterdir()), "the temporary store is still there"


# MARK: Outputs that fail


class FullDiskHost(Host):
    """Its stats file is on a disk of 64 KiB that is full, in a mount namespace of its own."""

    @property
    def command(self):
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        script = 'mount -t tmpfs -o size=64k tmpfs "$0" && { cat /dev/zero > "$0/filler" 2>/dev/null; exec "$@"; }'
        return ["unshare", "-m", "sh", "-c", script, str(disk), *super().command]


def test_a_full_disk_does_not_stop_the_host(make):
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("mount namespaces are not permitted here")
    host = make(FullDiskHost, settings={"simulator.rate": 100})
    host.environment["WS_PROXY_STATS_FILE"] = str(host.folder / "disk/stats.json")
    host.start()
    wait_until(lambda: "stats.json cannot be written" in host.stderr, "a warning")
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.ticks(50)
    host.stop()
    assert host.stderr.count("stats.json cannot be written") == 1


@pytest.mark.parametrize("output", ["a full disk", "a closed pipe"])
def test_a_log_that_cannot_be_written(make, output):
    """`2>/dev/full`, and `2>&1 | head -1`."""
    host = make(settings={"simulator.rate": 100})
    reader, writer = os.pipe()
    with open("/dev/full", "wb", buffering=0) as full:
        errors = full if output == "a full disk" else writer
        os.close(reader)
        host.process = subprocess.Popen(
            host.command, env={"ZMQ_PORT": "0"} | host.environment, cwd=host.folder, stdin=subprocess.DEVNULL,
            stdout=errors, stderr=errors)
        os.close(writer)
    wait_until(host._is_ready, "the ready file")
    host.ready = json.loads(host.ready_file.read_text())
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.ticks(20)
    host.stop()
