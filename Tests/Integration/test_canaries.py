"""A canary in every place where a secret can enter, plugins that repeat all they are lent, and every way in which the host
says something: nothing of a canary may be found anywhere, in no encoding."""

from __future__ import annotations

import base64
import json
import secrets

import pytest
from zmq.auth import load_certificate

from canaries import ask, commands, crash, CREDENTIALS, credentials, files, folder, plugins, processes, put, subscribe  # noqa: F401
from certificates import Pair, replace
from client import Client
from host import Host, wait_until
from master_server import MasterServer
from test_redaction import TRACE, canary, malformed, scan

# MARK: The search itself


def test_a_planted_canary_is_found(start_host, plugins):
    """An order number is no secret, a setting that is not declared as one neither: both get through, and are found."""
    planted = canary("planted")
    host = start_host({"alice": "parrot"}, plugins=plugins, env=TRACE, settings={"parrot.order": planted})
    assert scan([planted], processes(host)), "the user has put it there"
    with Client(host.url, host.keys["alice"]) as client:
        client.request({"action": "subscribe_orders"})
        update = client.tick(match=lambda message: message["type"] == "order_update")
        assert scan([planted], {"alice": json.dumps(update)})
    host.stop()
    for name in ["a.db", "deep/er.json", "x.txt"]:
        path = host.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x00\xff" + base64.b64encode(b"user:" + planted.encode()) + b"\x00")
        assert scan([planted], files(host)) == [f"{planted} in {name}"]
        path.unlink()
    assert not scan([planted], files(host))


def test_the_parrot_speaks(start_host, plugins):
    """Its lines come through with the secrets taken out: else the tests below would search where nothing is said."""
    host = start_host(
        {"alice": "parrot"}, plugins=plugins, env=TRACE | {"FEEDHOST_PARROT_PIN": canary("pin")},
        before=lambda host: host.set_credentials("alice", "parrot", **credentials()))
    reply = ask(host, subscribe("NSE:LEAK"), key=host.keys["alice"])
    assert "plain ‹secret› hex ‹secret› base64" in json.loads(reply)[1]["subscriptions"][0]["message"], reply
    said = host.stderr
    for form in ["plain", "hex", "url", "json"]:
        assert said.count(f"{form} ‹secret›") >= len(CREDENTIALS) + 1, said
    assert "xxx‹secret›" in said
    for level in ["trace", "debug", "info", "warning", "error"]:
        assert any(level in line.lower() and "‹secret›" in line for line in said.splitlines()), level


# MARK: The own store


def test_own_store(start_host, plugins, tmp_path):
    """API keys, broker credentials, settings of adapters, the master key, TLS and CURVE keys, through all kinds of trouble."""
    master, pin, defaults = secrets.token_hex(32), canary("pin"), {n: canary(n) for n in ["BROKER_API_KEY", "BROKER_API_SECRET"]}
    pair, second = Pair("first"), Pair("second")
    tls, keys = tmp_path / "tls", Host(tmp_path / "keys")
    tls.mkdir()
    pair.install(tls)
    for name in ["host", "reader"]:
        assert keys.run("bus", "keygen", name).returncode == 0
    (keys.folder / "clients").mkdir()
    (keys.folder / "reader.key").rename(keys.folder / "clients" / "reader.key")
    masters = MasterServer()
    days = [credentials(day) for day in range(3)]
    env = TRACE | defaults | {
        "FEEDHOST_MASTER_KEY": master, "FEEDHOST_TLS_CERTIFICATE": tls / "live.pem", "FEEDHOST_TLS_KEY": tls / "live.key",
        "FEEDHOST_BUS_CERTIFICATE": keys.folder / "host.key_secret", "FEEDHOST_BUS_CLIENTS": keys.folder / "clients",
        "FEEDHOST_MAGPIE_MASTER": masters.url, "FEEDHOST_MAGPIE_PIN": pin,
    }
    master_credentials = credentials(9)

    def before(host):
        (host.folder / "feedhost.yaml").write_text(f"adapters:\n  parrot:\n    pin: {pin}\n    order: '77'\n")
        host.set_credentials("alice", "parrot", **days[0])
        host.set_credentials("alice", "magpie", **master_credentials)

    host = start_host(
        {"alice": "parrot", "bob": "simulator"}, plugins=plugins, env=env, arguments=["--listen", "wss://127.0.0.1:0"],
        before=before)
    planted = [master, pin, *defaults.values(), *host.keys.values(), *(v for day in [*days, master_credentials] for v in day.values())]
    planted += [line for each in (pair, second) for line in each.key.decode().splitlines() if len(line) > 20 and "KEY" not in line]
    planted += [load_certificate(keys.folder / f"{name}.key_secret")[1].decode() for name in ["host", "reader"]]
    texts = {}
    bob = Client(host.url, host.keys["bob"])
    bob.subscribe("NSE:SBIN")
    alice = Client(host.url, host.keys["alice"])
    told = [alice.request(subscribe(name)) for name in ["NSE:SBIN", "NSE:LEAK"]]
    told.append(alice.request({"action": "subscribe_orders"}))
    # Credentials change while the adapter goes on about those of before.
    for number, day in enumerate(days[1:], 2):
        host.set_credentials("alice", "parrot", **day)
        wait_until(lambda: f"this was connect number {number}" in host.stderr, "the new credentials")
    host.set_credentials("alice", "parrot", access_token="refused" + days[2]["access_token"])
    wait_until(lambda: "refused the credentials" in host.stderr, "the refusal")
    # Files that are read again: first rubbish with a secret in it, then good ones.
    rubbish = canary("rubbish")
    planted.append(rubbish)
    replace(tls / "live.key", f"-----BEGIN PRIVATE KEY-----\n{rubbish}\n-----END PRIVATE KEY-----\n".encode())
    (keys.folder / "clients" / "bad.key").write_text(f"curve\n    public-key = {rubbish}\n    secret-key = \"{rubbish}\"\n")
    wait_until(lambda: "certificate is not used" in host.stderr, "the rubbish")
    second.install(tls)
    wrong = [canary(f"wrong-{number}") for number in range(len(malformed("x")))]
    planted += wrong
    for number, key in enumerate(wrong):
        # Who makes a key the name of an action may be told that there is no such action.
        texts[f"stranger {number}"] = ask(host, malformed(key)[number]).replace(key, "")
    # A master that cannot be read, and one that is not there.
    for number, answer in enumerate([b"rubbish", b"cut", 403, 500]):
        masters.answers = {f"/parrot.csv?token={master_credentials['access_token']}": answer}
        result = host.run(
            "instruments", "sync", "magpie", "--user", "alice", "--store", host.store, "--plugins", host.plugins[0], timeout=60)
        assert result.returncode != 0
        texts[f"sync {number}"] = result.stdout + result.stderr
    assert len(masters.requests) == 4 and "‹secret› ‹secret›" in texts["sync 0"], texts["sync 0"]
    masters.close()
    for name in ["alice", "nobody"]:
        result = host.run("credentials", "set", name, "--broker", "parrot", rubbish, "--store", host.store)
        texts[f"set {name}"] = result.stdout + result.stderr
    texts |= commands(host) | processes(host)
    told += list(alice.waiting)
    texts |= {"alice": json.dumps(told), "bob": json.dumps(bob.drain(1))}
    wait_until(lambda: (host.folder / "stats.json").exists(), "the counters")
    host.run("keys", "revoke", "--user", "alice", "--store", host.store)
    assert alice.closed(10)[0]
    bob.close()
    assert scan(planted, {"crash": crash(host)} | texts | files(host)) == []


@pytest.mark.parametrize("place", ["file", "beside"])
def test_master_key_in_a_file(start_host, plugins, tmp_path, place):
    key = secrets.token_hex(32)
    path = tmp_path / "master.key"
    env = TRACE | ({"FEEDHOST_KEY_FILE": str(path)} if place == "file" else {})

    host = Host(tmp_path / "host", env=env, plugins=plugins)
    target = path if place == "file" else host.folder / "store.db.key"
    target.write_text(key + "\n")
    target.chmod(0o600)
    host.add_user("alice", "parrot")
    given = credentials()
    host.set_credentials("alice", "parrot", **given)
    host.start()
    texts = {"alice": ask(host, subscribe("NSE:LEAK"), key=host.keys["alice"])} | processes(host)
    # Another key, one that is none, one that everybody can read, none at all.
    other, none = secrets.token_hex(32), canary("none")
    for number, (text, mode) in enumerate([(other, 0o600), (none, 0o600), (key, 0o644)]):
        target.write_text(text)
        target.chmod(mode)
        texts |= {f"{number} {name}": text for name, text in commands(host).items()}
        texts[f"{number} alice"] = ask(host, key=host.keys["alice"])
    target.write_text(key)
    target.chmod(0o600)
    rotated = host.run("credentials", "rotate-key", "--store", host.store)
    texts["rotate"] = rotated.stdout + rotated.stderr
    assert rotated.returncode == 0, texts["rotate"]
    new = target.read_text().strip()
    texts["crash"] = crash(host)
    planted = [key, other, none, new, *given.values(), *host.keys.values()]
    assert scan(planted, texts | files(host)) == []
