"""What the blocks of docs/listeners.md, docs/terminal.md, docs/bus.md and docs/simulators.md do."""

from __future__ import annotations

import json
import re

from certificates import Pair
from documents import Block
from documents_page import Page, shape
from host import wait_until

# MARK: docs/listeners.md


def listeners(page: Page, block: Block) -> None:
    """The files that it names are there, in another folder."""
    pair = Pair("localhost")
    for name, content in (("fullchain.pem", pair.certificate), ("privkey.pem", pair.key)):
        (page.home / name).write_bytes(content)
        (page.home / name).chmod(0o600)
    text = block.text.replace("/etc/feedhost", str(page.home)).replace("/run/feedhost", str(page.home))
    assert text.count(str(page.home)) == 3
    said = page.accepts(block, text)
    assert "WRONG" not in said.replace("WRONG adapter", ""), said
    for words in ("8443", "8766", "ws.sock"):
        assert words in said, said


def nginx(page: Page, block: Block) -> None:
    """nginx is not here: what counts is what the host needs of it, and that the two pages name one socket."""
    for header in ("Upgrade $http_upgrade", 'Connection "upgrade"', "X-Forwarded-For $proxy_add_x_forwarded_for"):
        assert f"proxy_set_header {header};" in block.text
    assert "proxy_http_version 1.1;" in block.text and "unix:/run/feedhost/ws.sock" in block.text


LISTENERS = {"proxy:": listeners, "location /ws {": nginx}


# MARK: docs/terminal.md


def tails(page: Page, block: Block) -> None:
    """Each way in is there: the main listener, one with TLS, a Unix socket."""
    page.installed()
    pair = Pair("localhost")
    (page.folder / "authority.pem").write_bytes(pair.certificate)
    (page.folder / "key.pem").write_bytes(pair.key)
    (page.folder / "key.pem").chmod(0o600)
    text = block.text.replace("feeds.example.com", "localhost").replace("/run/feedhost", str(page.home))
    assert text.count("localhost") == 1 and text.count(str(page.home)) == 1
    said = page.run(
        "feedhost users add alice --broker simulator\nKEY=$(feedhost keys issue alice)\n"
        f"feedhost serve --listen wss://127.0.0.1:8443 --listen unix:{page.home}/ws.sock "
        f"--set tls.certificate=authority.pem --set tls.key=key.pem\n{text}")
    assert len(re.findall("^NSE:", said, re.MULTILINE)) == 9, said
    assert len([line for line in said.split("\n") if line.startswith('{"')]) == 3, said


TERMINAL = {'feedhost tail --key "$KEY" NSE:RELIANCE NSE:SBIN': tails}


# MARK: docs/bus.md


def ready_file(page: Page, block: Block) -> None:
    page.installed()
    page.command("feedhost users add alice --broker simulator && feedhost users add bob --broker external\n"
                 "feedhost serve --ready-file ready.json")
    ready = json.loads((page.folder / "ready.json").read_text())
    assert set(json.loads(block.text)) <= set(ready), ready
    assert ready["websocket"] == "ws://127.0.0.1:8765" and ready["bus"] == "tcp://127.0.0.1:5555"


def subscriber(page: Page, block: Block) -> None:
    with page.client(page.aside("keys", "issue", "alice")) as client:
        client.subscribe("NSE:SBIN")
        client.tick()
        said = page.python(block, prints=3, is_endless=True)
    assert re.fullmatch(r"SIMULATOR_NSE_SBIN_LTP [\d.]+", said.split("\n")[0]), said


def keys(page: Page, block: Block) -> None:
    page.run(block, replace={"feedhost serve": "feedhost serve --ready-file ready.json"})
    assert (page.folder / "clients/feed.key").is_file() and (page.folder / "host.key_secret").is_file()


def publishes(page: Page, block: Block) -> None:
    with page.client(page.aside("keys", "issue", "bob")) as client:
        client.subscribe("NSE:RELIANCE")
        page.python(block, prints=0)
        assert client.tick()["data"]["ltp"] == 1400.5


def publishes_openly(page: Page, block: Block) -> None:
    page.command("feedhost serve --ready-file ready.json")
    publishes(page, block)


BUS = {
    '{"brokers":["binance","simulator","external"],"bus":"tcp://127.0.0.1:5555","pid":2665,'
    '"publisher":"tcp://127.0.0.1:46635","websocket":"ws://127.0.0.1:8765"}': ready_file,
    "import json, zmq": subscriber,
    "feedhost bus keygen host                       # host.key and host.key_secret": keys,
    "import json, time, zmq, zmq.auth": publishes,
    "import json, time, zmq": publishes_openly,
}


# MARK: docs/simulators.md


def starts(page: Page, block: Block) -> None:
    page.installed()
    command, sample = block.text.strip().split("\n")
    venue = page.simulate("zerodha", rate=command.split()[-1])
    assert command.removeprefix("$ ").startswith("feedhost-simulate zerodha --rate ")
    assert list(json.loads(sample)) == list(venue.endpoints)
    assert shape(sample) == shape(json.dumps(venue.endpoints, separators=(",", ":")))


def with_host(page: Page, block: Block) -> None:
    page.run(block, SIMULATOR_PORT="9000")
    page.sim_key = page.aside("keys", "issue", "sim")
    assert page.tick("NSE:RELIANCE", page.sim_key)["data"]["ltp"] > 0


def faults(page: Page, block: Block) -> None:
    # The same shell goes on: the simulator of the block before is still there for a reader.
    said = page.run(f"feedhost-simulate zerodha --port 9000 & listens 9000\n{block.text}")
    assert '"connections"' in said and "error" not in said.lower(), said


def script(page: Page, block: Block) -> None:
    """At ten times its speed. A client of the host hears of the drop; the recording has the frames."""
    text = re.sub(r"^([\d.]+) ", lambda time: f"{float(time[1]) / 10:.2f} ", block.text, flags=re.MULTILINE)
    (page.home / "script").write_text(text)
    venue = page.simulate("zerodha", script=page.home / "script", record=page.home / "frames")
    before = venue.state["credentials"]
    page.settings(page.leading_to(venue))
    page.command("feedhost serve")
    with page.client(page.sim_key) as client:
        client.send({"action": "subscribe", "symbols": [{"exchange": "NSE", "symbol": "RELIANCE"}], "mode": "LTP"})
        # At 1 s it is mute and the token is another, at 1.25 s the connection goes.
        wait_until(lambda: client.receive().get("code") == "BROKER_DISCONNECTED", "the news of the drop")
    assert venue.state["credentials"] != before
    page.end()
    venue.stop()
    frame = json.loads((page.home / "frames").read_text().split("\n")[0])
    assert set(frame) == {"t", "conn", "opcode", "hex"} and bytes.fromhex(frame["hex"])


SIMULATORS = {
    "$ feedhost-simulate zerodha --rate 500": starts,
    "feedhost-simulate zerodha --port 9000 &": with_host,
    """curl -X POST http://127.0.0.1:9000/_sim/order -d '{"instrument": "NSE:INFY", "life": "complete"}'""": faults,
    "# the token rolls over, and two seconds later the connections go": script,
}
