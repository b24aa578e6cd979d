"""A recorded session of Binance: made up from a seed, in the format of cryptofeed's recordings, and what must come of it.

    ws://…/stream?streams=… <-> 1600000000.0          a connection
    1600000000.123456: {"stream":…,"data":…}          a message
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

from venue import aggregate_trade, book_ticker, ticker, trade

Frames = list[tuple[float, str]]


def make(seed: int, symbols: list[str], seconds: float = 3.0, per_second: int = 120) -> str:
    """The text of a capture: asked-for streams mixed with diffs of the book and candles, which nobody asked for."""
    chance = random.Random(seed)
    start = 1_600_000_000.0
    names = "/".join(f"{symbol.lower()}@{kind}" for symbol in symbols for kind in
                     ("depth@100ms", "depth5@100ms", "bookTicker", "kline_1m", "aggTrade", "trade", "ticker"))
    lines = [f"wss://stream.example:9443/stream?streams={names} <-> {start}"]
    price = {symbol: chance.uniform(0.01, 50_000) for symbol in symbols}
    trades = {symbol: 1000 * (index + 1) for index, symbol in enumerate(symbols)}
    moment, update = start, 1
    while moment < start + seconds:
        moment += chance.expovariate(per_second)
        update += 1
        symbol = chance.choice(symbols)
        price[symbol] = max(0.001, price[symbol] * chance.uniform(0.999, 1.001))
        bid, ask = f"{price[symbol] * 0.9999:.8f}", f"{price[symbol] * 1.0001:.8f}"
        size, other = f"{chance.uniform(0, 9000):.8f}", f"{chance.randrange(1, 10**6)}.00000000"
        milliseconds = int(moment * 1000)
        events = []
        kind = chance.random()
        if kind < 0.4:
            events.append(("bookTicker", book_ticker(symbol, update, bid, size, ask, other)))
        elif kind < 0.6:
            trades[symbol] += 1
            # Each trade is told twice, as the real venue does.
            events.append(("trade", trade(symbol, trades[symbol], ask, size, milliseconds)))
            events.append(("aggTrade", aggregate_trade(symbol, trades[symbol], ask, size, milliseconds)))
            if chance.random() < 0.3:
                events.reverse()
        elif kind < 0.65:
            events.append(("ticker", ticker(symbol, last=bid, previous_close=ask, volume=other, time_=milliseconds)))
        elif kind < 0.72:
            events.append(("depth5@100ms", {
                "lastUpdateId": update, "bids": [[bid, size], [f"{price[symbol] * 0.9998:.8f}", "1.00000000"]],
                "asks": [[ask, other]]}))
        elif kind < 0.95:
            events.append(("depth@100ms", {
                "e": "depthUpdate", "E": milliseconds, "s": symbol, "U": update, "u": update,
                "b": [[bid, size]], "a": [[ask, "0.00000000"]]}))
        else:
            events.append(("kline_1m", {
                "e": "kline", "E": milliseconds, "s": symbol,
                "k": {"t": 0, "T": 1, "s": symbol, "i": "1m", "o": bid, "c": ask, "h": ask, "l": bid, "x": False}}))
        for name, data in events:
            payload = json.dumps({"stream": f"{symbol.lower()}@{name}", "data": data}, separators=(",", ":"))
            lines.append(f"{moment:.6f}: {payload}")
    return "\n".join(lines) + "\n"


def read(text: str) -> Frames:
    """The messages of a capture."""
    frames = []
    for line in text.splitlines():
        moment, separator, payload = line.partition(": ")
        if separator and not moment.startswith("ws"):
            frames.append((float(moment), payload))
    return frames


@dataclass
class Expected:
    """What a client must get for one symbol, message for message."""

    ltp: list[float] = field(default_factory=list)
    #: (ltp, close)
    quote: list[tuple] = field(default_factory=list)
    #: (ltp, bid, bid size, ask, ask size)
    depth: list[tuple] = field(default_factory=list)


def expected(frames: Frames) -> dict[str, Expected]:
    """Follows the capture as a reader of the venue's manual would. Values not known yet are 0, as in the client."""
    found: dict[str, Expected] = {}
    states: dict[str, dict] = {}
    for _, payload in frames:
        message = json.loads(payload)
        name, kind = message["stream"].split("@", 1)
        data, symbol = message["data"], name.upper()
        result = found.setdefault(symbol, Expected())
        state = states.setdefault(symbol, {
            "ltp": 0, "close": 0, "book": None, "id": -1, "traded": False})
        moved = False
        if kind.startswith("depth5"):
            state["book"] = tuple(float(each) for side in ("bids", "asks") for each in data[side][0])
            result.depth.append((state["ltp"], *state["book"]))
            continue
        if kind in ("trade", "aggTrade"):
            number = data["t"] if kind == "trade" else data["l"]
            if number <= state["id"]:
                continue
            state |= {"id": number, "traded": True, "ltp": float(data["p"])}
            moved = True
        elif kind == "bookTicker":
            pass
        elif kind == "ticker":
            state["close"] = float(data["x"])
            if not state["traded"]:
                state["ltp"] = float(data["c"])
                moved = True
        else:
            continue
        if moved:
            result.ltp.append(state["ltp"])
        result.quote.append((state["ltp"], state["close"]))
        # Depth begins with a book, and the best bid and ask do not change it.
        if state["book"]:
            result.depth.append((state["ltp"], *state["book"]))
    return {symbol: result for symbol, result in found.items() if result.quote}
