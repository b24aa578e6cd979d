"""An OpenAlgo installation's `.env`, VALID_BROKERS, credentials for all, and an adapter's endpoint from the environment."""

from __future__ import annotations

import json
import threading

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from client import Client
from host import Host, plugins_folder, wait_until

#: As `.sample.env` of OpenAlgo is written: blanks around `=`, comments behind values, names of its other programs.
OPENALGO = """\
# OpenAlgo Environment Configuration File
ENV_CONFIG_VERSION = '1.0.6'

# Broker Configuration
BROKER_API_KEY = 'kitekey123'
BROKER_API_SECRET = 'CANARY-secret-2f60'   # never show it
BROKER_API_KEY_MARKET = ''
BROKER_API_SECRET_MARKET = ''
REDIRECT_URL = 'http://127.0.0.1:5000/zerodha/callback'  # Change if different
VALID_BROKERS = 'fivepaisa,aliceblue,angel,dhan,dhan_sandbox,simulator,zerodha'
API_KEY_PEPPER = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'
FERNET_SALT = 'f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f'
DATABASE_URL = 'sqlite:///db/openalgo.db'
LOGS_DATABASE_URL = 'sqlite:///db/logs.db'

NGROK_ALLOW = 'FALSE'
HOST_SERVER = 'http://127.0.0.1:5000'
FLASK_HOST_IP='127.0.0.1'
FLASK_PORT='5000'
FLASK_DEBUG='False'

WEBSOCKET_HOST='127.0.0.1'
WEBSOCKET_PORT="{websocket}"
WEBSOCKET_URL='ws://127.0.0.1:{websocket}'
export ZMQ_HOST='127.0.0.1'
ZMQ_PORT={zmq} # the bus
WS_AUTH_GRACE_SECONDS='15'
WS_MAX_QUEUE='1024'
WS_PING_INTERVAL='20'
WS_PING_TIMEOUT='20'
WS_STALE_TICK_WARN_SECONDS='0'
WS_PROXY_STATS_FILE='log/ws_proxy_stats.json'
MAX_SYMBOLS_PER_WEBSOCKET='1000'
MAX_WEBSOCKET_CONNECTIONS='3'
ENABLE_CONNECTION_POOLING='true'

LOG_TO_FILE = 'False'
LOG_LEVEL = 'INFO'
LOG_DIR = 'log'
LOG_FORMAT = '[%(asctime)s] %(levelname)s in %(module)s: %(message)s'
LOG_RETENTION = '14'

API_RATE_LIMIT="50 per second"
SESSION_EXPIRY_TIME = '03:00'
CSP_SCRIPT_SRC = "'self' 'unsafe-inline' https://cdn.socket.io"
CSP_UPGRADE_INSECURE_REQUESTS = ''
EMPTY=
CORS_ENABLED = 'TRUE'
"""


class EnvHost(Host):
    """Started in an OpenAlgo root: nothing on the command line, nothing in the environment."""

    @property
    def command(self):
        return [super().command[0], "serve", "--store", str(self.store), "--ready-file", str(self.ready_file),
                "--plugins", str(plugins_folder())]


@pytest.fixture
def openalgo(tmp_path):
    """An installation, with two free ports in its `.env`; not started."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = {"websocket": one.getsockname()[1], "zmq": two.getsockname()[1]}
    host = EnvHost(tmp_path / "openalgo")
    host.ports = ports
    (host.folder / "log").mkdir()
    # `start` gives every host ZMQ_PORT=0, which would be stronger than the file.
    host.environment["ZMQ_PORT"] = str(ports["zmq"])
    yield host
    host.kill()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_its_env_is_read(openalgo, line_end, mark):
    del openalgo.environment["ZMQ_PORT"]
    text = mark + OPENALGO.format(**openalgo.ports).replace("\n", line_end)
    (openalgo.folder / ".env").write_bytes(text.encode())
    openalgo.add_user("alice", "simulator")
    doctor = openalgo.run("doctor", "--plugins", plugins_folder(), "--store", openalgo.store)
    assert doctor.returncode == 0, doctor.stdout
    for port in openalgo.ports.values():
        assert f"{port} is free" in doctor.stdout
    openalgo.environment["ZMQ_PORT"] = str(openalgo.ports["zmq"])
    openalgo.start()
    assert openalgo.port == openalgo.ports["websocket"]
    with Client(openalgo.url, openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.tick()
    stats = openalgo.folder / "log/ws_proxy_stats.json"
    wait_until(stats.exists, "OpenAlgo's stats file")
    openalgo.stop()
    for text in (openalgo.stderr, doctor.stdout, doctor.stderr):
        assert "CANARY" not in text and "00112233" not in text and "f0e1d2c3" not in text


def test_its_stats_file(openalgo):
    """The five fields that OpenAlgo's health monitor reads (drop-in.md section 6), and right figures in them."""
    (openalgo.folder / ".env").write_text(OPENALGO.format(**openalgo.ports))
    openalgo.add_user("alice", "simulator")
    openalgo.start()
    stats = openalgo.folder / "log/ws_proxy_stats.json"

    def figures():
        return json.loads(stats.read_text()) if stats.exists() else {}

    with Client(openalgo.url, openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE", "NSE:SBIN", mode="LTP")
        client.subscribe("NSE:RELIANCE", mode="Depth")
        found = wait_until(lambda: figures().get("clients_connected") == 1 and figures(), "the client in the figures", 25)
        # Older figures may be from between the requests: the next ones are not.
        wait_until(lambda: figures()["timestamp"] != found["timestamp"], "the next figures", 25)
        found = figures()
        assert found["total_connections"] == 1 and found["brokers"] == ["simulator"]
        assert found["total_symbols"] == 3, "(symbol, exchange, mode) keys"
        assert isinstance(found["timestamp"], float)
    openalgo.stop()


def test_the_environment_is_stronger_and_names_are_filled_in(openalgo):
    """override=False, and `${NAME}` as python-dotenv does it."""
    lines = [f"BASE={openalgo.ports['websocket']}", "WEBSOCKET_PORT=${BASE}", "WEBSOCKET_HOST='${NOWHERE:-127.0.0.1}'"]
    (openalgo.folder / ".env").write_text("\n".join([*lines, "ZMQ_PORT=nonsense${ZMQ_PORT}"]))
    # A wrong value is told even where the environment hides it: it would come into effect one day.
    result = openalgo.run("doctor", "--plugins", plugins_folder(), "--store", openalgo.store)
    assert result.returncode == 1 and ".env line 4: ZMQ_PORT" in result.stdout
    (openalgo.folder / ".env").write_text("\n".join([*lines, "ZMQ_PORT=1"]))
    openalgo.start()
    assert openalgo.port == openalgo.ports["websocket"] and openalgo.ready["bus"].endswith(f":{openalgo.ports['zmq']}")
    openalgo.stop()


def test_lines_that_are_not_understood_are_skipped_and_said(openalgo):
    lines = ["this is no setting at all", "LOG_LEVEL='info", f"WEBSOCKET_PORT={openalgo.ports['websocket']}"]
    (openalgo.folder / ".env").write_text("\n".join(lines))
    openalgo.start()
    assert openalgo.port == openalgo.ports["websocket"]
    assert ".env line 1" in openalgo.stderr
    openalgo.stop()


@pytest.mark.parametrize("value", ["zerodha,angel,external_only", "angel", " Binance , angel "])
def test_valid_brokers_leave_others_out(start_host, value):
    host = start_host({"alice": "simulator"}, env={"VALID_BROKERS": value})
    assert "simulator" not in host.ready["brokers"]
    assert ("binance" in host.ready["brokers"]) == ("Binance" in value)
    with Client(host.url) as client:
        reply = client.request({"action": "authenticate", "api_key": host.keys["alice"]})
    assert reply["code"] == "BROKER_ERROR"
    records = json.loads(host.run("plugins", "list", "--json", "--plugins", plugins_folder()).stdout)
    record = next(record for record in records if record["file"] == "simulator.so")
    assert record["state"] == "disabled" and "VALID_BROKERS" in record["reason"]


def test_valid_brokers_that_are_no_brokers(tmp_path):
    host = Host(tmp_path / "home", env={"VALID_BROKERS": "zerodha, an gel"})
    result = host.run("doctor", "--plugins", plugins_folder())
    assert result.returncode == 1 and "VALID_BROKERS" in result.stdout


# MARK: An endpoint from the environment


@pytest.fixture
def exchange():
    """A WebSocket server that notes what is asked of it, and sends a trade once."""
    asked: list[str] = []

    def handle(connection):
        asked.append(connection.request.path)
        data = {"e": "trade", "E": 1760000000001, "s": "BTCUSDT", "t": 1, "p": "64000.10", "q": "0.5",
                "T": 1760000000000, "m": False, "M": True}
        connection.send(json.dumps({"stream": "btcusdt@trade", "data": data}))
        try:
            while True:
                connection.recv()
        except ConnectionClosed:
            pass

    with serve(handle, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.asked = asked
        server.endpoint = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        yield server


@pytest.mark.parametrize("source", ["environment", ".env", "file", "flag"])
def test_binance_endpoint(start_host, connect, exchange, tmp_path, source):
    options: dict = {}
    if source == "environment":
        options["env"] = {"FEEDHOST_BINANCE_ENDPOINT": exchange.endpoint}
    elif source == "flag":
        options["settings"] = {"binance.endpoint": exchange.endpoint}
    elif source == ".env":
        (tmp_path / "own.env").write_text(f"FEEDHOST_BINANCE_ENDPOINT = '{exchange.endpoint}'  # ours\n")
        options["arguments"] = ["--env-file", tmp_path / "own.env"]
    else:
        (tmp_path / "own.yaml").write_text(f"adapters:\n  binance:\n    endpoint: {exchange.endpoint}\n")
        options["arguments"] = ["--config", tmp_path / "own.yaml"]
    host = start_host({"bin": "binance"}, **options)
    client = connect(host, "bin")
    client.subscribe("CRYPTO:BTCUSDT")
    assert client.tick()["data"]["ltp"] == 64000.10
    assert exchange.asked and all(path.split("?")[0] == "/stream" for path in exchange.asked)
