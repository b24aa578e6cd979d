"""Where settings come from, which source wins, and errors that name source and key."""

from __future__ import annotations

import os
import re
import subprocess
import threading

import pytest

from client import Client
from host import Host, binary, plugins_folder

#: From the strongest to the weakest.
SOURCES = ("flag", "environment", ".env", "file", "default")


class BareHost(Host):
    """Without `--port` and `--host`, so that other sources can be seen."""

    @property
    def command(self):
        command = [str(binary()), "serve", "--store", str(self.store), "--ready-file", str(self.ready_file)]
        return command + ["--plugins", str(plugins_folder()), *map(str, self.arguments)]


@pytest.fixture
def home(tmp_path):
    host = BareHost(tmp_path / "home", env={"ZMQ_PORT": 0})
    yield host
    host.kill()


def put(host: Host, source: str, key: str, variable: str, value) -> None:
    """Sets `key` in one source; in files, lines are added."""
    if source == "flag":
        host.arguments += {"proxy.port": ["--port", value], "proxy.host": ["--host", value], "store": ["--store", value]
                           }.get(key) or ["--set", f"{key}={value}"]
    elif source == "environment":
        host.environment[variable] = str(value)
    elif source == ".env":
        with open(host.folder / ".env", "a") as file:
            file.write(f"{variable} = '{value}'\n")
    elif source == "file":
        section, name = key.split(".") if "." in key else ("", key)
        text = f"{section}: {{{name}: {value}}}\n" if section in ("proxy", "bus") else (
            f"adapters: {{{section}: {{{name}: {value}}}}}\n" if section else f"{name}: {value}\n")
        with open(host.folder / "feedhost.yaml", "a") as file:
            file.write(text)


def free_ports(count: int) -> list[int]:
    import socket

    places = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [place.getsockname()[1] for place in places]
    for place in places:
        place.close()
    return ports


def start_error(host: Host, *arguments) -> str:
    result = subprocess.run(
        [*host.command, *map(str, arguments)], capture_output=True, text=True, timeout=20, cwd=host.folder,
        env=host.environment, stdin=subprocess.DEVNULL)
    assert result.returncode == 1, (result.returncode, result.stderr)
    assert "Error: " in result.stderr and not host.ready_file.exists()
    return result.stderr[result.stderr.index("Error: "):]


@pytest.mark.parametrize("strongest", SOURCES[:4])
def test_precedence_of_the_port(home, strongest):
    """Every source from the strongest down to the file has a port of its own."""
    sources = SOURCES[SOURCES.index(strongest):4]
    ports = free_ports(len(sources))
    for source, port in zip(sources, ports):
        put(home, source, "proxy.port", "WEBSOCKET_PORT", port)
    home.start()
    assert home.port == ports[0]
    home.stop()


@pytest.mark.parametrize("stronger, weaker", zip(SOURCES, SOURCES[1:]))
def test_precedence_of_an_adapters_setting(home, stronger, weaker):
    """`simulator.levels` shows in the depth that is granted: 5 by the stronger source, 20 by the weaker one."""
    put(home, "environment", "proxy.port", "WEBSOCKET_PORT", 0)
    put(home, stronger, "simulator.levels", "FEEDHOST_SIMULATOR_LEVELS", 5)
    put(home, weaker, "simulator.levels", "FEEDHOST_SIMULATOR_LEVELS", 20)
    key = home.add_user("alice", "simulator")
    home.start()
    with Client(home.url, key) as client:
        reply = client.subscribe("NSE:RELIANCE", mode="Depth", depth=30)
        assert reply["subscriptions"][0]["depth"] == 5
    home.stop()


@pytest.mark.parametrize("source", SOURCES[:4])
def test_a_wrong_value_names_source_and_key(home, source):
    put(home, source, "proxy.port", "WEBSOCKET_PORT", "87o5")
    error = start_error(home)
    names = {"flag": "--port", "environment": "environment variable WEBSOCKET_PORT", ".env": ".env line 1: WEBSOCKET_PORT",
             "file": "feedhost.yaml line 1: proxy.port"}
    assert names[source] in error and '"87o5"' in error and "65535" in error


@pytest.mark.parametrize("source", SOURCES[:4])
def test_a_wrong_adapter_setting_names_source_and_key(home, source):
    put(home, source, "simulator.rate", "FEEDHOST_SIMULATOR_RATE", "fast")
    error = start_error(home)
    names = {"flag": "--set simulator.rate", "environment": "environment variable FEEDHOST_SIMULATOR_RATE",
             ".env": ".env line 1: FEEDHOST_SIMULATOR_RATE", "file": "feedhost.yaml line 1: adapters.simulator.rate"}
    assert names[source] in error and '"fast"' in error and "whole number" in error


def test_a_wrong_value_that_a_stronger_source_hides(home):
    put(home, "flag", "proxy.port", "WEBSOCKET_PORT", 0)
    put(home, "file", "proxy.port", "WEBSOCKET_PORT", "x")
    assert "feedhost.yaml line 1: proxy.port" in start_error(home)


def test_all_errors_at_once(home):
    put(home, ".env", "bus.port", "ZMQ_PORT", "no")
    put(home, "environment", "proxy.host", "WEBSOCKET_HOST", "not a host")
    put(home, "file", "proxy.port", "WEBSOCKET_PORT", -1)
    error = start_error(home)
    for word in (".env line 1: ZMQ_PORT", "WEBSOCKET_HOST", "feedhost.yaml line 1: proxy.port"):
        assert word in error


@pytest.mark.parametrize("text, words", [
    ("proxy: {prot: 8765}\n", ["line 1", "proxy.prot", "Did you mean port"]),
    ("prxy: {port: 8765}\n", ["line 1", "prxy", "Did you mean proxy"]),
    ("\n\nport: 8765\n", ["line 3", "port"]), ("proxy: 8765\n", ["proxy", "section"]),
    ("proxy: {port: [1, 2]}\n", ["proxy.port", "list"]), ("proxy: {port: {a: 1}}\n", ["proxy.port"]),
    ("proxy: {port: 1.5}\n", ["proxy.port", "1.5"]), ("proxy: {port: true}\n", ["proxy.port", "true"]),
    ("proxy: {port: }\n", ["proxy.port", "empty"]), ("proxy: {port: 1, port: 2}\n", ["line 1", "port"]),
    ("proxy: {auth_grace: soon}\n", ["proxy.auth_grace", "soon"]), ("log: {level: loud}\n", ["log.level", "loud"]),
    ("bus: {publisher: localhost}\n", ["bus.publisher", "tcp://"]), ("bus: {external_as: Ze-Ro}\n", ["bus.external_as"]),
    ("bus: {public: {simulator: }}\n", ["bus.public"]), ("bus: {public: alice}\n", ["bus.public", "BROKER=NAME"]),
    ("adapters: {simulator: 5}\n", ["adapters.simulator"]), ("adapters: {simulator: {rat: 5}}\n", ["simulator", "rat", "rate"]),
    ("adapters: {nosuch: {rate: 5}}\n", ["adapters.nosuch.rate", "no adapter"]), ("- a\n- b\n", ["feedhost.yaml"]),
    ("a: [", ["feedhost.yaml", "not YAML", "line"]), ("just a text\n", ["feedhost.yaml"]),
])
def test_yaml_that_is_wrong(home, text, words):
    (home.folder / "feedhost.yaml").write_text(text)
    error = start_error(home)
    for word in ["feedhost.yaml", *words]:
        assert word in error, error


@pytest.mark.parametrize("name, words", [
    ("FEEDHOST_STROE", ["FEEDHOST_STORE"]), ("FEEDHOST_PLUGINPATH", ["FEEDHOST_PLUGIN_PATH"]),
    ("FEEDHOST_X", []), ("FEEDHOST_", []), ("FEEDHOST_SIMULATOR_RAT", ["rate"]),
    ("FEEDHOST_BINANCE_ENDPIONT", ["endpoint"]), ("FEEDHOST_NOSUCH_RATE", [])])
@pytest.mark.parametrize("source", ["environment", ".env"])
def test_unknown_variables(home, name, words, source):
    put(home, source, "", name, "1")
    error = start_error(home)
    for word in [name, *words]:
        assert word in error, error
    if source == ".env":
        assert ".env line 1" in error


def test_variables_of_others_are_none_of_ours(home):
    put(home, "environment", "", "WEBSOCKET_PORT", 0)
    for name in ("FLASK_PORT", "REDIRECT_URL", "WEBSOCKET_URL", "PATH_TO_X"):
        put(home, "environment", "", name, "anything")
        put(home, ".env", "", name, "anything")
    home.start()
    home.stop()


@pytest.mark.parametrize("value", [
    "simulator", "simulator.rate", "simulator=5", ".rate=5", "simulator.=5", "Simulator.rate=5", "=", ""])
def test_set_in_a_wrong_form(home, value):
    error = start_error(home, "--set", value)
    assert "--set" in error and "BROKER.KEY=VALUE" in error


@pytest.mark.parametrize("value, words", [
    ("simulator.rat=5", ["rat", "Did you mean rate"]), ("simulator.rate=", ["simulator.rate", "empty"]),
    ("simulator.rate=1e3", ["1e3"]), ("nosuch.rate=5", ["nosuch"]), ("binance.endpoint=nowhere", ["binance.endpoint", "URL"])])
def test_set_of_a_wrong_setting(home, value, words):
    error = start_error(home, "--set", value)
    for word in words:
        assert word in error, error


def test_set_may_hold_equals_signs_and_be_repeated(home):
    """The last one wins; what follows the first `=` is the value."""
    put(home, "environment", "", "WEBSOCKET_PORT", 0)
    home.arguments += ["--set", "simulator.levels=20", "--set", "simulator.levels=5"]
    home.arguments += ["--set", "binance.endpoint=ws://127.0.0.1:1/?a=b=c"]
    key = home.add_user("alice", "simulator")
    home.start()
    with Client(home.url, key) as client:
        assert client.subscribe("NSE:SBIN", mode="Depth", depth=20)["subscriptions"][0]["depth"] == 5
    home.stop()


def test_named_files_must_exist(home):
    for flag in ("--config", "--env-file"):
        error = start_error(home, flag, "nowhere.txt")
        assert "nowhere.txt" in error
        assert str(home.folder.name) in start_error(home, flag, home.folder)


def test_named_files_are_read_instead_of_the_standard_ones(home):
    port = free_ports(1)[0]
    (home.folder / "feedhost.yaml").write_text("nonsense: 1\n")
    (home.folder / ".env").write_text("WEBSOCKET_PORT=nonsense\n")
    (home.folder / "own.yaml").write_text(f"proxy:\n  host: 127.0.0.1\n  port: {port}\n")
    (home.folder / "own.env").write_text("WS_AUTH_GRACE_SECONDS=5\n")
    home.arguments = ["--config", "own.yaml", "--env-file", "own.env"]
    home.start()
    assert re.search(rf":{port}$", home.url)
    home.stop()


def test_a_configuration_may_come_through_a_pipe(home):
    """As `--config <(vault read …)` hands it over: in pieces, readable once."""
    port = free_ports(1)[0]
    pipe = home.folder / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("w") as end:
            for piece in ("proxy:\n  host: 127.0.0.1\n", "#" * 5_000 + "\n", f"  port: {port}\n"):
                end.write(piece)
                end.flush()

    writer = threading.Thread(target=write)
    writer.start()
    home.arguments = ["--config", pipe]
    home.start()
    writer.join()
    assert re.search(rf":{port}$", home.url)
    home.stop()


def test_store_commands_read_the_same_sources(home):
    put(home, "file", "store", "FEEDHOST_STORE", home.folder / "file.db")
    assert home.run("users", "add", "alice", "--broker", "simulator").returncode == 0
    put(home, ".env", "store", "FEEDHOST_STORE", home.folder / "env.db")
    assert home.run("users", "add", "alice", "--broker", "simulator").returncode == 0
    assert (home.folder / "file.db").exists() and (home.folder / "env.db").exists()


def test_secrets_in_wrong_values_are_not_shown(home):
    put(home, ".env", "", "API_KEY_PEPPER", "CANARY-short")
    put(home, "environment", "", "DATABASE_URL", "CANARY without scheme")
    error = start_error(home)
    assert "API_KEY_PEPPER" in error and "DATABASE_URL" in error and "CANARY" not in error
