"""Accounts in signed tokens: OpenAlgo's client with a JWT as its API key, permissions, revocation, new keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import time

import pytest
from openalgo import api

from client import Client
from host import Host, wait_until

SECRET = "canary-secret-of-at-least-thirty-two-bytes"
RELIANCE = [{"exchange": "NSE", "symbol": "RELIANCE"}]


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret: str = SECRET, alg: str = "HS256", **claims) -> str:
    claims = {"sub": "alice", "broker": "simulator", "exp": int(time.time()) + 600, "jti": "first"} | claims
    claims = {name: value for name, value in claims.items() if value is not None}
    text = encode(json.dumps({"alg": alg, "typ": "JWT"}).encode()) + "." + encode(json.dumps(claims).encode())
    return text + "." + encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


@pytest.fixture
def host(start_host, tmp_path):
    (tmp_path / "revoked").write_text("")
    return start_host(
        {}, settings={"simulator.rate": 100},
        env={"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_SECRET": SECRET, "FEEDHOST_JWT_REVOKED": tmp_path / "revoked"})


def refusal(host: Host, key: str) -> dict:
    with Client(host.url) as client:
        reply = client.request({"action": "authenticate", "api_key": key})
    assert reply["status"] == "error", reply
    return reply


def test_the_official_client(host):
    client = api(api_key=token(), host="http://127.0.0.1:5000", ws_url=host.url)
    assert client.connect() is True
    ticks = []
    client.subscribe_ltp(RELIANCE, on_data_received=lambda tick: ticks.append(tick))
    wait_until(lambda: len(ticks) > 5, "ticks")
    client.disconnect()


# Made when its test runs: a token made when tests are collected has run out by the time of the last ones.
@pytest.mark.parametrize(("make", "words"), [
    (lambda: token(exp=int(time.time()) - 3600), "expired"), (lambda: token(exp=None), "no end"),
    (lambda: token(alg="none"), "not allowed"), (lambda: token(secret="x" * 40), "signature"),
    (lambda: token(nbf=int(time.time()) + 3600), "not valid yet"),
    (lambda: token(aud="somebody"), "not meant for this host"),
    (lambda: token(feedhost={"mode": ["LTP"]}), "permission"), (lambda: token(exchanges=["NSE"]), "feedhost"),
    (lambda: "0" * 64, "not a signed token"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_refusals(host, make, words):
    key = make()
    reply = refusal(host, key)
    assert reply["code"] == "AUTHENTICATION_ERROR" and words in reply["message"], reply
    assert SECRET not in host.stderr and key not in host.stderr


def test_permissions(host, connect):
    client = connect(host)
    client.auth(token(feedhost={"exchanges": ["NSE"], "symbols": ["RELI*"], "modes": ["LTP"]}))
    client.subscribe("NSE:RELIANCE")
    assert client.tick()["symbol"] == "RELIANCE"
    for name, mode in [("NSE:TCS", "LTP"), ("NSE_INDEX:NIFTY", "LTP"), ("NSE:RELIANCE", "Depth")]:
        exchange, symbol = name.split(":")
        reply = client.request(
            {"action": "subscribe", "symbols": [{"exchange": exchange, "symbol": symbol}], "mode": mode})
        assert reply["status"] != "success", reply


def test_a_revoked_token_closes_its_client(host, connect, tmp_path):
    client, other = connect(host), connect(host)
    client.auth(token())
    other.auth(token(jti="second"))
    (tmp_path / "new").write_text("# stolen\nfirst\n")
    (tmp_path / "new").rename(tmp_path / "revoked")
    code, _ = client.closed(5)
    assert code and code >= 4000
    other.round_trip()
    assert "revoked" in refusal(host, token())["message"]


def test_a_token_that_is_taken_off_the_list_counts_again(host, connect, tmp_path):
    client = connect(host)
    client.auth(token())
    (tmp_path / "revoked").write_text("first\n")
    assert client.closed(5)[0] == 4503
    assert "revoked" in refusal(host, token())["message"]
    (tmp_path / "revoked").write_text("# a mistake\n")
    again = connect(host)
    again.auth(token())
    again.subscribe("NSE:RELIANCE")
    again.tick()


def test_algorithms_that_are_not_listed(start_host, connect, tmp_path):
    """RS256 and HS256 have keys here, and only RS256 is listed; a broken list is an error that says what there is."""
    subprocess.run(["openssl", "genrsa", "-out", tmp_path / "rsa.key", "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", tmp_path / "rsa.key", "-pubout", "-out", tmp_path / "rsa.pem"],
                   check=True, capture_output=True)
    env = {"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_SECRET": SECRET, "FEEDHOST_JWT_PUBLIC_KEYS": tmp_path / "rsa.pem"}
    host = start_host({}, env=env | {"FEEDHOST_JWT_ALGORITHMS": "RS256"})
    signed = token(alg="RS256").rpartition(".")[0]
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", tmp_path / "rsa.key"], input=signed.encode(),
                               check=True, capture_output=True).stdout
    connect(host).auth(f"{signed}.{encode(signature)}")
    assert "signed with HS256, which is not allowed here" in refusal(host, token())["message"]
    for name in ("none", "None", "NONE", "HS384"):
        for key in (token(alg=name), token(alg=name).rpartition(".")[0] + "."):
            assert refusal(host, key)["message"] == "The token is signed in a way that is not allowed here"
    host.environment["FEEDHOST_JWT_ALGORITHMS"] = "RS256,none"
    doctor = host.run("doctor")
    assert doctor.returncode == 1 and "some of HS256, RS256, ES256" in doctor.stdout, doctor.stdout


def test_a_token_that_runs_out(start_host, connect):
    host = start_host(
        {}, env={"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_SECRET": SECRET, "FEEDHOST_JWT_LEEWAY": 0})
    client = connect(host)
    client.auth(token(exp=int(time.time()) + 3))
    code, _ = client.closed(15)
    assert code and code >= 4000


def test_without_a_key_it_does_not_start(tmp_path):
    host = Host(tmp_path, env={"FEEDHOST_ACCOUNTS": "jwt"})
    result = host.run(*host.command[1:])
    assert result.returncode != 0 and "jwt.secret" in result.stderr
    host.environment["FEEDHOST_JWT_SECRET"] = "canary"
    doctor = host.run("doctor")
    assert doctor.returncode == 1 and "32 bytes" in doctor.stdout and "canary" not in doctor.stdout + doctor.stderr
