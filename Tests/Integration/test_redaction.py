"""Canaries: secrets that are recognised wherever they turn up, in every place where a secret can enter; then everything
that the host writes, sends or shows is searched for them."""

from __future__ import annotations

import base64
import json
import secrets
import socket
from urllib.parse import quote

import pytest
from host import SECRET, SHOWN, Host, forms, wait_until
from simulator import Simulator
from test_openalgo_swap import OpenAlgo

TRACE = {"LOG_LEVEL": "trace", "WS_PROXY_STATS_FILE": "stats.json", "FEEDHOST_INSTRUMENTS_REFRESH": "never"}


def canary(place: str) -> str:
    """A secret that names the place where it enters, with characters that encodings change."""
    return f"CANARY/{place}+{secrets.token_hex(12)}"


def scan(canaries, texts: dict[str, str]) -> list[str]:
    """Which canary is found where, in whatever encoding."""
    return [
        f"{each} in {name}" for each in canaries for name, text in texts.items()
        if any(form in text for form in forms(each))
    ]


def test_the_scan_finds():
    """A search that cannot find proves nothing."""
    each = canary("scan")
    for text in [each, quote(each, safe=""), each.encode().hex(), f'{{"a": {json.dumps(each)}}}']:
        assert scan([each], {"log": f"so {text} it is"})
    for shift in range(3):
        assert scan([each], {"log": base64.b64encode(b"p" * shift + each.encode() + b"tail").decode()})
    assert not scan([each], {"log": canary("other")})


def test_what_is_searched_for_after_every_test(tmp_path):
    """With FEEDHOST_TEST_LOG_LEVEL, whatever a host was given; not what every text may hold."""
    host = Host(tmp_path / "host")
    kinds = {name: canary(name) for name in sorted(SECRET)} | {name: canary(name) for name in ["key", "credential", "shown", "dot"]}
    host.environment |= {name: kinds[name] for name in SECRET - {"FERNET_SALT"}} | {"OTHER": "12345678-not-secret"}
    (host.folder / ".env").write_text(f"FERNET_SALT = '{kinds['FERNET_SALT']}'  # ours\nBROKER_API_KEY={kinds['dot']}\n")
    for name, text in {
        "FEEDHOST_TLS_KEY": "-----BEGIN PRIVATE KEY-----\n{0}\n-----END PRIVATE KEY-----\n",
        "FEEDHOST_BUS_CERTIFICATE": 'curve\n    public-key = "x"\n    secret-key = "{0}"\n',
        "FEEDHOST_KEY_FILE": "{0}\n", "FEEDHOST_JWT_SECRET_FILE": "{0}\n",
    }.items():
        kinds[name] = canary(name)
        (host.folder / name).write_text(text.format(kinds[name]))
        host.environment[name] = name
    (host.folder / "store.db.key.old").write_text(kinds["key"])
    host.secrets |= {kinds["credential"], "short", "0" * 64}
    SHOWN.append(kinds["shown"])
    assert set(kinds.values()) <= host.held()
    assert not host.held() & {"short", "0" * 64, "12345678-not-secret"}
    assert host.found(f"so {quote(kinds['FEEDHOST_TLS_KEY'], safe='')} it is") == ["CAN…"]
    host.stderr_file.write_text(kinds["FEEDHOST_JWT_SECRET_FILE"].encode().hex())
    assert host.leaks() == ["stderr.txt: CAN…"]


def written(host: Host) -> dict[str, str]:
    """Everything that this host has written but for its store."""
    texts = {
        str(path.relative_to(host.folder)): path.read_text(errors="replace")
        for path in host.folder.glob("**/*") if path.is_file() and path.suffix in {".txt", ".json", ".log"}
    }
    return texts


def shown(host: Host) -> dict[str, str]:
    """What commands of this host show."""
    texts = {}
    for command in [
        ["doctor"], ["doctor", "--settings"], ["--help"], ["serve", "--help"], ["plugins", "list"],
        ["plugins", "list", "--json"], ["users", "list"], ["keys", "list"], ["credentials", "list"],
    ]:
        more = ["--store", host.store] if command[0] in {"doctor", "users", "keys", "credentials"} else []
        result = host.run(*command, *more)
        texts[" ".join(command)] = result.stdout + result.stderr
    return texts


def malformed(key: str) -> list:
    """Ways to show a key wrongly."""
    return [
        {"action": "authenticate", "api_key": key},
        {"action": "authenticate", "api_key": [key]},
        {"action": "authenticate", "api_key": {"value": key}},
        {"action": "authenticate", "api_key": key + "\u0000"},
        {"action": "authenticate", "api_key": key * 400},
        {"action": "authenticate", "apikey": key},
        {"action": "authenticate", "token": key},
        {"action": "authenticate " + key},
        {"action": key, "api_key": key},
        {"type": "authenticate", "api_key": key},
        {"api_key": key},
        {key: "api_key"},
        [key],
        key,
        json.dumps({"action": "authenticate", "api_key": key})[:-2],
        '{"action": "authenticate", "api_key": "' + key + '" ' + key,
        key.encode(),
        {"action": "subscribe", "api_key": key, "symbols": [{"exchange": "NSE", "symbol": "SBIN"}], "mode": "LTP"},
        {"action": "subscribe", "symbols": [{"exchange": "NSE", "symbol": "SBIN", "api_key": key}], "mode": "LTP"},
    ]


def test_keys_of_clients(start_host, connect):
    host = start_host({"alice": "simulator", "bob": "simulator"}, env=TRACE)
    bob = connect(host, "bob")
    bob.subscribe("NSE:SBIN")
    for message in malformed(host.keys["alice"]):
        client = connect(host)
        client.send(message)
    wrong = [canary(f"key{number}") for number in range(len(malformed("x")))]
    for number, key in enumerate(wrong):
        client = connect(host)
        client.send(malformed(key)[number])
    others = json.dumps(bob.drain(1))
    bob.round_trip()
    assert host.is_running
    host.stop()
    found = scan([*wrong, *host.keys.values()], written(host) | shown(host) | {"what bob got": others})
    assert found == []


def test_keys_in_the_handshake(start_host):
    host = start_host(env=TRACE)
    places = {
        name: canary(name) for name in ["query", "path", "bearer", "basic", "cookie", "header", "protocol", "agent", "origin"]
    }
    basic = base64.b64encode(f"alice:{places['basic']}".encode()).decode()
    request = (
        f"GET /{quote(places['path'])}?api_key={quote(places['query'])} HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {places['bearer']}\r\nProxy-Authorization: Basic {basic}\r\n"
        f"Cookie: session={places['cookie']}\r\nX-API-Key: {places['header']}\r\n"
        f"User-Agent: {places['agent']}\r\nSec-WebSocket-Protocol: {quote(places['protocol'], safe='')}\r\n")
    answers = []
    # As it should be; not an upgrade; too long; not HTTP at all; not ended.
    for text in [
        request + "\r\n", request.replace("Upgrade: websocket\r\n", "") + "\r\n",
        request + f"X-Long: {places['header'] * 2000}\r\n\r\n", places["query"] + "\r\n\r\n",
        request.replace("GET", "PUT") + "\r\n", request + f"Origin: https://{places['origin']}\r\n\r\n",
    ]:
        with socket.create_connection(("127.0.0.1", host.port), timeout=5) as connection:
            try:
                connection.sendall(text.encode())
                connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    answers.append(chunk.decode(errors="replace"))
            except ConnectionError:
                # What breaks the protocol may be cut off before it is read to its end.
                pass
    host.stop()
    assert scan(places.values(), written(host) | {"answers": "".join(answers)}) == []


def test_credentials_of_the_command_line(start_host, tmp_path):
    host = Host(tmp_path / "cli", env=TRACE)
    host.add_user("alice", "simulator")
    given = {name: canary(name) for name in ["api_key", "api_secret", "access_token", "feed_token", "other"]}
    host.set_credentials("alice", "simulator", **given)
    outputs = {}
    flags = {name: canary("flag") for name in ["api_key", "api_secret"]}
    for number, (arguments, stdin) in enumerate([
        ([f"{name}={value}" for name, value in flags.items()], None),
        ([given["other"]], None),
        ([f"={given['other']}"], None),
        ([f"api_key={given['api_key']}", f"api_key={given['other']}"], None),
        ([f"Bad Name {given['other']}=x"[:8], "--nonsense"], None),
        (["--stdin"], json.dumps({"api_key": [given["other"]]})),
        (["--stdin"], '{"api_key": "' + given["other"]),
        (["--stdin"], given["other"]),
    ]):
        result = host.run(
            "credentials", "set", "alice", "--broker", "simulator", "--force", *arguments, "--store", host.store, stdin=stdin)
        outputs[f"number {number}"] = result.stdout + result.stderr
    wrong = host.run("keys", "revoke", given["other"], "--store", host.store)
    outputs["revoke"] = wrong.stdout + wrong.stderr
    host.start()
    host.stop()
    assert scan([*given.values(), *flags.values(), *host.keys.values()], outputs | written(host) | shown(host)) == []


@pytest.mark.parametrize("source", ["environment", ".env", "yaml"])
def test_secrets_in_settings(tmp_path, source):
    names = ["BROKER_API_KEY", "BROKER_API_SECRET", "BROKER_API_KEY_MARKET", "BROKER_API_SECRET_MARKET"]
    values = {name: canary(name) for name in names}
    values |= {
        "DATABASE_URL": f"postgresql://user:{quote(canary('database'), safe='')}@db.example/openalgo",
        "LOGS_DATABASE_URL": f"mysql://user:{quote(canary('logs'), safe='')}@db.example/logs",
        "API_KEY_PEPPER": canary("pepper") * 2, "FERNET_SALT": canary("salt"),
    }
    # Whoever mistypes a name or makes a line that is none has still written down a secret.
    lines = [f"{name} = '{value}'" for name, value in values.items()]
    slips = {"BROKER_API_KY": canary("slip"), "unended": canary("unended")}
    lines += [f"BROKER_API_KY = '{slips['BROKER_API_KY']}'", f"not a line {slips['unended']}", f"X = '{slips['unended']}"]
    environment = {}
    folder = tmp_path / "host"
    folder.mkdir()
    match source:
        case "environment":
            environment = values
        case ".env":
            (folder / ".env").write_text("\n".join(lines) + "\n")
        case "yaml":
            keys = ["api_key", "api_secret", "api_key_market", "api_secret_market"]
            (folder / "feedhost.yaml").write_text(
                "broker:\n" + "".join(f"  {key}: {values[name]}\n" for key, name in zip(keys, names)))
    host = Host(folder, env=TRACE | environment | {"FEEDHOST_ACCOUNTS": "sqlite"})
    host.add_user("alice", "simulator")
    host.start()
    host.stop()
    outputs = written(host) | shown(host)
    outputs.pop(".env", None)
    # As OpenAlgo's: the database cannot be used, and that is said without its password.
    refused = Host(tmp_path / "refused", env=TRACE | values | {"FEEDHOST_ACCOUNTS": "openalgo"})
    outputs["refused"] = "".join((lambda end: end.stdout + end.stderr)(refused.run("serve", "--port", "0")))
    passwords = [value.split(":")[2].split("@")[0] for name, value in values.items() if name.endswith("DATABASE_URL")]
    secret = [value for name, value in values.items() if not name.endswith("DATABASE_URL")]
    assert scan([*secret, *passwords, *slips.values()], outputs) == []


def test_secrets_of_openalgo(tmp_path):
    folder = tmp_path / "host"
    openalgo = OpenAlgo(folder, {"BROKER_API_KEY": canary("openalgo")})
    key = openalgo.set_key("alice")
    (tmp_path / "plugins").mkdir()
    host = Host(folder, env=TRACE, plugins=[tmp_path / "plugins"])
    process = host.run("doctor")
    outputs = {"doctor": process.stdout + process.stderr}
    assert scan([openalgo.pepper, openalgo.salt, key], outputs) == []


@pytest.mark.parametrize("broker", ["zerodha", "angel", "flattrade"])
def test_a_token_that_the_broker_refuses(start_host, connect, tmp_path, broker):
    """Kite's token is in the URL that the adapter dials."""
    venue = Simulator(broker, tmp_path, rate=50).start()
    try:
        given = {name: canary(name) for name in ["api_key", "access_token", "feed_token"]}
        folder = venue.endpoints["masters"][0]
        master = folder if broker != "flattrade" else folder.rsplit("/", 1)[0]
        token = canary("master").replace("/", "").replace("+", "")
        settings = {f"{broker}.endpoint": venue.url, f"{broker}.master_endpoint": master}
        host = start_host(
            {"alice": broker, "bob": "simulator"}, env=TRACE, settings=settings,
            before=lambda host: host.set_credentials("alice", broker, user_id="SIM001", **given))
        bob = connect(host, "bob")
        bob.subscribe("NSE:SBIN")
        client = connect(host)
        answers = [client.request({"action": "authenticate", "api_key": host.keys["alice"]}, timeout=60)]
        answers.append(client.request(
            {"action": "subscribe", "symbols": [{"exchange": "NSE", "symbol": "SBIN"}], "mode": "LTP"}, timeout=60))
        wait_until(lambda: "refused" in host.stderr or "error" in host.stderr, "the refusal", 60)
        outputs = {"sync": host.run(
            "instruments", "sync", broker, "--store", host.store, "--plugins", host.plugins[0],
            "--set", f"{broker}.master_endpoint={master}?token={token}", *flags(settings, broker), timeout=60).stderr}
        outputs["bob"] = json.dumps(bob.drain(0.5))
        host.stop()
        outputs |= written(host) | {"answers": json.dumps(answers)}
        outputs = {name: text for name, text in outputs.items() if not name.startswith("simulator-")}
        assert scan([*given.values(), token, *host.keys.values()], outputs) == []
    finally:
        venue.stop()


def flags(settings: dict[str, str], broker: str) -> list[str]:
    return [part for name, value in settings.items() if not name.endswith("master_endpoint") for part in ("--set", f"{name}={value}")]
