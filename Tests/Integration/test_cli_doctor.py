"""What `feedhost doctor` says of listeners, certificates, tokens and keys of the bus."""

from __future__ import annotations

import os
import socket

import pytest

from certificates import Pair
from host import Host, plugins_folder


@pytest.fixture
def doctor(tmp_path):
    """Runs the doctor with an environment: its status, and its lines by what they are about."""
    def run(**env):
        host = Host(tmp_path / "home", env=env)
        result = host.run("doctor", "--store", host.store, "--plugins", plugins_folder(), "--port", 0)
        assert not result.stderr, result.stderr
        lines: dict[str, list[str]] = {}
        for line in result.stdout.splitlines()[:-1]:
            level, _, rest = line.partition(" ")
            what, _, text = rest.strip().partition(": ")
            lines.setdefault(what, []).append(f"{level} {text}")
        return result.returncode, lines
    return run


def sentence(lines, what: str) -> str:
    assert len(lines.get(what, [])) == 1, lines
    return lines[what][0]


# MARK: Listeners


def test_listeners_that_are_free(doctor, tmp_path):
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
        left.listen()
    assert stale.is_socket(), "it stays when its process has gone"
    code, lines = doctor(FEEDHOST_LISTEN=f"ws://127.0.0.1:0,ws://[::1]:0,unix:{stale},unix:{tmp_path / 'new'}")
    assert code == 0 and [line.split()[0] for line in lines["listener"]] == ["ok"] * 4, lines
    assert stale.is_socket() and not (tmp_path / "new").exists(), "looking leaves everything as it was"


def test_a_port_that_is_taken(doctor):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = doctor(FEEDHOST_LISTEN=f"ws://127.0.0.1:{port}")
    text = sentence(lines, "listener")
    assert code == 1 and text.startswith(f"WRONG ws://127.0.0.1:{port} (environment variable FEEDHOST_LISTEN) is taken by ")
    assert f"(process {os.getpid()})" in text


def test_a_unix_socket_that_is_taken(doctor, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        code, lines = doctor(FEEDHOST_LISTEN=f"unix:{path}")
    assert code == 1 and "is taken by " in sentence(lines, "listener")
    assert f"(process {os.getpid()})" in sentence(lines, "listener")


def test_a_unix_socket_of_another_host(doctor, start_host, tmp_path):
    """Its file was renamed after it was bound, so the kernel's table has another name."""
    path = tmp_path / "s"
    host = start_host(arguments=["--listen", f"unix:{path}"])
    code, lines = doctor(FEEDHOST_LISTEN=f"unix:{path}")
    assert code == 1 and f"feedhost (process {host.process.pid})" in sentence(lines, "listener")


@pytest.mark.parametrize(("url", "words"), [
    ("unix:{folder}/no/such/s", "the folder {folder}/no/such does not exist"),
    ("unix:{folder}/file", "is there and is not a socket"),
    ("ws://192.0.2.1:0", "192.0.2.1 is no address of this machine"),
    ("ws://nobody.invalid:0", "is no address and no name of this machine"),
    ("ws://127.0.0.1:{port},ws://0.0.0.0:{port}", "another listener has that place"),
    ("unix:{folder}/s,unix:{folder}/s?mode=0600", "another listener has that place"),
])
def test_places_that_cannot_be_had(doctor, tmp_path, url, words):
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    named = {"folder": tmp_path, "port": port}
    code, lines = doctor(FEEDHOST_LISTEN=url.format(**named))
    assert code == 1 and words.format(**named) in lines["listener"][-1], lines


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(doctor):
    assert "may not write" in sentence(doctor(FEEDHOST_LISTEN="unix:/s")[1], "listener")


# MARK: Certificates


@pytest.fixture
def tls(tmp_path):
    def install(pair: Pair, key: bytes | None = None, mode: int = 0o600) -> dict:
        (tmp_path / "c.pem").write_bytes(pair.certificate)
        (tmp_path / "c.key").write_bytes(key or pair.key)
        (tmp_path / "c.key").chmod(mode)
        return {"FEEDHOST_TLS_CERTIFICATE": tmp_path / "c.pem", "FEEDHOST_TLS_KEY": tmp_path / "c.key",
                "FEEDHOST_LISTEN": "wss://127.0.0.1:0"}
    return install


def test_a_good_certificate(doctor, tls):
    code, lines = doctor(**tls(Pair("good", ends=90)))
    assert code == 0 and sentence(lines, "certificate").startswith("ok ") and "until 20" in sentence(lines, "certificate")


@pytest.mark.parametrize(("pair", "code", "level", "words"), [
    (Pair("expired", begins=-9, ends=-1), 1, "WRONG", "has expired"),
    (Pair("soon", ends=5.5), 0, "note", "in 5 days"),
    (Pair("today", ends=0.5), 0, "note", "in 0 days"),
    (Pair("later", begins=3, ends=90), 1, "WRONG", "counts from 20"),
])
def test_when_a_certificate_counts(doctor, tls, pair, code, level, words):
    status, lines = doctor(**tls(pair))
    assert status == code and level in sentence(lines, "certificate") and words in sentence(lines, "certificate"), lines


def test_a_key_of_another_certificate(doctor, tls):
    code, lines = doctor(**tls(Pair("one", ends=90), Pair("two").key))
    assert code == 1 and "do not belong together" in sentence(lines, "certificate")


def test_a_key_that_everybody_can_read(doctor, tls):
    code, lines = doctor(**tls(Pair("open", ends=90), mode=0o644))
    assert code == 0 and any("note every user of this machine can read" in line and "chmod o-r" in line
                             for line in lines["certificate"]), lines


def test_files_that_are_not_there(doctor, tls, tmp_path):
    env = tls(Pair("gone", ends=90))
    (tmp_path / "c.key").write_text("CANARY")
    code, lines = doctor(**env)
    assert code == 1 and "does not hold a private key" in sentence(lines, "certificate") and "CANARY" not in str(lines)
    (tmp_path / "c.pem").unlink()
    code, lines = doctor(**env)
    assert code == 1 and "c.pem cannot be read: No such file" in sentence(lines, "certificate")


def test_a_certificate_that_nobody_uses(doctor, tls):
    code, lines = doctor(**tls(Pair("idle", ends=90)) | {"FEEDHOST_LISTEN": "ws://127.0.0.1:0"})
    assert code == 0 and any("no listener is wss://" in line for line in lines["certificate"])


# MARK: Tokens


def jwt(**env) -> dict:
    return {"FEEDHOST_ACCOUNTS": "jwt"} | env


def test_a_secret_in_a_file(doctor, tmp_path):
    (tmp_path / "secret").write_text("CANARY" * 8)
    (tmp_path / "secret").chmod(0o600)
    env = jwt(FEEDHOST_JWT_SECRET_FILE=tmp_path / "secret", FEEDHOST_JWT_ISSUER="here")
    code, lines = doctor(**env)
    assert code == 0 and lines["tokens"] == ["ok users are those of signed tokens: HS256"], lines
    (tmp_path / "secret").chmod(0o644)
    code, lines = doctor(**env)
    assert code == 0 and "chmod 600" in str(lines["tokens"]) and "CANARY" not in str(lines)
    (tmp_path / "secret").write_text("CANARY")
    code, lines = doctor(**env)
    assert code == 1 and "32 bytes or more, and this has 6" in sentence(lines, "accounts") and "CANARY" not in str(lines)


@pytest.mark.parametrize(("text", "words"), [
    ("{", "is no JWK set"), ('{"keys": []}', "holds no key for RS256"),
    ('{"keys": [{"kty": "oct", "k": "CANARY"}]}', "holds a private key or a secret"), (None, "cannot be read: No such file"),
])
def test_a_key_set(doctor, tmp_path, text, words):
    if text is not None:
        (tmp_path / "set.json").write_text(text)
    code, lines = doctor(**jwt(FEEDHOST_JWT_KEY_SET=tmp_path / "set.json"))
    assert code == 1 and words in sentence(lines, "accounts") and "CANARY" not in str(lines), lines


def test_a_list_of_revoked_tokens_that_is_not_there(doctor, tmp_path):
    code, lines = doctor(**jwt(FEEDHOST_JWT_SECRET="CANARY" * 8, FEEDHOST_JWT_REVOKED=tmp_path / "revoked"))
    assert code == 1 and "revoked cannot be read" in sentence(lines, "accounts")


# MARK: Keys of the bus


def test_keys_of_the_bus(doctor, tmp_path):
    maker = Host(tmp_path / "keys")
    for name in ("host", "feed"):
        assert maker.run("bus", "keygen", name).returncode == 0
    (maker.folder / "clients").mkdir()
    env = {"FEEDHOST_BUS_CERTIFICATE": maker.folder / "host.key_secret", "FEEDHOST_BUS_CLIENTS": maker.folder / "clients"}
    code, lines = doctor(**env)
    assert code == 0 and "nobody may connect to the bus" in sentence(lines, "bus keys")
    (maker.folder / "feed.key").rename(maker.folder / "clients/feed.key")
    code, lines = doctor(**env)
    assert code == 0 and sentence(lines, "bus keys").startswith("ok 1 may connect")
    (maker.folder / "clients/broken.key").write_text("CANARY")
    code, lines = doctor(**env)
    assert code == 1 and "broken.key is left out" in str(lines["bus keys"]) and "CANARY" not in str(lines)
    (maker.folder / "clients/broken.key").unlink()
    (maker.folder / "host.key_secret").chmod(0o644)
    code, lines = doctor(**env)
    assert code == 1 and "chmod 600" in sentence(lines, "bus keys")
    code, lines = doctor(FEEDHOST_BUS_CERTIFICATE=maker.folder / "host.key")
    assert code == 1 and "bus.curve.clients is not" in sentence(lines, "bus keys")
