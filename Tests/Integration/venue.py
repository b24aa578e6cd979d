"""A local stand-in for Binance: takes `/stream?streams=…`, answers SUBSCRIBE, and sends what a test tells it to."""

from __future__ import annotations

import http
import json
import threading
import time
from urllib.parse import unquote

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from host import DEADLINE, wait_until


class Connection:
    """One connection of the adapter's, numbered from 1."""

    def __init__(self, number: int, ws):
        self.number = number
        self.ws = ws
        self.path = ws.request.path
        self.asked_in_url = {unquote(stream) for stream in self.path.partition("streams=")[2].split("/")} - {""}
        self.streams = set(self.asked_in_url)
        self.requests: list[dict] = []
        self.is_open = True

    def send(self, stream: str, data: dict) -> None:
        self.send_text(json.dumps({"stream": stream, "data": data}))

    def send_text(self, text: str | bytes) -> None:
        self.ws.send(text)

    def play(self, frames: list[tuple[float, str]], speed: float) -> None:
        """Sends frames at the pace at which they were recorded, times `speed`."""
        start, first = time.monotonic(), frames[0][0]
        for moment, payload in frames:
            pause = (moment - first) / speed - (time.monotonic() - start)
            if pause > 0.0005:
                time.sleep(pause)
            self.send_text(payload)

    def drop(self) -> None:
        """Without a word, as when a router dies politely."""
        self.ws.socket.shutdown(2)


class Venue:
    """`confirms`: whether it answers SUBSCRIBE. `refusals`: HTTP statuses for the next attempts to connect. `pairs`: what its
    list of prices names; a SUBSCRIBE takes any name, as at Binance."""

    def __init__(self, *, confirms: bool = True, refusals=(), pairs=(), port: int = 0):
        self.confirms = confirms
        self.pairs = list(pairs)
        self.refusals = list(refusals)
        self.connections: list[Connection] = []
        self.attempts: list[float] = []
        self._lock = threading.Lock()
        self._server = serve(
            self._handle, "127.0.0.1", port, process_request=self._admit, compression=None, ping_interval=None,
            max_size=None)
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.connections:
            if connection.is_open:
                connection.ws.close()
        self._server.shutdown()
        self._thread.join(DEADLINE)

    @property
    def endpoint(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _admit(self, ws, request):
        if request.path == "/api/v3/ticker/price":
            prices = [{"symbol": pair, "price": "1.00000000"} for pair in self.pairs]
            return ws.respond(http.HTTPStatus.OK, json.dumps(prices))
        with self._lock:
            self.attempts.append(time.monotonic())
            status = self.refusals.pop(0) if self.refusals else None
        if status is None:
            return None
        response = ws.respond(http.HTTPStatus(status), "not now\n")
        if status == 429:
            response.headers["Retry-After"] = "1"
        return response

    def _handle(self, ws) -> None:
        with self._lock:
            connection = Connection(len(self.connections) + 1, ws)
            self.connections.append(connection)
        try:
            for text in ws:
                request = json.loads(text)
                connection.requests.append(request)
                if not self.confirms:
                    continue
                change = {"SUBSCRIBE": set.update, "UNSUBSCRIBE": set.difference_update}[request["method"]]
                change(connection.streams, request["params"])
                ws.send(json.dumps({"result": None, "id": request["id"]}))
        except ConnectionClosed:
            pass
        finally:
            connection.is_open = False

    def carrying(self, *streams: str, above: int = 0, timeout: float = DEADLINE) -> Connection:
        """Waits for an open connection that carries the streams and has a higher number than `above`."""
        def find():
            with self._lock:
                return next((connection for connection in reversed(self.connections)
                             if connection.is_open and connection.number > above
                             and connection.streams.issuperset(streams)), None)

        return wait_until(find, f"a connection with {', '.join(streams)}", timeout)


# MARK: Events


def trade(symbol: str, number: int, price: str, quantity: str = "1.00000000", time_: int = 1_700_000_000_000) -> dict:
    return {"e": "trade", "E": time_ + 3, "s": symbol, "t": number, "p": price, "q": quantity, "T": time_, "m": True,
            "M": True}


def aggregate_trade(symbol: str, number: int, price: str, quantity: str = "1.00000000",
                    time_: int = 1_700_000_000_000) -> dict:
    return {"e": "aggTrade", "E": time_ + 5, "s": symbol, "a": number // 2, "p": price, "q": quantity, "f": number,
            "l": number, "T": time_, "m": True, "M": True}


def book_ticker(symbol: str, update: int, bid: str, bid_size: str, ask: str, ask_size: str) -> dict:
    return {"u": update, "s": symbol, "b": bid, "B": bid_size, "a": ask, "A": ask_size}


def ticker(symbol: str, *, last: str, previous_close: str, volume: str = "1000.00000000",
           time_: int = 1_700_000_000_000) -> dict:
    return {
        "e": "24hrTicker", "E": time_, "s": symbol, "p": "0.00", "P": "0.000", "w": "100.50000000",
        "x": previous_close, "c": last, "Q": "2.00000000", "b": "99.00000000", "B": "1.00000000", "a": "101.00000000",
        "A": "2.00000000", "o": "98.00000000", "h": "110.00000000", "l": "90.00000000", "v": volume,
        "q": "100500.00000000", "O": time_ - 86_400_000, "C": time_, "F": 1, "L": 2, "n": 2}


def partial_book(levels: int, base: float = 100.0) -> dict:
    return {
        "lastUpdateId": 160,
        "bids": [[f"{base - level - 1:.8f}", f"{level + 1}.50000000"] for level in range(levels)],
        "asks": [[f"{base + level + 1:.8f}", f"{level + 2}.25000000"] for level in range(levels)]}
