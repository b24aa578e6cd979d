"""A server of the client protocol that says what a test wants it to say, for what a client shows of it."""

from __future__ import annotations

import json
import threading
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve, unix_serve

from host import wait_until


class ScriptedHost:
    """Answers `authenticate` and `subscribe`; the rest is what the test sends. `answers` are entries by symbol."""

    def __init__(self, port: int = 0, path=None, address="127.0.0.1", ssl=None, answers=None, greeting=()):
        self.answers = dict(answers or {})
        #: Sent behind the answer to the key.
        self.greeting = list(greeting)
        #: Sent instead of the answer to the key.
        self.refusal: dict | None = None
        self.clients: list = []
        self.requests: list[dict] = []
        #: When connections came.
        self.times: list[float] = []
        options = {"ssl": ssl, "compression": None}
        self._server = unix_serve(self._serve, str(path), **options) if path else serve(
            self._serve, address, port, **options)
        self.port = 0 if path else self._server.socket.getsockname()[1]
        self.url = f"unix:{path}" if path else f"{'wss' if ssl else 'ws'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _serve(self, client) -> None:
        self.times.append(time.monotonic())
        try:
            for message in client:
                request = json.loads(message)
                self.requests.append(request)
                for reply in self._replies(request):
                    client.send(json.dumps(reply, ensure_ascii=False))
                if request["action"] == "subscribe":
                    self.clients.append(client)
        except ConnectionClosed:
            pass
        finally:
            if client in self.clients:
                self.clients.remove(client)

    def _replies(self, request) -> list[dict]:
        if request["action"] == "authenticate":
            return [self.refusal] if self.refusal else [
                {"type": "auth", "status": "success", "message": "Authentication successful"}, *self.greeting]
        entries = [
            {"symbol": each["symbol"], "exchange": each["exchange"], "status": "success"} |
            self.answers.get(each["symbol"], {}) for each in request["symbols"]]
        return [{"type": "subscribe", "status": "success", "subscriptions": entries}]

    def has_client(self, what="a subscription"):
        wait_until(lambda: self.clients, what)
        return self

    def send(self, **message) -> None:
        for client in list(self.clients):
            client.send(json.dumps(message, ensure_ascii=False))

    def tick(self, name: str, **data) -> None:
        exchange, _, symbol = name.partition(":")
        self.send(type="market_data", symbol=symbol, exchange=exchange, mode=2, data=data)

    def close_clients(self, code: int, reason: str = "") -> None:
        for client in list(self.clients):
            client.close(code, reason)

    def stop(self) -> None:
        for client in list(self.clients):
            client.close(1001, "server is shutting down")
        self._server.shutdown()
        self._thread.join(5)
