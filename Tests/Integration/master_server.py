"""A web server for instrument masters: files, refusals, redirects, and answers that are cut short."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MasterServer:
    """`answers` maps paths to bytes, to a status, to a status and bytes, to another address, or to a function of the request's headers."""

    def __init__(self):
        self.answers: dict = {}
        #: Path and headers of every request, in order.
        self.requests: list[tuple[str, dict]] = []
        #: Paths whose answers end before their Content-Length.
        self.cut: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer._answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def _answer(self, request) -> None:
        path = request.path
        self.requests.append((path, dict(request.headers)))
        answer = self.answers.get(path, 404)
        if callable(answer):
            answer = answer(request.headers)
        status, body, location = 200, b"", None
        if isinstance(answer, int):
            status, body = answer, b"no"
        elif isinstance(answer, str):
            status, location = 302, answer
        elif isinstance(answer, tuple):
            status, body = answer
        else:
            body = answer
        request.send_response(status)
        if location is not None:
            request.send_header("Location", location)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2] if path in self.cut else body)
        request.close_connection = True
