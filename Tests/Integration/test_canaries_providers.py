"""Canaries in tokens, providers and installations of OpenAlgo, in crashes, orders and wrong configurations."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import time

import pytest

from canaries import ask, commands, crash, credentials, files, folder, plugins, processes, put, subscribe  # noqa: F401
from certificates import Pair, replace
from client import Client
from host import DEADLINE, Host, wait_until
from simulator import Simulator
from test_openalgo_swap import OpenAlgo
from test_redaction import TRACE, canary, malformed, scan

# MARK: Tokens


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret: str, **claims) -> str:
    claims = {"sub": "alice", "broker": "parrot", "exp": int(time.time()) + 600, "jti": canary("jti")} | claims
    text = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + "." + encode(json.dumps(claims).encode())
    return text + "." + encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


@pytest.mark.parametrize("place", ["environment", "file", "yaml"])
def test_tokens(start_host, plugins, tmp_path, place):
    first, second = canary("hmac-of-thirty-two-bytes"), canary("another-hmac-of-so-many")
    path = tmp_path / "hmac"
    path.write_text(first + "\n")
    path.chmod(0o600)
    env = TRACE | {"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_PARROT_PIN": canary("pin")}
    env |= {"environment": {"FEEDHOST_JWT_SECRET": first}, "file": {"FEEDHOST_JWT_SECRET_FILE": path}, "yaml": {}}[place]
    given = credentials()

    def before(host):
        host.add_user("alice", "parrot")
        host.set_credentials("alice", "parrot", **given)
        if place == "yaml":
            (host.folder / "feedhost.yaml").write_text(f"jwt:\n  secret: {first}\n")

    host = start_host({}, plugins=plugins, env=env, before=before)
    good = token(first)
    private = canary("claim")
    bad = [
        token(second), token(first, exp=1), token(first, exp=None), token(first, sub=None, private=private),
        token(first, nbf=9_999_999_999), token(first, aud=private), token(first, feedhost={"modes": [private]}),
        token(first, broker=private), token(first, sub=private + "\n"), good[:-3], good.replace(".", "!", 1), "x." + good,
    ]
    texts = {f"bad {number}": ask(host, key=key) for number, key in enumerate(bad)}
    assert all("error" in text for text in texts.values())
    texts["alice"] = ask(host, subscribe("NSE:LEAK"), {"action": "subscribe_orders"}, key=good)
    assert "success" in texts["alice"]
    planted = [first, second, private, env["FEEDHOST_PARROT_PIN"], *given.values(), *host.keys.values()]
    if place == "file":
        # Too short a secret, a private key, then another good one.
        for text in [canary("short")[:20], Pair("x").key.decode(), second]:
            said = len(host.stderr)
            replace(path, text.encode())
            path.chmod(0o600)
            wait_until(lambda: len(host.stderr) > said, "what the host says of it")
            planted += [line for line in text.splitlines() if "KEY" not in line]
        wait_until(lambda: "success" in ask(host, key=token(second)), "the new secret")
    texts |= commands(host) | processes(host)
    # Whole, and the half that is secret alone: the signature.
    for each in [good, *bad]:
        planted += [each] + ([each.rsplit(".", 1)[1]] if each.count(".") == 2 else [])
    assert scan(planted, {"crash": crash(host)} | texts | files(host)) == []


# MARK: Accounts of a plugin


def test_provider_that_repeats(start_host, plugins):
    pin, given = canary("pin"), canary("token")
    env = TRACE | {"FEEDHOST_ACCOUNTS": "plugin:io.feedhost.test.parrot", "FEEDHOST_PARROT_PIN": pin, "FEEDHOST_PARROT_TOKEN": given}
    host = start_host({}, plugins=plugins, env=env)
    keys = {name: f"{name}-{canary(name)}" for name in ["alice", "bob", "named", "broken", "fail", "wrong"]}
    texts = {}
    for name, key in keys.items():
        texts[name] = ask(host, subscribe("NSE:LEAK"), {"action": "subscribe_orders"}, key=key)
        assert ("authenticated" in texts[name] or '"success"' in texts[name]) == (name in {"alice", "bob"}), texts[name]
    assert host.stderr.count("‹secret›") > 50 and "whose name is the key" in host.stderr
    texts |= commands(host) | processes(host)
    planted = [pin, given, f"{given}-of-today", *keys.values()]
    assert scan(planted, {"crash": crash(host)} | texts | files(host)) == []


def test_provider_that_does_not_start(tmp_path, plugins):
    pin, given = "stop-" + canary("pin"), canary("token")
    env = TRACE | {"FEEDHOST_ACCOUNTS": "plugin:io.feedhost.test.parrot", "FEEDHOST_PARROT_PIN": pin, "FEEDHOST_PARROT_TOKEN": given}
    host = Host(tmp_path / "host", env=env, plugins=plugins)
    result = host.run(*host.command[1:])
    assert result.returncode != 0 and "does not start as the provider" in result.stderr and "‹secret›" in result.stderr
    assert scan([pin, given], {"error": result.stdout + result.stderr} | commands(host) | files(host)) == []


# MARK: OpenAlgo


def test_openalgo(tmp_path, plugins):
    """Its `.env` and database, logins and logouts, and keys that change; the adapter goes on about all of it."""
    lines = {"BROKER_API_KEY": canary("key"), "BROKER_API_SECRET": canary("secret"), "WEBSOCKET_PORT": "0", "ZMQ_PORT": "0"}
    host = Host(tmp_path / "host", env=TRACE | {"FEEDHOST_PARROT_PIN": canary("pin")}, plugins=plugins)
    openalgo = OpenAlgo(host.folder, lines)
    tokens = [canary(f"token-{number}") for number in range(4)]
    keys = [openalgo.set_key("alice"), openalgo.set_key("bob"), openalgo.set_key("carol", is_readable=False)]
    openalgo.login("alice", "parrot", tokens[0], feed=tokens[1])
    openalgo.login("bob", "simulator", canary("bob"))
    # Written before tokens were encrypted, or damaged.
    openalgo.login("carol", "parrot", "x")
    openalgo.db.execute("UPDATE auth SET auth = ? WHERE name = 'carol'", (tokens[3][::-1],))

    class InFolder(Host):
        @property
        def command(self):
            command = super().command
            at = command.index("--store")
            return command[:at] + command[at + 2:]

    host.__class__ = InFolder
    host.start()
    try:
        texts = {"alice": ask(host, subscribe("NSE:LEAK"), key=keys[0]), "carol": ask(host, key=keys[2])}
        assert '"success"' in texts["alice"], texts
        with Client(host.url, keys[1]) as bob, Client(host.url, keys[0]) as alice:
            alice.send(subscribe("NSE:SBIN"))
            openalgo.login("alice", "parrot", tokens[2])
            wait_until(lambda: "connect number 2" in host.stderr, "the new token")
            openalgo.logout("alice")
            old, keys = keys[0], [*keys, openalgo.set_key("alice")]
            wait_until(lambda: "success" not in ask(host, key=old), "the rotated key")
            bob.subscribe("NSE:SBIN")
            texts["bob"] = json.dumps(bob.drain(0.5))
        texts["rotated"] = ask(host, key=old)
        for number, key in enumerate(malformed(canary("wrong"))):
            texts[f"stranger {number}"] = ask(host, key)
        doctor = host.run("doctor", "--plugins", host.plugins[0])
        texts["doctor"] = doctor.stdout + doctor.stderr
        texts |= processes(host)
        crash(host)
    finally:
        host.kill()
        openalgo.db.close()
    planted = [
        openalgo.pepper, openalgo.salt, *tokens, tokens[3][::-1], *keys, lines["BROKER_API_KEY"], lines["BROKER_API_SECRET"],
        host.environment["FEEDHOST_PARROT_PIN"],
    ]
    found = files(host)
    # OpenAlgo's own file, in which the test itself has left a token that is not encrypted.
    own = {name: text for name, text in found.items() if not name.startswith("db/openalgo.db")}
    assert len(own) < len(found)
    assert scan(planted, texts | own) == []


# MARK: A broker that dies


@pytest.mark.parametrize("broker", ["zerodha", "angel", "flattrade"])
def test_a_broker_that_crashes(start_host, tmp_path, broker):
    given = {"api_key": canary("api").replace("/", "_"), "access_token": canary("access").replace("/", "_")}
    if broker == "angel":
        given["feed_token"] = canary("feed").replace("/", "_")
    venue = Simulator(broker, tmp_path, rate=50, **given).start()
    folder = venue.endpoints["masters"][0]
    master = folder if broker != "flattrade" else folder.rsplit("/", 1)[0]
    settings = {f"{broker}.endpoint": venue.url, f"{broker}.master_endpoint": master}
    host = start_host(
        {"alice": broker}, env=TRACE, settings=settings,
        before=lambda host: host.set_credentials("alice", broker, user_id="SIM001", **given))
    synced = host.run(
        "instruments", "sync", broker, "--user", "alice", "--store", host.store, "--plugins", host.plugins[0],
        *[part for name, value in settings.items() for part in ("--set", f"{name}={value}")], timeout=60)
    texts = {"sync": synced.stdout + synced.stderr}
    with Client(host.url, host.keys["alice"]) as client:
        texts["subscribe"] = json.dumps(client.request(subscribe("NSE:SBIN"), timeout=60))
        lines = len(host.stderr)
        venue.process.kill()
        venue.process.wait()
        venue.process.stdout.close()
        venue.process = None
        wait_until(lambda: host.stderr[lines:].count("onnect") > 2, "the loss, and vain attempts", 60)
        texts["after"] = json.dumps(client.request(subscribe("NSE:INFY"), timeout=60))
    texts |= processes(host)
    host.stop()
    assert scan([*given.values(), *host.keys.values()], texts | files(host)) == []


# MARK: Orders of others


def test_orders_of_others(start_host, plugins):
    """Whose order it is, and nobody else, learns of it; the log does not, at whatever level."""
    number = canary("order")
    host = start_host(
        {"alice": "parrot", "bob": "parrot", "carol": "simulator"}, plugins=plugins, env=TRACE,
        before=lambda host: [host.set_credentials(name, "parrot", **credentials()) for name in ["alice", "bob"]]
        and (host.folder / "feedhost.yaml").write_text(f"adapters:\n  parrot:\n    order: {number}\n"))
    others = {name: Client(host.url, host.keys[name]) for name in ["bob", "carol"]}
    for client in others.values():
        client.request(subscribe("NSE:SBIN"))
    with Client(host.url, host.keys["alice"]) as alice:
        alice.request({"action": "subscribe_orders"})
        update = alice.tick(match=lambda tick: tick["type"] == "order_update")
        assert scan([number], {"alice": json.dumps(update)}), update
        assert "‹secret›" in json.dumps(update, ensure_ascii=False)
    texts = {name: json.dumps([client.drain(0.5), list(client.waiting)]) for name, client in others.items()}
    for client in others.values():
        client.close()
    texts |= commands(host) | processes(host)
    host.stop()
    assert scan([number, *host.keys.values()], texts | files(host)) == []


# MARK: A configuration that is wrong


CURVE = "metadata\ncurve\n    public-key = \"{0}\"\n    secret-key = \"{0}\"\n"


@pytest.mark.parametrize("name, make", [
    ("master key", lambda text, folder: {"FEEDHOST_MASTER_KEY": text}),
    ("short token secret", lambda text, folder: {"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_SECRET": text[-24:]}),
    ("token secret that is a key", lambda text, folder: {
        "FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_SECRET": f"-----BEGIN PRIVATE KEY-----\n{text}\n"}),
    ("file of tokens", lambda text, folder: {
        "FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_SECRET_FILE": put(folder / "f", text[-24:])}),
    ("private key as a public one", lambda text, folder: {
        "FEEDHOST_ACCOUNTS": "jwt",
        "FEEDHOST_JWT_PUBLIC_KEYS": put(folder / "f", f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")}),
    ("key set", lambda text, folder: {
        "FEEDHOST_ACCOUNTS": "jwt",
        "FEEDHOST_JWT_KEY_SET": put(folder / "f", json.dumps({"keys": [{"kty": "oct", "kid": "1", "k": text}]}))}),
    ("no key set", lambda text, folder: {"FEEDHOST_ACCOUNTS": "jwt", "FEEDHOST_JWT_KEY_SET": put(folder / "f", text)}),
    ("TLS key", lambda text, folder: {
        "FEEDHOST_LISTEN": "wss://127.0.0.1:0", "FEEDHOST_TLS_CERTIFICATE": put(folder / "c", Pair("x").certificate.decode()),
        "FEEDHOST_TLS_KEY": put(folder / "f", f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")}),
    ("TLS key as the certificate", lambda text, folder: {
        "FEEDHOST_LISTEN": "wss://127.0.0.1:0", "FEEDHOST_TLS_CERTIFICATE": put(folder / "f", text),
        "FEEDHOST_TLS_KEY": put(folder / "g", text)}),
    ("CURVE key", lambda text, folder: {
        "FEEDHOST_BUS_CERTIFICATE": put(folder / "f", CURVE.format(text)), "FEEDHOST_BUS_CLIENTS": str(folder)}),
    ("CURVE key without quotes", lambda text, folder: {
        "FEEDHOST_BUS_CERTIFICATE": put(folder / "f", CURVE.format(text).replace('"', "")), "FEEDHOST_BUS_CLIENTS": str(folder)}),
    ("key file", lambda text, folder: {"FEEDHOST_KEY_FILE": put(folder / "f", text)}),
    ("OpenAlgo's pepper", lambda text, folder: {
        "FEEDHOST_ACCOUNTS": "openalgo", "API_KEY_PEPPER": text[-24:], "DATABASE_URL": "sqlite:///nowhere.db"}),
    ("OpenAlgo's database", lambda text, folder: {
        "FEEDHOST_ACCOUNTS": "openalgo", "API_KEY_PEPPER": text * 2, "DATABASE_URL": f"mysql://u:{text}@h/d"}),
    ("setting of nobody", lambda text, folder: {"FEEDHOST_PARROTT_PIN": text}),
    ("setting that there is not", lambda text, folder: {"FEEDHOST_PARROT_PINN": text}),
    ("setting with a slip", lambda text, folder: {"FEEDHOST_MASTER_KY": text}),
    ("yaml", lambda text, folder: put(folder / "feedhost.yaml", f"jwt:\n  secret: [{text}\n") and {}),
    ("yaml list", lambda text, folder: put(folder / "feedhost.yaml", f"jwt:\n  secret: [{text}, {text}]\n") and {}),
    ("yaml section", lambda text, folder: put(folder / "feedhost.yaml", f"accounts:\n  master_key:\n    x: {text}\n") and {}),
    ("yaml adapter", lambda text, folder: put(folder / "feedhost.yaml", f"adapters:\n  parrot:\n    pin: [{text}]\n") and {}),
    ("yaml text", lambda text, folder: put(folder / "feedhost.yaml", f"{text}\n") and {}),
    ("env file", lambda text, folder: put(folder / ".env", f"FEEDHOST_MASTER_KEY='{text}\nX {text}\n") and {}),
])
def test_wrong_configurations(tmp_path, plugins, name, make):
    text = canary(name.replace(" ", "-"))
    folder = tmp_path / "host"
    folder.mkdir()
    host = Host(folder, env=TRACE | make(text, folder), plugins=plugins)
    texts = {}
    for command in [host.command[1:], ["doctor", "--plugins", host.plugins[0]], ["users", "list"], ["credentials", "list"]]:
        more = [] if command[0] in {"serve", "doctor"} else ["--store", host.store]
        process = subprocess.Popen(
            [host.command[0], *map(str, [*command, *more])], cwd=folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=host.environment | {"ZMQ_PORT": "0"})
        try:
            process.wait(3 if command[0] == "serve" else 30)
        except subprocess.TimeoutExpired:
            # What is wrong may be no reason not to start.
            assert command[0] == "serve", command
            process.terminate()
        output, errors = process.communicate(timeout=DEADLINE)
        texts[command[0]] = output + errors
    assert texts["serve"] and texts["doctor"]
    # Of a secret that was cut by the test, the part that the host has got.
    assert scan([text, text[-24:]], texts | {name: content for name, content in files(host).items() if name not in "fgc"}) == []
