"""Started in an OpenAlgo folder: its `.env` and database are all there is. OpenAlgo's side is played with its own crypto."""

from __future__ import annotations

import base64
import hashlib
import secrets
import sqlite3
import time
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from client import Client
from cryptography.fernet import Fernet
from host import Host, plugins_folder, wait_until
from publisher import Publisher
from simulator import Simulator
from websockets.exceptions import ConnectionClosed

#: Changes that OpenAlgo writes are in effect after this many seconds.
SOON = 2.0

TABLES = """
CREATE TABLE api_keys (id INTEGER NOT NULL PRIMARY KEY, user_id VARCHAR NOT NULL UNIQUE, api_key_hash TEXT NOT NULL,
    api_key_encrypted TEXT NOT NULL, created_at DATETIME, order_mode VARCHAR(20));
CREATE TABLE auth (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL UNIQUE, auth TEXT NOT NULL, feed_token TEXT,
    broker VARCHAR(20) NOT NULL, user_id VARCHAR(255), is_revoked BOOLEAN);
CREATE TABLE symtoken (id INTEGER NOT NULL PRIMARY KEY, symbol VARCHAR NOT NULL, brsymbol VARCHAR NOT NULL, name VARCHAR,
    exchange VARCHAR, brexchange VARCHAR, token VARCHAR, expiry VARCHAR, strike FLOAT, lotsize INTEGER,
    instrumenttype VARCHAR, tick_size FLOAT);
"""


class OpenAlgo:
    """OpenAlgo's process: writes keys and tokens as its `auth_db` does."""

    def __init__(self, folder: Path, lines: dict[str, str]):
        self.pepper, self.salt = "CANARY" + secrets.token_hex(32), secrets.token_hex(32)
        self.path = folder / "db/openalgo.db"
        self.path.parent.mkdir(parents=True)
        (folder / "log").mkdir()
        lines = {"API_KEY_PEPPER": self.pepper, "FERNET_SALT": self.salt, "DATABASE_URL": "sqlite:///db/openalgo.db"} | lines
        (folder / ".env").write_text("".join(f"{name} = '{value}'  # ours\n" for name, value in lines.items()))
        self.fernet = self.cipher(bytes.fromhex(self.salt))
        self.db = sqlite3.connect(self.path, timeout=1, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.executescript(TABLES)
        self.keys: dict[str, str] = {}

    def cipher(self, salt: bytes) -> Fernet:
        key = hashlib.pbkdf2_hmac("sha256", self.pepper.encode(), salt, 100_000, 32)
        return Fernet(base64.urlsafe_b64encode(key))

    def encrypt(self, text: str) -> str:
        return self.fernet.encrypt(text.encode()).decode()

    def set_key(self, user: str, is_readable: bool = True) -> str:
        """A new key in the place of the old one."""
        key = "CANARY" + secrets.token_hex(32)
        sealed = self.encrypt(key) if is_readable else Fernet(Fernet.generate_key()).encrypt(b"x").decode()
        self.db.execute(
            "INSERT INTO api_keys (user_id, api_key_hash, api_key_encrypted) VALUES (?, ?, ?) ON CONFLICT (user_id) DO "
            "UPDATE SET api_key_hash = excluded.api_key_hash, api_key_encrypted = excluded.api_key_encrypted",
            (user, PasswordHasher().hash(key + self.pepper), sealed))
        self.keys[user] = key
        return key

    def login(self, user: str, broker: str, token: str, feed: str | None = None) -> None:
        self.db.execute(
            "INSERT INTO auth (name, auth, feed_token, broker, user_id, is_revoked) VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT "
            "(name) DO UPDATE SET auth = excluded.auth, feed_token = excluded.feed_token, broker = excluded.broker, "
            "is_revoked = 0", (user, self.encrypt(token), feed and self.encrypt(feed), broker, "SIM001"))

    def logout(self, user: str) -> None:
        self.db.execute("UPDATE auth SET auth = '', feed_token = NULL, is_revoked = 1 WHERE name = ?", (user,))

    def load_instruments(self, venue: Simulator) -> None:
        """As after a login at Zerodha: the whole table anew."""
        rows = [
            (symbol, symbol, "", exchange, exchange, f"{row['key']}::::1", "", -0.01, 1, "EQ", 0.05)
            for (exchange, symbol), row in venue.instruments().items() if row["key"]]
        self.db.execute("DELETE FROM symtoken")
        self.db.execute("BEGIN")
        self.db.executemany(
            "INSERT INTO symtoken (symbol, brsymbol, name, exchange, brexchange, token, expiry, strike, lotsize, "
            "instrumenttype, tick_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self.db.execute("COMMIT")


class Swap(Host):
    """Started in OpenAlgo's folder, with nothing on the command line that says so."""

    openalgo: OpenAlgo

    @property
    def command(self):
        return [super().command[0], "serve", "--ready-file", str(self.ready_file), "--plugins", str(plugins_folder())]

    def refusal(self, key: str) -> dict:
        with Client(self.url) as client:
            return client.request({"action": "authenticate", "api_key": key})

    @property
    def said(self) -> str:
        return self.stderr + self.stdout


@pytest.fixture
def installation(tmp_path):
    """OpenAlgo's folder with a user on the simulator; the host is not started."""
    started: list[Swap] = []

    def make(**lines: str) -> Swap:
        host = Swap(tmp_path / f"openalgo{len(started)}")
        host.openalgo = OpenAlgo(host.folder, {"WEBSOCKET_PORT": "0"} | lines)
        host.openalgo.set_key("alice")
        host.openalgo.login("alice", "simulator", "CANARY-token")
        started.append(host)
        return host

    yield make
    for host in started:
        host.openalgo.db.close()
        try:
            host.stop()
        finally:
            host.kill()
        assert "CANARY" not in host.said and host.openalgo.salt not in host.said


@pytest.fixture
def zerodha(tmp_path, installation):
    """A user whose login, token and instruments are in OpenAlgo's database, at a simulated Zerodha."""
    venue = Simulator("zerodha", tmp_path, rate=200, seed=5).start()
    host = installation(
        BROKER_API_KEY=venue.api_key, REDIRECT_URL="http://127.0.0.1:5000/zerodha/callback",
        VALID_BROKERS="zerodha,simulator", FEEDHOST_ZERODHA_ENDPOINT=venue.url)
    host.openalgo.load_instruments(venue)
    host.openalgo.login("alice", "zerodha", f"{venue.api_key}:simtoken")
    yield host.start(), venue
    venue.stop()


def refusals(venue: Simulator) -> int:
    return sum(count for status, count in venue.state["upgrades"].items() if status in ("401", "403"))


# MARK: Keys


def test_nothing_but_its_folder_is_needed(installation):
    host = installation().start()
    with Client(host.url) as client:
        reply = client.auth(host.openalgo.keys["alice"])
        assert reply["broker"] == "simulator"
        client.subscribe("NSE:RELIANCE")
        client.tick()
    assert not host.store.exists()


def test_keys_that_are_not_good(installation):
    host = installation()
    host.openalgo.set_key("bob_k")
    host.openalgo.set_key("carol")
    host.openalgo.login("carol", "simulator", "CANARY-other")
    host.openalgo.logout("carol")
    host.start()
    wrong = host.refusal("0" * 64)
    assert (wrong["code"], wrong["message"]) == ("AUTHENTICATION_ERROR", "Invalid API key")
    for user in ("bob_k", "carol"):
        reply = host.refusal(host.openalgo.keys[user])
        assert (reply["code"], reply["message"]) == ("BROKER_ERROR", "No broker configuration found for user")


def test_key_of_which_only_the_hash_can_be_read(installation):
    host = installation()
    key = host.openalgo.set_key("alice", is_readable=False)
    host.start()
    for _ in range(2):
        Client(host.url, key).close()
    assert host.refusal(key[:-1] + "x")["code"] == "AUTHENTICATION_ERROR"


def test_rotated_key_is_refused(installation):
    host = installation().start()
    old = host.openalgo.keys["alice"]
    with Client(host.url, old) as client:
        new = host.openalgo.set_key("alice")
        changed = time.monotonic()
        with pytest.raises(ConnectionClosed):
            while True:
                client.receive(SOON)
        assert time.monotonic() - changed < SOON
    assert host.refusal(old)["code"] == "AUTHENTICATION_ERROR"
    # Made a moment ago, and good at once; rotating again and again changes nothing about that.
    for _ in range(3):
        Client(host.url, new).close()
        new = host.openalgo.set_key("alice")
    Client(host.url, new).close()


# MARK: Tokens


def test_instruments_and_token_of_its_database(zerodha):
    host, venue = zerodha
    with Client(host.url, host.openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE", "NSE_INDEX:NIFTY", mode="Quote")
        rows = venue.instruments()
        venue.wait_subscribed({"quote": [rows["NSE", "RELIANCE"]["key"], rows["NSE_INDEX", "NIFTY"]["key"]]})
        assert {client.tick()["symbol"] for _ in range(40)} == {"RELIANCE", "NIFTY"}
        reply = client.request(
            {"action": "subscribe", "mode": "LTP", "symbols": [{"exchange": "NSE", "symbol": "RELIANC"}]})
        assert "RELIANCE" in str(reply), "near matches come from OpenAlgo's table"


def test_new_token_restores_the_session(zerodha):
    """The morning: yesterday's token dies, a login writes today's, and the client has nothing to do."""
    host, venue = zerodha
    with Client(host.url, host.openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE", mode="Depth")
        wanted = {"full": [venue.instruments()["NSE", "RELIANCE"]["key"]]}
        venue.wait_subscribed(wanted)
        token = venue.fault("roll")["access_token"]
        wait_until(lambda: "refused" in host.stderr.lower(), "the refusal in the log")
        wait_until(lambda: refusals(venue) == 2, "two refusals")
        host.openalgo.login("alice", "zerodha", f"{venue.api_key}:{token}")
        venue.wait_subscribed(wanted, timeout=5)
        assert refusals(venue) == 2
        client.told("BROKER_LOGGED_OUT", "BROKER_CONNECTED")
        client.round_trip()
        client.waiting.clear()
        assert client.tick()["symbol"] == "RELIANCE"


def test_same_token_again_leaves_the_session_alone(zerodha):
    host, venue = zerodha
    with Client(host.url, host.openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE", mode="Depth")
        wanted = {"full": [venue.instruments()["NSE", "RELIANCE"]["key"]]}
        venue.wait_subscribed(wanted)
        before = dict(venue.state["upgrades"])
        host.openalgo.login("alice", "zerodha", f"{venue.api_key}:simtoken")
        with Publisher(host.ready["bus"]) as publisher:
            publisher.publish("CACHE_INVALIDATE_ALL_alice", {"action": "invalidate", "user_id": "alice", "cache_type": "ALL"})
            wait_until(lambda: "tokens of alice" in host.stderr, "the message in the log")
        # A change that is told comes behind whatever the login might have brought.
        host.openalgo.set_key("bob_k")
        host.openalgo.login("bob_k", "simulator", "CANARY")
        Client(host.url, host.openalgo.keys["bob_k"]).close()
        assert venue.subscribed() == wanted and venue.state["upgrades"] == before


def test_logged_out_and_in_again(zerodha):
    """The session ends and its client stays; a login brings the ticks back."""
    host, venue = zerodha
    with Client(host.url, host.openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE", mode="Depth")
        wanted = {"full": [venue.instruments()["NSE", "RELIANCE"]["key"]]}
        venue.wait_subscribed(wanted)
        host.openalgo.logout("alice")
        wait_until(lambda: not venue.connections(), "the end of the session", timeout=SOON + 1)
        assert host.refusal(host.openalgo.keys["alice"])["code"] == "BROKER_ERROR"
        host.openalgo.login("alice", "zerodha", f"{venue.api_key}:simtoken")
        venue.wait_subscribed(wanted, timeout=5)
        client.told("BROKER_LOGGED_OUT", "BROKER_CONNECTED")
        client.round_trip()
        client.waiting.clear()
        client.tick()


def test_new_instruments_are_taken_over(zerodha):
    host, venue = zerodha
    names = {"action": "subscribe", "mode": "LTP", "symbols": [{"exchange": "NSE", "symbol": "NEWLY"}]}
    with Client(host.url, host.openalgo.keys["alice"]) as client:
        assert client.request(names)["status"] != "success"
        host.openalgo.db.execute(
            "UPDATE symtoken SET symbol = 'NEWLY', id = (SELECT max(id) + 1 FROM symtoken) "
            "WHERE symbol = 'SBIN' AND exchange = 'NSE'")
        wait_until(lambda: client.request(names)["status"] == "success", "the new symbol", interval=0.2)


# MARK: The file


def test_its_database_is_read_only(zerodha):
    host, _ = zerodha
    files = [host.openalgo.path, Path(f"{host.openalgo.path}-wal")]

    def digests():
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    before = digests()
    with Client(host.url, host.openalgo.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.tick()
        assert digests() == before
        # OpenAlgo can write, and empty its log, whenever it likes.
        host.openalgo.db.execute("PRAGMA busy_timeout = 0")
        for _ in range(50):
            host.openalgo.login("alice", "zerodha", "simkey:simtoken")
        client.round_trip()
    written = hashlib.sha256(files[0].read_bytes()).hexdigest()
    host.stop()
    assert hashlib.sha256(files[0].read_bytes()).hexdigest() == written


def test_doctor(installation):
    host = installation(REDIRECT_URL="http://127.0.0.1:5000/simulator/callback")
    host.openalgo.set_key("carol")
    host.openalgo.login("carol", "simulator", "CANARY")
    host.openalgo.logout("carol")
    result = host.run("doctor", "--plugins", plugins_folder())
    assert result.returncode == 0, result.stdout
    assert "2 API keys, 2 logins" in result.stdout and "alice is logged in at simulator" in result.stdout
    assert "carol is logged out at simulator" in result.stdout
    host.openalgo.db.execute("UPDATE auth SET auth = 'CANARY', is_revoked = 0 WHERE name = 'carol'")
    result = host.run("doctor", "--plugins", plugins_folder())
    assert result.returncode == 1 and "API_KEY_PEPPER" in result.stdout
    assert "CANARY" not in result.stdout + result.stderr


@pytest.mark.parametrize("lines, told", [
    ({"DATABASE_URL": "postgresql://oa:CANARY@db/oa"}, "only SQLite"), ({"DATABASE_URL": "sqlite:///db/nowhere.db"}, "nowhere.db"),
])
def test_what_cannot_be_read_is_said(installation, lines, told):
    host = installation(**lines)
    result = host.run("serve", "--plugins", plugins_folder(), "--set", "accounts.provider=openalgo")
    assert result.returncode != 0 and told in result.stderr and "CANARY" not in result.stderr


def test_a_store_that_is_named_is_stronger(installation):
    host = installation()
    host.add_user("dave", "simulator")
    host.environment["FEEDHOST_STORE"] = str(host.store)
    host.start()
    Client(host.url, host.keys["dave"]).close()
    assert host.refusal(host.openalgo.keys["alice"])["code"] == "AUTHENTICATION_ERROR"
    assert "not OpenAlgo's" in host.stderr


# MARK: Logged out, on one socket


REPLIES = {
    # What a client that came in before does while its user is logged out, what it is answered, and what it has afterwards.
    "same key": ({"action": "authenticate"}, ("BROKER_ERROR", "No broker configuration found for user"), "ticks orders"),
    "wrong key": ({"action": "authenticate", "api_key": "0" * 64}, ("AUTHENTICATION_ERROR", "Invalid API key"), "ticks orders"),
    "subscribe": ({"action": "subscribe", "symbol": "SBIN", "exchange": "NSE"}, "partial", "ticks orders"),
    "unsubscribe": ({"action": "unsubscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": 1}, "success", "orders"),
    "unsubscribe, bad mode": (
        {"action": "unsubscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": 9},
        ("INVALID_MODE", "Invalid mode 9; expected 1 (LTP), 2 (Quote), or 3 (Depth)"), "ticks orders"),
    "unsubscribe_all": ({"action": "unsubscribe_all"}, "success", "orders"),
    "subscribe_orders": ({"action": "subscribe_orders"}, "success", "ticks orders"),
    "unsubscribe_orders": ({"action": "unsubscribe_orders"}, "success", "ticks"),
    "get_broker_info": ({"action": "get_broker_info"}, "success", "ticks orders"),
    "ping": ({"action": "ping"}, "success", "ticks orders"),
    "get_supported_brokers": ({"action": "get_supported_brokers"}, "success", "ticks orders"),
}


def test_every_action_while_the_broker_is_logged_out(zerodha):
    host, venue = zerodha
    key = host.openalgo.keys["alice"]
    clients = {name: Client(host.url, key) for name in REPLIES}
    for client in clients.values():
        client.subscribe("NSE:RELIANCE")
        client.request({"action": "subscribe_orders"})
    host.openalgo.logout("alice")
    for client in clients.values():
        client.told("BROKER_LOGGED_OUT")
    for name, (request, answer, _) in REPLIES.items():
        request = dict(request)
        if request["action"] == "authenticate":
            request.setdefault("api_key", key)
        reply = clients[name].request(request)
        if isinstance(answer, tuple):
            assert (reply["code"], reply["message"]) == answer and "type" not in reply, name
        else:
            assert reply["status"] == answer, (name, reply)
    # Who comes now is no stranger, and hears of orders.
    late = clients["late"] = Client(host.url)
    assert late.request({"action": "authenticate", "api_key": key})["code"] == "BROKER_ERROR"
    assert late.request({"action": "subscribe", "symbol": "SBIN", "exchange": "NSE"})["message"] == "Broker adapter not found"
    assert late.request({"action": "subscribe_orders"})["status"] == "success"

    host.openalgo.login("alice", "zerodha", f"{venue.api_key}:simtoken")
    for name, client in clients.items():
        if name != "late":
            client.told("BROKER_CONNECTED")
        client.round_trip()
        client.waiting.clear()
    with Publisher(host.ready["bus"]) as publisher:
        publisher.publish("ZERODHA_alice_orders", {"type": "order_update", "user_id": "alice", "orderid": "1"})
        for name, client in clients.items():
            left = "orders" if name == "late" else REPLIES[name][2]
            if "orders" in left:
                assert client.tick(match=lambda each: each["type"] == "order_update")["orderid"] == "1", name
            if "ticks" in left:
                assert client.tick(match=lambda each: each["type"] == "market_data")["symbol"] == "RELIANCE", name
    assert late.subscribe("NSE:SBIN")["status"] == "success"
    for client in clients.values():
        assert client.request({"action": "unsubscribe_all"})["status"] == "success"
        client.close()


@pytest.mark.parametrize("is_logged_in", [True, False])
def test_a_removed_user_is_told_so(installation, is_logged_in):
    """With the code that the table of close codes names for it, and not that of a key."""
    host = installation().start()
    openalgo = host.openalgo
    if not is_logged_in:
        openalgo.logout("alice")
    with Client(host.url) as client:
        client.request({"action": "authenticate", "api_key": openalgo.keys["alice"]})
        openalgo.db.executescript("BEGIN; DELETE FROM api_keys; DELETE FROM auth; COMMIT")
        assert client.closed() == (4001, "account changed, reconnect")


def test_depth_as_a_text(installation):
    host = installation().start()
    with Client(host.url, host.openalgo.keys["alice"]) as client:
        reply = client.subscribe("NSE:RELIANCE", mode="Depth", depth="20")
        # A number, as every typed client reads it, though it was asked for as a text.
        assert reply["subscriptions"][0]["depth"] == 20
