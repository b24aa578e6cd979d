"""What `feedhost tail` says of outages, of refusals and of connections that cannot be made; and how it comes back."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time

import pytest

from brokers import start_broker  # noqa: F401 (fixture)
from certificates import Pair
from host import binary, wait_until
from scripted_host import ScriptedHost
from terminal import Window


@pytest.fixture
def scripts():
    hosts = []

    def start(**options) -> ScriptedHost:
        hosts.append(ScriptedHost(**options))
        return hosts[-1]
    yield start
    for host in hosts:
        host.stop()


class Running:
    """A `tail` whose output goes into files."""

    def __init__(self, home, *arguments):
        self.output, self.errors = home.folder / "output.txt", home.folder / "errors.txt"
        with open(self.output, "wb") as output, open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [binary(), "tail", "--key", "k" * 64, *map(str, arguments)], env=home.environment, stdout=output,
                stderr=errors)

    def says(self, *words):
        wait_until(lambda: all(word in self.errors.read_text() for word in words), f"{words} in what it says")


@pytest.fixture
def tail(home):
    running = []

    def start(*arguments) -> Running:
        running.append(Running(home, *arguments))
        return running[-1]
    yield start
    for each in running:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def window(home):
    windows = []

    def open_one(url, *names, key="k" * 64, **options):
        windows.append(Window([binary(), "tail", "--url", url, "--key", key, *names], home.environment, **options))
        return windows[-1]
    yield open_one
    for each in windows:
        each.close()
        assert each.fault is None, each.fault


def down(**members):
    return {"type": "notice", "code": "BROKER_DISCONNECTED", "broker": "zerodha", "reason": "network",
            "message": "1 of 1 connections to zerodha is down", "since": int(time.time() * 1000) - 65_000,
            "next_attempt": int(time.time() * 1000) + 30_000} | members


# MARK: Subscriptions and brokers


PENDING = {"INFY": {"pending": True},
           "RELIANSE": {"status": "error", "message": "Symbol RELIANSE not found; did you mean RELIANCE?"}}


def test_pending_and_refused_in_the_table(scripts, window):
    host = scripts(answers=PENDING)
    seen = window(host.url, "NSE:SBIN", "NSE:INFY", "NSE:RELIANSE", columns=100)
    host.has_client().tick("NSE:SBIN", ltp=1.5)
    picture = seen.shows(lambda text: "1 messages" in text, "the tick")
    rows = {line.split()[0]: line for line in picture if line.startswith("NSE:")}
    assert "pending" in rows["NSE:INFY"] and "refused: Symbol RELIANSE not found; did you mean RELIANCE?" in rows["NSE:RELIANSE"]
    host.tick("NSE:INFY", ltp=2.5)
    picture = seen.shows(lambda text: "2 messages" in text, "what was pending")
    assert not any("pending" in line for line in picture)


def test_pending_and_refused_in_lines(scripts, tail):
    host = scripts(answers=PENDING)
    running = tail("--json", "--url", host.url, "--count", 1, "NSE:SBIN", "NSE:INFY", "NSE:RELIANSE")
    host.has_client()
    running.says("NSE:INFY: pending", "NSE:RELIANSE: refused: Symbol RELIANSE not found; did you mean RELIANCE?")
    host.tick("NSE:SBIN", ltp=1.5)
    assert running.process.wait(20) == 0 and running.output.read_text().count("\n") == 1


def test_an_outage_in_the_table(scripts, window):
    host = scripts(greeting=[down()])
    seen = window(host.url, "NSE:SBIN", columns=100)
    host.has_client().tick("NSE:SBIN", ltp=1.5)
    # Of somebody who comes while it lasts; it counts the seconds.
    seen.shows(lambda text: any("! zerodha down since " in line and "(66 s), next attempt in 29 s" in line and
                                "1 of 1 connections to zerodha is down" in line for line in text), "the outage, counted")
    host.send(type="notice", code="BROKER_CONNECTED", broker="zerodha", message="zerodha is connected again after 9 s")
    seen.shows(lambda text: any("connected again after 9 s" in line for line in text) and not
               any(line.startswith("!") for line in text), "the end of it")
    host.send(type="notice", code="BROKER_LOGGED_OUT", broker="zerodha", message="the access token has expired. Log in")
    seen.shows(lambda text: any("! zerodha down: the access token has expired. Log in" in line for line in text), "logout")


def test_an_outage_in_lines(scripts, tail):
    host = scripts()
    running = tail("--url", host.url, "NSE:SBIN")
    host.has_client().send(**down())
    running.says("BROKER_DISCONNECTED: 1 of 1 connections to zerodha is down (since ", ", next attempt ")
    host.send(type="notice", code="BROKER_CONNECTED", broker="zerodha", message="zerodha is connected again")
    running.says("BROKER_CONNECTED: zerodha is connected again")


def test_an_outage_from_end_to_end(start_broker, window):
    """The broker's side drops its sockets, and takes no new ones for a while."""
    venue, host = start_broker("zerodha", rate=50)
    seen = window(host.url, "NSE:RELIANCE", columns=160, key=host.keys["alice"])
    seen.shows(lambda text: any(line.startswith("NSE:RELIANCE  1") for line in text), "ticks")
    venue.fault("refuse", status=503, times=1)
    venue.fault("drop")
    seen.shows(lambda text: any(line.startswith("! zerodha down since ") and "next attempt in" in line and
                                "zerodha sends nothing now" in line for line in text), "the outage")
    seen.shows(lambda text: any(line.startswith("zerodha is connected again") for line in text), "its end")


# MARK: The host


def test_it_comes_back(scripts, tail):
    host = scripts()
    running = tail("--json", "--url", host.url, "NSE:SBIN")
    host.has_client().tick("NSE:SBIN", ltp=1.5)
    host.close_clients(1001, "server is shutting down")
    running.says("(1001, server is shutting down). Connecting again in 1 s.", "Connected again after ")
    host.has_client().tick("NSE:SBIN", ltp=2.5)
    wait_until(lambda: running.output.read_text().count("\n") == 2, "ticks of both")
    assert [each["action"] for each in host.requests] == ["authenticate", "subscribe"] * 2


def test_it_waits_longer_each_time(scripts, tail):
    host = scripts()
    running = tail("--url", host.url, "NSE:SBIN")
    host.has_client()
    port = host.port
    host.stop()
    running.says("Connecting again in 1 s", "Connecting again in 2 s", "Connecting again in 4 s", "efused")
    back = scripts(port=port)
    running.says("Connected again after ")
    assert len(back.times) == 1


def test_it_comes_back_in_the_table(scripts, window):
    host = scripts()
    seen = window(host.url, "NSE:SBIN", columns=120)
    host.has_client().tick("NSE:SBIN", ltp=1.5)
    seen.shows(lambda text: "1 messages" in text, "the tick")
    host.refusal = {"status": "error", "code": "BROKER_ERROR", "message": "the host starts"}
    host.close_clients(4001, "account changed, reconnect")
    picture = seen.shows(lambda text: any("! down since" in line and "BROKER_ERROR: the host starts" in line
                                          for line in text), "the outage")
    assert any(line.startswith("NSE:SBIN") for line in picture)
    host.refusal = None
    host.has_client("a subscription again").tick("NSE:SBIN", ltp=2.5)
    seen.shows(lambda text: "2 messages" in text and not any(line.startswith("!") for line in text), "all is well")


@pytest.mark.parametrize(("code", "reason"), [(4503, "API key revoked"), (1002, "masked"), (1009, "message too big")])
def test_what_is_for_good(scripts, tail, code, reason):
    host = scripts()
    running = tail("--url", host.url, "NSE:SBIN")
    host.has_client().close_clients(code, reason)
    assert running.process.wait(20) == 1
    assert f"({code}, {reason})" in running.errors.read_text() and "again" not in running.errors.read_text()


def test_a_key_that_was_revoked_meanwhile(scripts, tail):
    host = scripts()
    running = tail("--url", host.url, "NSE:SBIN")
    host.has_client().refusal = {"status": "error", "code": "AUTHENTICATION_ERROR", "message": "Invalid API key"}
    host.close_clients(1001)
    assert running.process.wait(20) == 1
    assert "AUTHENTICATION_ERROR: Invalid API key. `feedhost keys list`" in running.errors.read_text()


# MARK: Addresses


def test_a_unix_socket(start_host, home, tmp_path):
    path = tmp_path / "币 s"
    host = start_host(arguments=["--listen", f"unix:{path}"])
    result = home.run("tail", "--url", f"unix:{path}", "--key", host.keys["alice"], "--json", "--count", 2, "NSE:SBIN")
    assert result.returncode == 0 and len(result.stdout.splitlines()) == 2, result.stderr
    # As the ready file names it.
    url = next(each for each in host.ready["listeners"] if each.startswith("unix:"))
    result = home.run("tail", "--url", url, "--key", "wrong", "NSE:SBIN")
    assert result.returncode == 1 and "Invalid API key" in result.stderr


@pytest.mark.parametrize(("url", "words"), [
    ("unix:{folder}/none", "unix:{folder}/none: No such file"), ("unix:{folder}/file", "unix:{folder}/file: "),
    ("unix:s", "absolute path"), ("unix:/" + "x" * 200, "at most 100 bytes"), ("http://x", "ws:// or wss://"),
    ("ws://nobody.invalid:1", "ws://nobody.invalid:1: the host name "), ("ws://127.0.0.1:99999", "port"),
    ("127.0.0.1:8765", "ws://HOST:PORT")])
def test_addresses_that_lead_nowhere(home, tmp_path, url, words):
    (tmp_path / "file").write_text("")
    result = home.run("tail", "--url", url.format(folder=tmp_path), "--key", "x", "NSE:SBIN")
    assert result.returncode != 0 and result.stdout == "" and words.format(folder=tmp_path) in result.stderr
    assert "Swift" not in result.stderr and "Fatal" not in result.stderr, result.stderr


def test_somebody_else_listens_there(home):
    with socket.create_server(("127.0.0.1", 0)) as place:
        def answer():
            with place.accept()[0] as client:
                client.recv(4096)
                client.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        threading.Thread(target=answer, daemon=True).start()
        result = home.run("tail", "--url", f"ws://127.0.0.1:{place.getsockname()[1]}", "--key", "x", "NSE:SBIN")
    assert result.returncode == 1 and "HTTP 404; no WebSocket of Feedhost is there" in result.stderr


# MARK: Certificates


def context(pair: Pair, folder) -> ssl.SSLContext:
    (folder / "c.pem").write_bytes(pair.certificate)
    (folder / "c.key").write_bytes(pair.key)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "c.pem", folder / "c.key")
    return made


@pytest.mark.parametrize(("pair", "host", "trusts", "words"), [
    (Pair("good"), "localhost", False, ["signed by nobody whom this machine trusts", "--ca FILE"]),
    (Pair("old", begins=-9, ends=-1), "localhost", True, ["has expired (on 20", "it needs a new one"]),
    (Pair("new", begins=2, ends=9), "localhost", True, ["counts from 20", "clock"]),
    (Pair("name"), "localhost.localdomain", True, ["is for localhost, 127.0.0.1, not for localhost.localdomain", "--url"]),
])
def test_certificates_that_will_not_do(scripts, home, tmp_path, pair, host, trusts, words):
    server = scripts(ssl=context(pair, tmp_path))
    if "." in host:
        try:
            socket.getaddrinfo(host, 0)
        except OSError:
            # Another name of this machine is not to be had; its other address is.
            host, words = "127.0.0.2", ["is for localhost, 127.0.0.1, not for 127.0.0.2", "--url"]
            server = scripts(ssl=context(pair, tmp_path), address="127.0.0.2")
    authorities = ["--ca", tmp_path / "c.pem"] if trusts else []
    result = home.run("tail", "--url", f"wss://{host}:{server.port}", *authorities, "--key", "x", "NSE:SBIN")
    assert result.returncode == 1 and all(word in result.stderr for word in words), result.stderr
    assert not server.requests, "no key was shown"
    assert "BoringSSL" not in result.stderr and "OPENSSL" not in result.stderr


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_an_authority_of_ones_own(scripts, tail, home, tmp_path, name):
    host = scripts(ssl=context(Pair("good"), tmp_path))
    running = tail("--json", "--count", 1, "--url", f"wss://{name}:{host.port}", "--ca", tmp_path / "c.pem", "NSE:SBIN")
    host.has_client().tick("NSE:SBIN", ltp=1.5)
    assert running.process.wait(20) == 0 and "1.5" in running.output.read_text()
    assert "again" not in running.errors.read_text()
    home.environment["SSL_CERT_FILE"] = str(tmp_path / "c.pem")
    running = tail("--json", "--count", 1, "--url", f"wss://{name}:{host.port}", "NSE:SBIN")
    host.has_client().tick("NSE:SBIN", ltp=1.5)
    assert running.process.wait(20) == 0


def test_plain_and_tls_mistaken(scripts, home, tmp_path):
    secure = scripts(ssl=context(Pair("good"), tmp_path))
    result = home.run("tail", "--url", f"ws://127.0.0.1:{secure.port}", "--key", "x", "NSE:SBIN")
    assert result.returncode == 1 and "speaks TLS; write wss://" in result.stderr, result.stderr
    plain = scripts()
    result = home.run("tail", "--url", f"wss://127.0.0.1:{plain.port}", "--key", "x", "NSE:SBIN")
    assert result.returncode == 1 and "does not speak TLS; write ws://" in result.stderr, result.stderr


@pytest.mark.parametrize(("content", "words"), [
    (None, "ca.pem does not exist"), ("rubbish", "ca.pem holds no certificate in PEM form"), ("", "holds no certificate")])
def test_authorities_that_are_none(home, tmp_path, content, words):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    result = home.run("tail", "--url", "wss://127.0.0.1:1", "--ca", tmp_path / "ca.pem", "--key", "x", "NSE:SBIN")
    assert result.returncode == 1 and words in result.stderr
    result = home.run("tail", "--url", "ws://127.0.0.1:1", "--ca", tmp_path / "ca.pem", "--key", "x", "NSE:SBIN")
    assert result.returncode != 0 and "--ca" in result.stderr and "wss://" in result.stderr
