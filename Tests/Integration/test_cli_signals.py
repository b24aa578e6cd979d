"""How `feedhost serve` ends: signals, ports that are free again, restarts."""

from __future__ import annotations

import signal
import socket
import subprocess
import time

import pytest
from websockets.exceptions import ConnectionClosed

from client import Client
from test_cli_serve import bus_port, listener, make  # noqa: F401 (fixture)


def free_port() -> int:
    with listener() as place:
        return place.getsockname()[1]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_signals_end_it_well(make, name):
    host = make().start()
    ports = [host.port, bus_port(host), int(host.ready["publisher"].rsplit(":", 1)[1])]
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.tick()
        host.process.send_signal(signal.Signals[name])
        assert client.closed()[0] == 1001
        assert host.process.wait(10) == 0
    assert not host.ready_file.exists()
    for port in ports:
        # With SO_REUSEADDR: connections of a moment ago may linger, listeners may not.
        socket.create_server(("127.0.0.1", port)).close()


def test_a_signal_while_it_starts(make):
    """No ready file stays behind, whenever the signal comes."""
    for delay in (0.0, 0.05, 0.15, 0.3):
        host = make()
        process = subprocess.Popen(
            host.command, env={"ZMQ_PORT": "0"} | host.environment, cwd=host.folder, stderr=subprocess.DEVNULL)
        time.sleep(delay)  # Not to wait for something: any moment will do.
        process.terminate()
        assert process.wait(20) in (0, -signal.SIGTERM)
        assert not host.ready_file.exists()


def test_restart_on_the_same_ports(make):
    host = make(env={"ZMQ_PORT": free_port()}, arguments=["--port", free_port()])
    for _ in range(3):
        host.start()
        with Client(host.url, host.keys["alice"]) as client:
            client.subscribe("NSE:RELIANCE")
            client.tick()
            # Clients and their sockets are there when it ends.
            first = (host.port, bus_port(host))
            host.stop()
    assert first == (int(host.arguments[1]), int(host.environment["ZMQ_PORT"]))


def test_restart_after_a_kill(make):
    host = make(env={"ZMQ_PORT": free_port()}, arguments=["--port", free_port()]).start()
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        host.process.kill()
        host.process.wait()
        host.ready_file.unlink()
        host.start()
        with pytest.raises(ConnectionClosed):
            client.ticks(1_000_000)
    host.stop()


def test_it_ends_every_time(make):
    """Whatever its threads are at when the signal comes; a connected client gives the bus something to do just then."""
    host = make()
    host.add_user("ext", "external")
    for _ in range(60):
        host.start()
        with Client(host.url, host.keys["ext"]) as client:
            client.subscribe("NSE:RELIANCE")
            host.stop(timeout=8)
