"""An OpenAlgo installation row by row: users, logins, instruments, as OpenAlgo writes them, and files of its own making."""

from __future__ import annotations

import os
import shutil

import pytest
from client import Client
from host import wait_until
from simulator import Simulator
from test_openalgo_swap import SOON, Swap, installation  # noqa: F401 (a fixture)

#: symbol, exchange, brsymbol, brexchange, token, lot, type
SYMTOKEN = [
    ("RELIANCE", "NSE", "RELIANCE", "NSE", "738561::::2885", 1, "EQ"), ("SBIN", "NSE", "SBIN", "NSE", "779521::::3045", 1, "EQ"),
    ("M&M", "NSE", "M&M", "NSE", "519937::::2031", 1, "EQ"), ("NIFTY", "NSE_INDEX", "NIFTY 50", "NSE", "256265::::1001", 1, "EQ"),
    ("SENSEX", "BSE_INDEX", "SENSEX", "BSE", "265::::1", 1, "EQ"),
    ("NIFTY29DEC2624000CE", "NFO", "NIFTY26DEC24000CE", "NFO", "11536642::::45065", 65, "CE"),
    ("CRUDEOIL18DEC26FUT", "MCX", "CRUDEOIL26DECFUT", "MCX", "122334466::::477869", 100, "FUT")]


@pytest.fixture
def mixed(tmp_path, installation):
    """Users at two brokers, one with an underscore, one logged out at a third; one token under the old salt."""
    zerodha = Simulator("zerodha", tmp_path, api_key="kitekey", access_token="CANARY-kite").start()
    angel = Simulator(
        "angel", tmp_path, api_key="kitekey", access_token="CANARY-angel", feed_token="CANARY-feed", user="B98765").start()
    host = installation(
        BROKER_API_KEY="kitekey", BROKER_API_SECRET="CANARY-app", REDIRECT_URL="http://127.0.0.1:5000/zerodha/callback",
        VALID_BROKERS="zerodha,angel,dhan", FEEDHOST_ZERODHA_ENDPOINT=zerodha.url, FEEDHOST_ANGEL_ENDPOINT=angel.url)
    oa = host.openalgo
    for user in ("bob_k", "carol"):
        oa.set_key(user)
    oa.login("alice", "zerodha", "kitekey:CANARY-kite", "CANARY-kite-feed")
    fresh, oa.fernet = oa.fernet, oa.cipher(b"openalgo_static_salt")
    oa.login("bob_k", "angel", "CANARY-angel", "CANARY-feed")
    oa.fernet = fresh
    oa.db.execute("UPDATE auth SET user_id = 'B98765' WHERE name = 'bob_k'")
    oa.login("carol", "dhan", "CANARY-dhan")
    # As it is written by OpenAlgo of today, and by older ones: the token may still be there.
    oa.db.execute("UPDATE auth SET is_revoked = 1 WHERE name = 'carol'")
    oa.db.executemany(
        "INSERT INTO symtoken (symbol, exchange, brsymbol, brexchange, token, lotsize, instrumenttype, name, expiry, strike, "
        "tick_size) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', -0.01, 0.05)", SYMTOKEN)
    yield host, zerodha, angel
    zerodha.stop()
    angel.stop()


def test_every_row_of_an_installation(mixed):
    host, zerodha, angel = mixed
    host.start()
    keys = host.openalgo.keys
    known = {str(row["key"]) for row in zerodha.instruments().values()}
    assert {"738561", "256265"} <= known
    with Client(host.url) as client:
        reply = client.auth(keys["alice"])
        assert (reply["broker"], reply["user_id"]) == ("zerodha", "alice")
        for symbol, exchange, _, _, token, _, _ in SYMTOKEN:
            client.subscribe(f"{exchange}:{symbol}", mode="Quote")
            number = token.split(":")[0]
            # The simulated market has contracts of its own, and forgets tokens that are none of them.
            if number in known:
                wait_until(lambda number=number: number in map(str, zerodha.subscribed().get("quote", [])), f"{symbol} as {number}")
                client.tick(match=lambda tick, symbol=symbol: tick["symbol"] == symbol)
    with Client(host.url) as client:
        reply = client.auth(keys["bob_k"])
        assert (reply["broker"], reply["user_id"]) == ("angel", "bob_k")
    wait_until(lambda: angel.state["upgrades"].get("101"), "the second user's session at the other broker")
    reply = host.refusal(keys["carol"])
    assert (reply["code"], reply["message"]) == ("BROKER_ERROR", "No broker configuration found for user")
    for wrong in ("f" * 64, keys["alice"].upper(), keys["alice"][:-1], keys["alice"] + host.openalgo.pepper):
        reply = host.refusal(wrong)
        assert (reply["code"], reply["message"]) == ("AUTHENTICATION_ERROR", "Invalid API key")


def test_an_early_client_can_go_on_after_the_first_login(mixed):
    """Its key is good, its user not logged in yet; the login comes while the client stays connected."""
    host, zerodha, _ = mixed
    host.openalgo.db.execute("DELETE FROM auth WHERE name = 'alice'")
    host.start()
    with Client(host.url) as client:
        reply = client.request({"action": "authenticate", "api_key": host.openalgo.keys["alice"]})
        assert reply["code"] == "BROKER_ERROR"
        request = {"action": "subscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": "LTP"}
        assert client.request(request)["message"] == "Broker adapter not found"
        host.openalgo.login("alice", "zerodha", "kitekey:CANARY-kite")
        wait_until(lambda: client.request(request)["status"] == "success", "the broker", SOON + 1, 0.1)
        assert client.tick()["broker"] == "zerodha"


# MARK: OpenAlgo's own files

SAMPLE = os.environ.get("FEEDHOST_OPENALGO_SAMPLE")


@pytest.mark.skipif(not SAMPLE, reason="FEEDHOST_OPENALGO_SAMPLE names no folder with OpenAlgo's sample.env and sample.db")
def test_sample_of_its_own_making(tmp_path):
    host = Swap(tmp_path / "openalgo")
    (host.folder / "db").mkdir()
    shutil.copyfile(f"{SAMPLE}/sample.env", host.folder / ".env")
    shutil.copyfile(f"{SAMPLE}/sample.db", host.folder / "db/openalgo.db")
    venues = {
        "zerodha": Simulator("zerodha", tmp_path, api_key="kitekey123", access_token="kite-access-token-ABC").start(),
        "angel": Simulator("angel", tmp_path, api_key="kitekey123", access_token="angel-jwt-token-DEF",
                           feed_token="angel-feed-777", user="B98765").start()}
    host.environment |= {"WEBSOCKET_PORT": "0", "FEEDHOST_ZERODHA_ENDPOINT": venues["zerodha"].url,
                         "FEEDHOST_ANGEL_ENDPOINT": venues["angel"].url}
    keys = {
        "alice": "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "bob_k": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "carol": "9999aaaabbbbccccddddeeeeffff00009999aaaabbbbccccddddeeeeffff0000"}
    try:
        host.start()
        known = {str(row["key"]) for row in venues["zerodha"].instruments().values()}
        assert {"738561", "256265"} <= known
        with Client(host.url) as client:
            assert client.auth(keys["alice"])["broker"] == "zerodha"
            for exchange, symbol, token in [
                ("NSE", "RELIANCE", 738561), ("NSE", "M&M", 519937), ("NSE_INDEX", "NIFTY", 256265),
                ("BSE_INDEX", "SENSEX", 265), ("NFO", "NIFTY29DEC2624000CE", 11536642),
                ("MCX", "CRUDEOIL18DEC26FUT", 122334466),
            ]:
                client.subscribe(f"{exchange}:{symbol}", mode="Quote")
                # The simulated market has contracts of its own, and forgets tokens that are none of them.
                if str(token) in known:
                    wait_until(
                        lambda token=token: str(token) in map(str, venues["zerodha"].subscribed().get("quote", [])),
                        f"{symbol} as token {token}")
                    client.tick()
        with Client(host.url) as client:
            reply = client.auth(keys["bob_k"])
            assert (reply["broker"], reply["user_id"]) == ("angel", "bob_k")
        carol = host.refusal(keys["carol"])
        assert (carol["code"], carol["message"]) == ("BROKER_ERROR", "No broker configuration found for user")
        other = host.refusal("f" * 64)
        assert (other["code"], other["message"]) == ("AUTHENTICATION_ERROR", "Invalid API key")
        host.stop()
        for secret in [*keys.values(), "kite-access-token", "angel-jwt", "kite-feed", "angel-feed", "00112233", "f0e1d2c3"]:
            assert secret not in host.said
    finally:
        host.kill()
        for venue in venues.values():
            venue.stop()
