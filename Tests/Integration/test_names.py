"""Names that are not made of capitals and digits alone, all the way from the broker to every kind of reader."""

from __future__ import annotations

import json
import urllib.request

import pytest

from brokers import start_broker  # noqa: F401 (fixture)
from test_external_public import subscribe  # noqa: F401 (fixture)
from venue import Venue, trade

SPACED = "ALAN SCOTT"
CHINESE = "币安人生USDT"


def one_tick(host, name: str) -> dict:
    """By the command line."""
    result = host.run(
        "tail", "--url", host.url, "--key", host.keys["alice"], "--json", "--count", 1, "--mode", "ltp", name,
        timeout=20)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def refusal(client, name: str) -> dict:
    """What a wish that cannot be granted is answered."""
    exchange, symbol = name.split(":", 1)
    reply = client.request({"action": "subscribe", "mode": "LTP", "symbols": [{"exchange": exchange, "symbol": symbol}]})
    return reply["subscriptions"][0]


def limited(host, connect, pattern: str):
    """A client with a key for these symbols alone."""
    host.keys["limited"] = host.cli("keys", "issue", "alice", "--symbols", pattern)
    host.secrets.add(host.keys["limited"])
    return connect(host, "limited")


@pytest.mark.parametrize("broker", ["flattrade", "angel", "zerodha", "shoonya"])
def test_symbols_with_a_space(broker, start_broker, connect, subscribe):  # noqa: F811
    _, host = start_broker(broker)
    client = connect(host, "alice")
    public = subscribe(host, f"{broker.upper()}_BSE_ALAN SC")
    client.subscribe(f"BSE:{SPACED}", mode="LTP")
    tick = client.tick()
    assert (tick["exchange"], tick["symbol"]) == ("BSE", SPACED) and tick["data"]["ltp"] > 0
    assert public.receive()[0] == f"{broker.upper()}_BSE_{SPACED}_LTP"
    assert one_tick(host, f"BSE:{SPACED}")["symbol"] == SPACED
    found = json.loads(host.cli("instruments", "search", "alan sc", "--json"))
    assert [(row["exchange"], row["symbol"]) for row in found] == [("BSE", SPACED)]
    allowed = limited(host, connect, "ALAN *")
    allowed.subscribe(f"BSE:{SPACED}")
    assert refusal(allowed, "BSE:RELIANCE")["code"] == "NOT_PERMITTED"
    client.unsubscribe(f"BSE:{SPACED}", mode="LTP")
    # Slips are seen as such; what is no name is refused and ends no connection.
    assert SPACED in refusal(client, "BSE:ALANSCOTT")["message"]
    for wrong in (" ALAN SCOTT", "ALAN SCOTT ", "ALAN\nSCOTT", "ALAN\u202eSCOTT", "A" * 97):
        assert refusal(client, f"BSE:{wrong}")["code"] == "SYMBOL_NOT_FOUND"
    client.round_trip()
    assert "ALAN\nSCOTT" not in host.stderr and "\u202e" not in host.stderr


def test_symbols_beyond_ascii(start_host, connect, subscribe):  # noqa: F811
    with Venue() as venue:
        host = start_host(users={"alice": "binance"}, settings={"binance.endpoint": venue.endpoint})
        client = connect(host, "alice")
        public = subscribe(host, "BINANCE_CRYPTO_币安")
        client.subscribe(f"CRYPTO:{CHINESE}", mode="LTP")
        connection = venue.carrying(f"{CHINESE.lower()}@trade")
        connection.send(f"{CHINESE.lower()}@trade", trade(CHINESE, 1, "0.12340000"))
        tick = client.tick()
        assert tick["symbol"] == CHINESE and tick["data"]["ltp"] == 0.1234
        assert public.receive()[0] == f"BINANCE_CRYPTO_{CHINESE}_LTP"
        allowed = limited(host, connect, "????USDT")
        allowed.subscribe(f"CRYPTO:{CHINESE}")
        assert refusal(allowed, "CRYPTO:BTCUSDT")["code"] == "NOT_PERMITTED"
        # A later one goes into a frame.
        client.subscribe("CRYPTO:龙USDT", mode="LTP")
        later = venue.carrying("龙usdt@trade")
        later.send_text(json.dumps({"stream": "龙usdt@trade", "data": trade("龙USDT", 1, "7.5")}, ensure_ascii=False))
        assert client.tick(match=lambda tick: tick["symbol"] == "龙USDT")["data"]["ltp"] == 7.5
        # A connection that follows another asks in its address, where only ASCII may stand.
        connection.send_text(json.dumps({"e": "serverShutdown", "E": 1_700_000_000_000}))
        back = venue.carrying(f"{CHINESE.lower()}@trade", above=connection.number)
        assert back.path.isascii() and "%E5%B8%81%E5%AE%89" in back.path
        back.send(f"{CHINESE.lower()}@trade", trade(CHINESE, 2, "0.50000000"))
        assert client.tick(match=lambda tick: tick["symbol"] == CHINESE)["data"]["ltp"] == 0.5


def test_documented_indices_of_bse(start_broker, connect):  # noqa: F811
    """OpenAlgo reads them from Flattrade's list of shares."""
    venue, host = start_broker("flattrade")
    with urllib.request.urlopen(f"{venue.root}/scripmaster/BSE_Equity.csv", timeout=10) as answer:
        rows = [line.split(",") for line in answer.read().decode().splitlines()]
    assert {row[4] for row in rows if row[5] == "UNDIND"} == {"SENSEX", "BANKEX"}
    client = connect(host, "alice")
    client.subscribe("BSE_INDEX:SENSEX", "BSE_INDEX:BANKEX", mode="LTP")
    assert {client.tick()["exchange"] for _ in range(3)} == {"BSE_INDEX"}
