"""What the blocks of docs/accounts.md and docs/authentication.md do."""

from __future__ import annotations

import base64
import json
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from documents import Block
from documents_adapters import examples
from documents_page import Page
from documents_readme import SIMULATED


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

# MARK: docs/authentication.md


def jwt_settings(page: Page, block: Block) -> None:
    """The files that it names are there, in another folder than /etc."""
    page.installed()
    folder = page.home / "etc"
    folder.mkdir()
    page.signer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = page.signer.public_key().public_numbers()
    key = {"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", "e": "AQAB",
           "n": encode(numbers.n.to_bytes(256, "big"))}
    (folder / "keys.json").write_text(json.dumps({"keys": [key]}))
    (folder / "revoked").write_text("")
    page.jwt = block.text.replace("/etc/feedhost", str(folder))
    assert page.jwt != block.text
    said = page.accepts(block, page.jwt)
    assert "key set" in said or "RS256" in said, said


def claims(page: Page, block: Block) -> None:
    """As a token it lets in, allows what is listed and nothing else; on the list of revoked ones it ends."""
    text = encode(b'{"alg":"RS256","kid":"one"}') + "." + encode(block.text.encode())
    token = text + "." + encode(page.signer.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))
    venue = page.simulate("zerodha")
    page.command("feedhost users add alice --broker zerodha\n"
                 "feedhost credentials set alice --broker zerodha api_key=simkey access_token=simtoken")
    page.settings(page.jwt + page.leading_to(venue))
    page.command("feedhost serve")
    assert page.tick("NSE:RELIANCE", token)["broker"] == "zerodha"
    with page.client(token) as client:
        for symbol, mode in [("NSE:SBIN", "LTP"), ("NSE:RELIANCE", "Depth"), ("BSE:RELIANCE", "LTP")]:
            page.refused(client, symbol, mode)
        (page.home / "etc/revoked").write_text(json.loads(block.text)["jti"] + "\n")
        assert client.closed()[0] is not None


def auth_plugin(page: Page, block: Block) -> None:
    (page.folder / "feedhost.yaml").unlink()
    examples(page)
    page.run(block)
    with page.client() as client:
        client.subscribe("NSE:RELIANCE", mode="Quote")
        assert client.tick()["symbol"] == "RELIANCE"
        page.refused(client, "NSE_INDEX:NIFTY")
        page.refused(client, "NSE:RELIANCE", "Depth")


AUTHENTICATION = {
    "accounts:": jwt_settings,
    "{": claims,
    "make -C Plugins/Examples auth OUT=\"$PWD/plugins.d\"": auth_plugin,
}


# MARK: docs/accounts.md


def five_minutes(page: Page, block: Block) -> None:
    page.installed()
    said = page.run(block, replace=SIMULATED)
    assert re.fullmatch("[0-9a-f]{64}", page.key) and "instruments" in said, said


def screen(page: Page, block: Block) -> None:
    key = re.search("[0-9a-f]{64}", page.run(block))[0]
    # Zerodha is not there; what the key allows holds for every broker.
    page.command("feedhost users move asha --broker simulator\nfeedhost serve")
    assert page.tick("NSE_INDEX:NIFTY", key, "Quote")["symbol"] == "NIFTY"
    with page.client(key) as client:
        page.refused(client, "NSE:RELIANCE")
        assert client.request({"action": "subscribe_orders"})["status"] == "error"


def rotation(page: Page, block: Block) -> None:
    folder = page.home / ".local/share/feedhost"
    before = (folder / "feedhost.db.key").read_text()
    page.run(block)
    assert (folder / "feedhost.db.key").read_text() != before == (folder / "feedhost.db.key.old").read_text()
    assert "zerodha" in page.command("feedhost credentials list")


ACCOUNTS = {
    "feedhost users add asha --broker zerodha": five_minutes,
    "feedhost keys issue asha --label screen --expires 2026-12-31 --exchanges NSE_INDEX --modes ltp,quote --no-orders":
        screen,
    "feedhost credentials rotate-key": rotation,
}
