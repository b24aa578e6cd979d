"""How connections to brokers leave the machine: proxies, certificate authorities, address families, source addresses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from brokers import flags, setup
from certificates import Pair
from host import wait_until
from outbound import ConnectProxy, TLSFront
from simulator import Simulator


@pytest.fixture
def secure_broker(tmp_path, start_host):
    """Zerodha's simulator behind TLS, and a host that knows it by the name `localhost`."""
    venue = Simulator("zerodha", tmp_path, rate=200, seed=5).start()
    pair = Pair("authority")
    folder = tmp_path / "front"
    folder.mkdir()
    front = TLSFront(pair, folder, venue.endpoints["port"])
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(pair.certificate)
    broker = setup(venue)
    path = broker.endpoints["master_endpoint"].split("/", 3)[3]
    settings = {
        "zerodha.endpoint": f"wss://localhost:{front.port}/",
        "zerodha.master_endpoint": f"https://localhost:{front.port}/{path}"}

    def start(env: dict, sync: bool = True):
        def prepare(host):
            host.set_credentials("alice", "zerodha", **broker.credentials)
            if sync:
                host.cli("instruments", "sync", "zerodha", *flags(settings, host))

        return start_host(
            users={"alice": "zerodha"}, settings=settings, before=prepare,
            env={"FEEDHOST_INSTRUMENTS_REFRESH": "never", "SSL_CERT_FILE": str(authorities)} | env)

    yield SimpleNamespace(
        venue=venue, front=front, start=start, target=f"localhost:{front.port}", authorities=authorities,
        settings=settings)
    front.__exit__()
    venue.stop()


def ticks(client) -> None:
    assert client.subscribe("NSE:RELIANCE")["status"] == "success"
    client.tick()


def test_a_file_of_authorities_is_what_counts(secure_broker, start_host, connect):
    host = secure_broker.start({})
    ticks(connect(host, "alice"))
    # With the system's authorities, or others, nobody knows this certificate.
    other = secure_broker.authorities.with_name("other.pem")
    other.write_bytes(Pair("somebody else").certificate)
    stranger = secure_broker.start({"SSL_CERT_FILE": str(other)}, sync=False)
    connect(stranger, "alice")
    wait_until(lambda: "TLS failed" in stranger.stderr, "the failure")
    assert len(secure_broker.venue.connections()) == 1


def test_a_file_of_authorities_that_is_none_ends_the_start(home):
    home.environment["SSL_CERT_FILE"] = "/nowhere.pem"
    home.add_user("alice", "simulator")
    result = home.run("serve", "--port", "0", "--store", home.store, "--plugins", home.plugins[0])
    assert result.returncode != 0
    assert "SSL_CERT_FILE" in result.stderr and "/nowhere.pem is no readable PEM file" in result.stderr


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "FEEDHOST_TRANSPORT_BROKER_PROXY"])
def test_sockets_and_masters_go_through_the_proxy(secure_broker, connect, variable):
    with ConnectProxy(login="trader:canary-p@ss") as proxy:
        address = f"http://trader:canary-p%40ss@127.0.0.1:{proxy.port}"
        value = f"zerodha={address}" if variable.startswith("FEEDHOST") else address
        host = secure_broker.start({variable: value})
        assert proxy.granted == [secure_broker.target], "the master"
        ticks(connect(host, "alice"))
        assert proxy.granted == [secure_broker.target] * 2
        assert "canary-p" not in host.stderr


def test_what_needs_no_proxy_goes_past_it(secure_broker, connect):
    with ConnectProxy() as proxy:
        host = secure_broker.start({"HTTPS_PROXY": f"127.0.0.1:{proxy.port}", "NO_PROXY": "example.com,localhost"})
        ticks(connect(host, "alice"))
        assert proxy.requests == []


@pytest.mark.parametrize("status", [403, 407])
def test_a_proxys_refusal_is_no_verdict_on_the_token(secure_broker, connect, status):
    with ConnectProxy() as proxy:
        host = secure_broker.start({"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
        proxy.status = status
        connect(host, "alice")
        wait_until(lambda: len([each for each in proxy.requests if each[1] == status]) >= 3, "three attempts", 40)
        assert f"the proxy http://127.0.0.1:{proxy.port}" in host.stderr and f"(HTTP {status})" in host.stderr
        assert "refused the credentials" not in host.stderr
        proxy.status = 200
        wait_until(lambda: secure_broker.venue.connections(), "the connection", 40)


def test_a_master_says_that_the_proxy_refuses(secure_broker, start_host):
    with ConnectProxy(login="trader:right") as proxy:
        host = secure_broker.start({"HTTPS_PROXY": f"http://trader:canary-wrong@127.0.0.1:{proxy.port}"}, sync=False)
        result = host.run("instruments", "sync", "zerodha", "--store", host.store, *flags(secure_broker.settings, host))
        assert result.returncode != 0
        assert f"the proxy http://127.0.0.1:{proxy.port} refuses its user name or password (HTTP 407)" in result.stderr
        assert "credentials set" not in result.stderr and "canary-wrong" not in result.stdout + result.stderr


@pytest.mark.parametrize("proxy", ["socks5://u:canary@127.0.0.1:1080", "https://u:canary@127.0.0.1:1"])
def test_kinds_of_proxies_that_are_not_spoken(start_host, proxy):
    with pytest.raises(AssertionError) as refusal:
        start_host(users={"alice": "simulator"}, env={"ALL_PROXY": proxy})
    text = str(refusal.value)
    assert "ALL_PROXY" in text and "http://HOST:PORT" in text and "not supported" in text and "canary" not in text


def test_the_source_address_is_what_the_broker_sees(secure_broker, connect):
    seen = []
    accept = secure_broker.front.serve
    secure_broker.front.serve = lambda connection: (seen.append(connection.getpeername()[0]), accept(connection))
    host = secure_broker.start({"FEEDHOST_TRANSPORT_SOURCE": "127.0.0.9"})
    ticks(connect(host, "alice"))
    assert seen == ["127.0.0.9"] * 2, "the master and the socket"


def test_doctor_lists_the_settings(start_host):
    host = start_host(users={"alice": "simulator"})
    told = host.run("doctor", "--settings").stdout
    for name in ["transport.family", "transport.source", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"]:
        assert name in told, name
