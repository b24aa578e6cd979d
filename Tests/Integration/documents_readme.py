"""What the blocks of README.md do: each is run, and its effect looked at. Samples of output are compared by shape."""

from __future__ import annotations

import json
import os
import re
import select
import struct
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from certificates import Pair, trusting
from documents import Block
from documents_page import Page, literal, shape
from host import DEADLINE, REPO, wait_until
from venue import Venue, book_ticker, ticker, trade

#: The words that a trader fills in.
SIMULATED = {'"api_key": "…"': '"api_key": "simkey"', '"access_token": "…"': '"access_token": "simtoken"'}
#: What the client's own log may say without a fault.
WORDS = re.compile(r"error|traceback|refused", re.IGNORECASE)


# MARK: Two commands


def makes(page: Page, block: Block) -> None:
    """The targets are there; what `make run` does last is the demo. They themselves are what runs this test."""
    for line in block.text.strip().split("\n"):
        target = line.split("#")[0].split()[1]
        # Without what a `make` that runs these tests hands down: as from a shell.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        plan = subprocess.run(
            ["make", "-n", target], cwd=REPO, env=environment, capture_output=True, text=True, timeout=60)
        assert plan.returncode == 0, plan.stderr
        if target == "run":
            assert plan.stdout.strip().split("\n")[-1] == ".build/release/feedhost demo"


def demo(page: Page, block: Block) -> None:
    """On a terminal of 120 columns: the words above the table and the table's heads are those of the page."""
    import fcntl
    import pty
    import termios

    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 40, 120, 0, 0))
    process = subprocess.Popen(
        [".build/release/feedhost", "demo"], cwd=page.folder, env=page.environment | {"TERM": "xterm"}, stdin=terminal,
        stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    seen = ""
    try:
        deadline = time.monotonic() + DEADLINE
        while not re.search(r"NSE_INDEX:NIFTY.*messages", seen, re.DOTALL) and time.monotonic() < deadline:
            if select.select([main], [], [], 0.5)[0]:
                seen += os.read(main, 1 << 16).decode(errors="replace")
    finally:
        process.terminate()
        assert process.wait(DEADLINE) == 0
        os.close(main)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen).replace("\r", "")
    words, table = block.text.split("\n\n", 1)
    assert shape(words) == shape(plain)[:len(shape(words))], plain
    assert shape(table)[0] in shape(plain), plain
    for row in table.strip().split("\n")[1:-1]:
        assert row.split()[0] in plain


# MARK: Clients


def wheel(distribution: metadata.Distribution, folder: Path) -> None:
    """What pip has installed, as the file that it was installed from."""
    files = [file for file in distribution.files if ".." not in file.parts and file.suffix != ".pyc"]
    info = next(file.parts[0] for file in files if file.parts[0].endswith(".dist-info"))
    tag = re.search(r"^Tag: (.*)$", distribution.read_text("WHEEL"), re.MULTILINE)[1]
    files = [file for file in files if file.name not in ("RECORD", "INSTALLER", "REQUESTED")]
    with zipfile.ZipFile(folder / f"{info.removesuffix('.dist-info')}-{tag}.whl", "w") as archive:
        for file in files:
            archive.write(distribution.locate_file(file), str(file))
        archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in files) + f"{info}/RECORD,,\n")


def wheels(page: Page) -> dict[str, str]:
    folder = page.home / "wheels"
    if not folder.exists():
        folder.mkdir()
        wheel(metadata.distribution("openalgo"), folder)
        beside = REPO / ".build/venv/openalgo2"
        wheel(next(iter(metadata.distributions(name="openalgo", path=[str(beside)]))), folder)
    # In an environment of its own, where `pip` is that of this Python.
    return {"WHEELS": str(folder), "PIP": str(Path(sys.executable).parent / "pip")}


def version(site: Path) -> str:
    return next(iter(metadata.distributions(name="openalgo", path=[str(site)]))).version


def install(page: Page, block: Block) -> None:
    """Line by line: version 1 comes from the first one on Python 3.11, version 2 by insisting."""
    first, second = [line for line in block.text.split("\n") if line.strip()]
    page.run(first, SITE=str(page.home / "first"), **wheels(page))
    assert version(page.home / "first").startswith("2." if sys.version_info >= (3, 12) else "1.")
    page.run(second, SITE=str(page.home / "second"), **wheels(page))
    pinned = (REPO / "Tests/Integration/requirements-beside.txt").read_text()
    assert f"openalgo=={version(page.home / 'second')}\n" in pinned, "not the version that the tests run"
    if sys.version_info < (3, 12):
        # The reason for the options is still there.
        plain = second.replace("--ignore-requires-python ", "")
        page.run(plain, status=1, SITE=str(page.home / "third"), **wheels(page))
        assert "requires a different Python" in page.output or "Requires-Python" in page.output, page.output


def python_client(page: Page, block: Block) -> None:
    page.run("./.build/release/feedhost users add demo --broker simulator\n"
             "KEY=$(./.build/release/feedhost keys issue demo)\n"
             "export PATH=$PWD/.build/release:$PATH\nfeedhost serve\n")
    page.samples = []
    # This environment's own is version 1; version 2 is what the block before has installed.
    for site in (None, page.home / "second"):
        said = page.python(block, prints=2, replace={"YOUR_KEY": page.key}, path=site)
        assert not WORDS.search(said), said
        page.samples.append(literal(said))


def tick_sample(page: Page, block: Block) -> None:
    sample = literal(block.text)
    for got in page.samples:
        assert set(sample) == set(got) and set(sample["data"]) <= set(got["data"]), (sample, got)


# MARK: Users


def own_user(page: Page, block: Block) -> None:
    page.command("feedhost users remove demo")
    said = page.run(block)
    assert said.count("NSE:RELIANCE") == 3 and "bid" in said, said
    assert page.tick("NSE:SBIN")["symbol"] == "SBIN"


def credentials(page: Page, block: Block) -> None:
    (page.folder / "credentials.json").write_text('{"api_key": "one", "access_token": "two"}')
    page.run(block, replace={"BROKER": "zerodha"})
    listed = page.command("feedhost credentials list")
    assert re.search(r"alice +zerodha", listed) and "access_token" in listed and "two" not in listed, listed


def own_broker(page: Page, block: Block) -> None:
    page.venue = page.simulate("zerodha")
    page.settings(page.leading_to(page.venue))
    said = page.run(block, replace=SIMULATED)
    assert said.count("NSE:RELIANCE") >= 3, said
    assert page.tick("NSE:RELIANCE", page.aside("keys", "issue", "asha"))["broker"] == "zerodha"


def next_morning(page: Page, block: Block) -> None:
    """The token rolls while a client is connected; it stays, and ticks come back."""
    page.command("feedhost serve")
    key = page.aside("keys", "issue", "asha")
    with page.client(key) as client:
        client.subscribe("NSE:RELIANCE")
        client.tick()
        page.venue.fault("roll", token="tomorrow", sockets="drop")
        words = block.text.replace("…", "tomorrow")
        subprocess.run(["bash", "-c", words], cwd=page.folder, env=page.environment, check=True, capture_output=True)
        wait_until(lambda: page.venue.subscribed(), "the session with the new token", 30)
        # Old ticks, the news of the outage and of its end, then the first new one.
        wait_until(lambda: client.receive(30).get("code") == "BROKER_CONNECTED", "the news of the end")
        assert client.tick(timeout=30)["symbol"] == "RELIANCE"


def instruments(page: Page, block: Block) -> None:
    page.command(f"curl -sf {page.venue.endpoints['masters'][0]} "
                 "-H 'X-Kite-Version: 3' -H 'Authorization: token simkey:tomorrow' > instruments.csv")
    page.found = page.run(block)


def found(page: Page, block: Block) -> None:
    heads = [line for line in shape(page.found) if line.startswith("SYMBOL")]
    assert shape(block.text)[0] in heads, page.found
    assert len(re.findall(r"^NFO:NIFTY.* zerodha ", page.found, re.MULTILINE)) == 3, page.found


def orders(page: Page, block: Block) -> None:
    page.command("feedhost serve")
    key = page.aside("keys", "issue", "asha")
    stop = threading.Event()

    def trade_on() -> None:
        while not stop.wait(0.3):
            page.venue.fault("order", instrument="NSE:INFY", life="complete", product="MIS", interval_ms=0)

    hand = threading.Thread(target=trade_on)
    hand.start()
    try:
        said = page.python(block, prints=3, replace={"YOUR_KEY": key}, path=page.home / "second")
    finally:
        stop.set()
        hand.join()
    page.order = literal(said)


def order_sample(page: Page, block: Block) -> None:
    sample = literal(block.text)
    assert list(page.order) == list(sample), page.order
    assert {name: type(value) for name, value in sample.items()} == {
        name: type(value) for name, value in page.order.items()}
    same = ("type", "user_id", "mode", "broker", "symbol", "exchange", "product")
    assert [page.order[name] for name in same] == [sample[name] for name in same]


def fewer(page: Page, block: Block) -> None:
    page.command("feedhost serve --set simulator.rate=500")
    with page.client(page.aside("keys", "issue", "alice")) as client:
        reply = client.request(json.loads(block.text))
        assert reply["status"] == "success", reply
        client.tick()
        assert len(client.drain(2)) <= 5


@contextmanager
def ticking(venue: Venue):
    """Every tenth of a second it sends what its connections have asked for of two pairs."""
    stop = threading.Event()

    def prices() -> None:
        number = 0
        while not stop.wait(0.1):
            number += 1
            for symbol in ("BTCUSDT", "ETHUSDT"):
                events = {
                    "trade": trade(symbol, number, "105.25"),
                    "bookTicker": book_ticker(symbol, number, "10", "1", "11", "2"),
                    "ticker": ticker(symbol, last="105.25", previous_close="100")}
                for connection in [each for each in venue.connections if each.is_open]:
                    for kind in events:
                        if (stream := f"{symbol.lower()}@{kind}") in connection.streams:
                            with suppress(ConnectionClosed):  # It has just gone.
                                connection.send(stream, events[kind])

    hand = threading.Thread(target=prices)
    hand.start()
    try:
        yield
    finally:
        stop.set()
        hand.join()


def binance(page: Page, block: Block) -> None:
    with Venue() as venue:
        with ticking(venue):
            # `while the host runs`.
            said = page.run(f"feedhost serve --set binance.endpoint={venue.endpoint}\n{block.text}")
            page.end()
        # Three lines are too few to be sure of both in what was shown.
        asked = {stream for connection in venue.connections for stream in connection.streams}
    assert re.search(r"CRYPTO:(BTC|ETH)USDT +ltp 105\.25", said), said
    assert {"btcusdt@trade", "ethusdt@trade"} <= asked, asked


# MARK: Configuration, other machines, what is wrong


def configuration(page: Page, block: Block) -> None:
    page.accepts(block)


def other_machines(page: Page, block: Block) -> None:
    pair = Pair("localhost")
    (page.folder / "chain.pem").write_bytes(pair.certificate)
    (page.folder / "key.pem").write_bytes(pair.key)
    os.chmod(page.folder / "key.pem", 0o600)
    page.run(block)
    key = page.aside("keys", "issue", "alice")
    with page.client(key, "wss://127.0.0.1:8766", ssl=trusting(pair)) as client:
        client.subscribe("NSE:RELIANCE")
        assert client.tick()["data"]["ltp"] > 0


def doctor(page: Page, block: Block) -> None:
    """Each line of the sample is one that it says in that position, but for numbers, folders and names of programs."""
    import socket

    store = page.home / "keyless.db"
    page.command(f"feedhost users add alice --broker simulator --store {store}")
    with socket.create_server(("127.0.0.1", 8765)):
        page.run(f"feedhost doctor --store {store}\n", status=1, WEBSOCKET_PORT="8765")
    said = "\n".join(shape(page.output))
    for line in shape(block.text):
        line = re.sub(r"taken by \S+", "taken by PROGRAM", line)
        said = re.sub(r"taken by \S+", "taken by PROGRAM", said)
        assert line in said, f"{line!r} is not in\n{said}"


def not_loaded(page: Page, block: Block) -> None:
    (page.home / "odd").mkdir()
    (page.home / "none.c").write_text("int nothing(void) { return 0; }\n")
    page.command(
        f"cd {page.home} && cc -shared -fPIC none.c -o libdoesnotexist.so.1 -Wl,-soname,libdoesnotexist.so.1\n"
        "cc -shared -fPIC none.c -Wl,--no-as-needed -L. -l:libdoesnotexist.so.1 -o odd/acme.so\n"
        "cd feedhost")
    foreign = bytearray((page.home / "odd/acme.so").read_bytes())
    foreign[18:20] = struct.pack("<H", 183)  # e_machine: AArch64
    (page.home / "odd/old.so").write_bytes(foreign)
    (page.home / "odd/old.so").chmod(0o755)
    said = page.command(f"feedhost plugins list --plugins {page.home}/odd")
    listed = [line for line in shape(said.partition("Not loaded, and why:")[2]) if line]
    assert [line for line in shape(block.text)[1:] if line not in listed] == [], said
    json.loads(page.command("feedhost plugins list --json"))


def author(page: Page, block: Block) -> None:
    # The morning's token is still in the store; the page names the simulator's.
    page.run('echo \'{"api_key": "simkey", "access_token": "simtoken"}\' | '
             "feedhost credentials set asha --broker zerodha --stdin\n")
    (page.folder / "feedhost.yaml").unlink()
    page.run(block, SIMULATOR_PORT="9000")
    key = page.aside("keys", "issue", "asha")
    assert page.tick("NSE:RELIANCE", key)["broker"] == "zerodha"


TABLE = {
    "make run     # installs what is missing, builds, shows ticks": makes,
    "Feedhost is ready. Any OpenAlgo client can connect:": demo,
    "pip install openalgo": install,
    "from openalgo import api": python_client,
    "{'type': 'market_data', 'symbol': 'RELIANCE', 'exchange': 'NSE', 'mode': 1, 'data': {'ltp': 1484.0, "
    "'timestamp': 1795451190982, 'ltt': 1795451190982}}": tick_sample,
    'export PATH="$PWD/.build/release:$PATH"': own_user,
    "feedhost credentials set alice --broker BROKER --stdin < credentials.json": credentials,
    "feedhost users add asha --broker zerodha": own_broker,
    """echo '{"access_token": "…"}' | feedhost credentials set asha --broker zerodha --stdin""": next_morning,
    "feedhost instruments sync                # the brokers that users are on; or name some": instruments,
    "SYMBOL                   NAME   TYPE  LOT  TICK  BROKER   ITS SYMBOL         ITS TOKEN": found,
    "from openalgo import api  # version 2": orders,
    "{'type': 'order_update', 'user_id': 'asha', 'mode': 'live', 'broker': 'zerodha', 'orderid': '261124000000001', "
    "'symbol': 'INFY', 'exchange': 'NSE', 'action': 'BUY', 'quantity': 2, 'price': 1500.5, 'trigger_price': 0.0, "
    "'pricetype': 'LIMIT', 'product': 'MIS', 'order_status': 'complete', 'filled_quantity': 2, 'pending_quantity': 0, "
    "'average_price': 1500.5, 'rejection_reason': ''}": order_sample,
    '{"action":"subscribe","symbols":[{"symbol":"SBIN","exchange":"NSE"}],"mode":"LTP","max_rate":2}': fewer,
    "feedhost users add carol --broker binance   # while the host runs": binance,
    "proxy:": configuration,
    "feedhost serve --listen wss://0.0.0.0:8766 --set tls.certificate=chain.pem --set tls.key=key.pem": other_machines,
    "ok    configuration: read: 6 settings are set": doctor,
    "Not loaded, and why:": not_loaded,
    "feedhost-simulate zerodha --port 9000 &": author,
}
