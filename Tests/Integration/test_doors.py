"""Names that lead to several addresses, descriptors that are used up, two hosts on one place, SIGHUP."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import resource
import signal
import socket
import subprocess
import termios
import time
from pathlib import Path

import pytest

from certificates import Pair, trusting
from client import Client
from host import Host, wait_until
from raw import RawSocket
from test_cli_serve import make, refused  # noqa: F401 (fixture)
from test_listeners import presented


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")


def pings(host: str, port: int) -> bool:
    shown = f"[{host}]" if ":" in host else host
    with Client(f"ws://{shown}:{port}") as client:
        return client.request({"action": "ping"})["type"] == "pong"


# MARK: Names


class NamedHost(Host):
    """Its main listener is at a name."""

    @property
    def command(self):
        command = super().command
        command[command.index("--host") + 1] = "localhost"
        return command


@needs_ipv6
def test_localhost_is_both_addresses(make):
    host = make(NamedHost, arguments=["--listen", "ws://localhost:0"], env={"ZMQ_HOST": "localhost"}).start()
    assert host.url == f"ws://localhost:{host.port}"
    others = [int(url.rsplit(":", 1)[1]) for url in host.ready["listeners"]]
    assert len(others) == 2
    for port in others:
        assert pings("127.0.0.1", port) and pings("::1", port)
        assert f"ws://localhost:{port}: listening at 127.0.0.1 and ::1" in host.stderr
    assert "can be read on the way" not in host.stderr
    # The bus too; what is shown is what programs that speak IPv4 alone can use.
    for place in ("bus", "publisher"):
        assert host.ready[place].startswith("tcp://127.0.0.1:")
        port = int(host.ready[place].rsplit(":", 1)[1])
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port)).close()
    host.stop()


@needs_ipv6
def test_a_port_that_is_taken_at_one_address_is_taken(make):
    with socket.socket(socket.AF_INET6) as held:
        held.bind(("::1", 0))
        held.listen()
        port = held.getsockname()[1]
        line = refused(make(NamedHost, arguments=["--port", port]))
        assert f"port {port} on localhost is taken" in line and f"process {os.getpid()}" in line
        line = refused(make(env={"ZMQ_HOST": "localhost", "ZMQ_PORT": port}))
        assert "ZMQ_PORT" in line and "taken" in line
        line = refused(make(env={"FEEDHOST_PUBLISHER": f"tcp://localhost:{port}"}))
        assert "FEEDHOST_PUBLISHER" in line and "taken" in line


class LonelyHost(NamedHost):
    """In a network of its own, without IPv6."""

    @property
    def command(self):
        script = ("ip link set lo up && { sysctl -qw net.ipv6.conf.lo.disable_ipv6=1 || ip -6 addr del ::1/128 dev lo; } "
                  "&& exec \"$@\"")
        return ["unshare", "-n", "sh", "-c", script, "sh", *super().command]


def test_one_family_is_enough(make):
    probe = subprocess.run(
        ["unshare", "-n", "sh", "-c", "ip link set lo up && { sysctl -qw net.ipv6.conf.lo.disable_ipv6=1 || ip -6 addr del ::1/128 dev lo; }"],
        capture_output=True)
    if probe.returncode:
        pytest.skip("network namespaces are not permitted here")
    host = make(LonelyHost, env={"ZMQ_HOST": "localhost"}).start()
    lines = [line for line in host.stderr.splitlines() if "does not have ::1" in line]
    assert len([line for line in lines if "ws://localhost:" in line and "clients are served at 127.0.0.1" in line]) == 1, lines
    assert len([line for line in lines if "the bus:" in line]) == 2, lines
    host.stop()


@pytest.mark.parametrize("option", ["--host", "--listen", "ZMQ_HOST", "FEEDHOST_PUBLISHER"])
def test_a_name_that_is_nobodys(make, option):
    name = "nobody.invalid"
    if option == "--host":
        host = make(NamedHost)
        command = [name if word == "localhost" else word for word in host.command]
        result = host.run(*command[1:])
        assert result.returncode == 1 and f"{name} is no address and no name" in result.stderr
        return
    if option == "--listen":
        line = refused(make(arguments=["--listen", f"ws://{name}:0"]))
    else:
        line = refused(make(env={option: name if option == "ZMQ_HOST" else f"tcp://{name}:0"}))
    assert option in line and f"{name} is no address and no name" in line


# MARK: Descriptors


class PoorHost(Host):
    """It may open few files and sockets."""

    limit = 160

    @property
    def command(self):
        return ["sh", "-c", f"ulimit -n {self.limit} && exec \"$@\"", "sh", *super().command]


def processor_time(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(process: int) -> int:
    return len(os.listdir(f"/proc/{process}/fd"))


def knock(host: Host) -> socket.socket:
    """A client that connects and says nothing."""
    return socket.create_connection(("127.0.0.1", host.port))


def is_greeted(client: socket.socket, timeout: float) -> bool:
    client.settimeout(timeout)
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        return client.recv(100).startswith(b"HTTP/1.1 426")
    except TimeoutError:
        return False


@pytest.mark.parametrize("how", ["the reserve", "none at all"])
def test_when_descriptors_are_used_up_clients_wait(make, how):
    host = make(PoorHost, settings={"simulator.rate": 20}).start()
    process = host.process.pid
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.tick()
        if how == "none at all":
            # Not what it counts on: accept itself fails now.
            resource.prlimit(process, resource.RLIMIT_NOFILE, (descriptors(process), PoorHost.limit))
        crowd = [knock(host) for _ in range(PoorHost.limit)]
        wait_until(lambda: "new clients wait" in host.stderr, "the line that says so")
        assert not is_greeted(crowd[-1], 0.3)
        before, start = processor_time(process), time.monotonic()
        client.ticks(30)
        used = (processor_time(process) - before) / (time.monotonic() - start)
        assert used < 0.2, f"{used:.0%} of a processor while descriptors are used up"
        if how == "the reserve":
            assert descriptors(process) <= PoorHost.limit - 20, "brokers and stores need some too"
        lines = [line for line in host.stderr.splitlines() if "new clients wait" in line]
        assert len(lines) == 1 and "LimitNOFILE" in lines[0] and "ulimit -n" in lines[0]
        if how == "none at all":
            resource.prlimit(process, resource.RLIMIT_NOFILE, (PoorHost.limit, PoorHost.limit))
        for one in crowd[:-1]:
            one.close()
        assert crowd[-1].recv(100).startswith(b"HTTP/1.1 426")
        wait_until(lambda: "let in again" in host.stderr, "the line that says so")
        assert client.request({"action": "ping"})["type"] == "pong"
        crowd[-1].close()
    host.stop()


@pytest.mark.parametrize("limit", [16, 20, 30, 40, 60, 90])
def test_too_few_descriptors_to_start(make, limit):
    host = make(PoorHost)
    host.limit = limit
    line = refused(host)
    assert f"may open only {limit} files and sockets" in line and "LimitNOFILE" in line and "ulimit -n" in line


# MARK: Two hosts


def test_a_second_host_on_one_store_stops(make):
    first = make().start()
    second = make()
    second.store = first.store
    line = refused(second)
    assert f"another host (process {first.process.pid}) already runs on the store {first.store}" in line
    assert "--shared-store" in line
    # By another name of the same file, too.
    link = second.folder / "link.db"
    link.symlink_to(first.store)
    second.store = link
    assert f"process {first.process.pid}" in refused(second)
    # Commands on the store are no hosts.
    first.add_user("bob", "simulator")
    # The first has lost nothing by it.
    assert first.ready_file.exists()
    with Client(first.url, first.keys["bob"]) as client:
        client.round_trip()
    second.arguments = ["--shared-store"]
    second.start()
    second.stop()
    first.stop()
    assert not list(first.folder.glob("*.lock"))
    second.arguments = []
    second.start().stop()


def test_a_killed_host_holds_nothing(make):
    host = make().start()
    host.kill()
    stale = json.loads(host.ready_file.read_text())["pid"]
    store = host.store
    with open(host.stderr_file, "wb") as errors:
        host.process = subprocess.Popen(
            host.command, env={"ZMQ_PORT": "0"} | host.environment, cwd=host.folder, stdin=subprocess.DEVNULL,
            stderr=errors)
    wait_until(lambda: host.ready_file.exists() and str(stale) not in host.ready_file.read_text(), "its own ready file")
    assert json.loads(host.ready_file.read_text())["pid"] == host.process.pid
    assert Path(f"{store}.lock").read_text() == f"{host.process.pid}\n"
    host.stop()


def test_two_hosts_that_start_together(make):
    """One of them runs, whichever it is."""
    for _ in range(3):
        hosts = [make(), make()]
        hosts[1].store = hosts[0].store
        running = []
        for host in hosts:
            with open(host.stderr_file, "wb") as errors:
                host.process = subprocess.Popen(
                    host.command, env={"ZMQ_PORT": "0"} | host.environment, cwd=host.folder, stderr=errors,
                    stdin=subprocess.DEVNULL)
        wait_until(lambda: any(host.process.poll() is not None for host in hosts), "one that stops")
        running = [host for host in hosts if host.process.poll() is None]
        assert len(running) == 1
        wait_until(running[0]._is_ready, "the other")
        running[0].stop()


def test_a_second_host_on_one_ready_file_stops(make):
    first = make().start()
    second = make()
    second.ready_file = first.ready_file
    result = second.run(*second.command[1:])
    assert result.returncode == 1
    assert f"{first.ready_file} is that of another host (process {first.process.pid})" in result.stderr
    assert json.loads(first.ready_file.read_text())["pid"] == first.process.pid
    first.stop()
    second.start().stop()


def test_a_stale_ready_file_is_gone_at_once(make):
    """Also when the host does not start at all."""
    host = make()
    host.environment["WS_PING_TIMEOUT"] = "nonsense"
    host.ready_file.write_text('{"pid": 1}')
    refused(host)
    assert not host.ready_file.exists()


def test_what_is_no_ready_file_is_left_alone(make):
    host = make()
    folder = host.folder / "precious"
    folder.mkdir()
    (folder / "file").write_text("x")
    host.ready_file = folder
    result = host.run(*host.command[1:])
    assert result.returncode == 1 and str(folder) in result.stderr
    assert (folder / "file").read_text() == "x"


# MARK: SIGHUP


def hang_up(host: Host, words: str) -> str:
    """Sends SIGHUP; the line that says what came of it."""
    before = len(host.stderr)
    host.process.send_signal(signal.SIGHUP)

    def line():
        return next((line for line in host.stderr[before:].splitlines() if "SIGHUP" in line and words in line), None)

    return wait_until(line, "an answer to SIGHUP")


def test_settings_are_read_again(make):
    host = make()
    yaml = host.folder / "feedhost.yaml"
    yaml.write_text("log: {level: info}\n")
    host.start()
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        line = hang_up(host, "read again")
        assert "the log level is info" in line and "users and keys" in line and "restart" not in line
        yaml.write_text("log: {level: debug}\nlimits: {requests: 7}\nadapters: {simulator: {rate: 3}}\n")
        line = hang_up(host, "read again")
        assert "the log level is debug" in line
        assert "a restart is needed for limits.requests, simulator.rate" in line and "log.level" not in line
        with RawSocket(host.url) as raw:
            raw.open().send(b"\x81\x01x")
            raw.close_frame()
        wait_until(lambda: " debug client violated the protocol" in host.stderr, "a line of the new level")
        yaml.write_text("log: {level: loud}\n")
        line = hang_up(host, "stay as they are")
        assert " error " in line and "log.level" in line
        # Nobody was cut off.
        client.round_trip()
    host.stop()


def test_a_new_certificate_is_taken_at_once(start_host, tmp_path):
    first, second = Pair("first"), Pair("second")
    first.install(tmp_path)
    host = start_host(
        arguments=["--listen", "wss://127.0.0.1:0"],
        env={"FEEDHOST_TLS_CERTIFICATE": tmp_path / "live.pem", "FEEDHOST_TLS_KEY": tmp_path / "live.key"})
    url = next(url for url in host.ready["listeners"] if url.startswith("wss:"))
    before = presented(url)[0]
    second.install(tmp_path)
    assert "the TLS certificate" in hang_up(host, "read again")
    assert presented(url)[0] != before
    with Client(url, host.keys["alice"], ssl=trusting(second)) as client:
        client.round_trip()


def test_log_files_are_opened_anew(make):
    host = make(env={"LOG_TO_FILE": "true", "LOG_DIR": "log"}).start()
    (file,) = (host.folder / "log").glob("feedhost_*.log")
    moved = file.rename(file.with_suffix(".1"))
    hang_up(host, "read again")
    wait_until(lambda: file.exists() and "SIGHUP" in file.read_text(), "a line in the new file")
    assert "ready" in moved.read_text()
    host.stop()


@pytest.mark.parametrize("nohup", [False, True])
def test_the_terminal_is_lost(make, nohup):
    """The host ends in order, unless it was started with nohup."""
    host = make()
    environment = {"ZMQ_PORT": "0"} | host.environment
    master, slave = pty.openpty()

    def become_foreground():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if nohup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with open(host.stderr_file, "wb") as errors:
        host.process = subprocess.Popen(
            host.command, env=environment, cwd=host.folder, stdin=slave, stdout=slave, stderr=errors,
            preexec_fn=become_foreground)
    os.close(slave)
    wait_until(host._is_ready, "the ready file")
    host.ready = json.loads(host.ready_file.read_text())
    # With its terminal, a signal is a request.
    hang_up(host, "read again")
    with Client(host.url, host.keys["alice"]) as client:
        before = len(host.stderr)
        os.close(master)
        if nohup:
            wait_until(lambda: "read again" in host.stderr[before:], "an answer to SIGHUP")
            client.round_trip()
            return host.stop()
        assert client.closed()[0] == 1001
    assert host.process.wait(10) == 0
    assert "the terminal is gone" in host.stderr and "stopped" in host.stderr
    assert not host.ready_file.exists()


def test_it_is_never_a_kill(make):
    """Whenever the signal comes after the program has begun to serve."""
    host = make().start()
    for _ in range(50):
        host.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "read again" in host.stderr, "an answer")
    assert host.is_running
    host.stop()
