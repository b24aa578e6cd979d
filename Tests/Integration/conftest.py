"""Fixtures: hosts that are stopped, and clients that are closed, whatever becomes of the test."""

from __future__ import annotations

import pytest

from client import Client
from host import Host, binary


def pytest_configure(config):
    if not binary().exists():
        pytest.exit(f"{binary()} is not there: build it (make build), or set FEEDHOST_BIN", returncode=2)


def _start(tmp_path_factory, hosts: list[Host], users, before=None, **options) -> Host:
    """`before` is called with the host when its users exist, before it starts."""
    host = Host(tmp_path_factory.mktemp("host"), **options)
    hosts.append(host)
    for name, broker in (users if users is not None else {"alice": "simulator"}).items():
        host.add_user(name, broker)
    if before:
        before(host)
    return host.start()


def _stop(hosts: list[Host]) -> None:
    """Every host must end well; each gets its chance."""
    faults = []
    for host in hosts:
        try:
            host.stop()
        except AssertionError as fault:
            host.kill()
            faults.append(str(fault))
    assert not faults, "\n".join(faults)


@pytest.fixture
def home(tmp_path):
    """A host that is not started: for commands."""
    return Host(tmp_path / "home")


@pytest.fixture
def start_host(tmp_path_factory):
    """Starts hosts: `start_host(users={"alice": "simulator"}, settings={"simulator.rate": 1}, env={…})`."""
    hosts: list[Host] = []
    yield lambda users=None, **options: _start(tmp_path_factory, hosts, users, **options)
    _stop(hosts)


@pytest.fixture(scope="module")
def start_shared_host(tmp_path_factory):
    """As `start_host`, for hosts that all tests of a file use."""
    hosts: list[Host] = []
    yield lambda users=None, **options: _start(tmp_path_factory, hosts, users, **options)
    _stop(hosts)


@pytest.fixture
def connect():
    """Connects clients: `connect(host, "alice")`, without a user an anonymous one."""
    clients: list[Client] = []

    def open_client(host: Host, user: str | None = None, path: str = "", **options) -> Client:
        client = Client(host.url + path, host.keys[user] if user else None, **options)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()
