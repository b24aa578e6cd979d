"""What stands between a host and a broker: a proxy that tunnels, and a server that speaks TLS for another one."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def join(one: socket.socket, other: socket.socket) -> None:
    """Copies both ways until an end closes."""
    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join(10)
    one.close()
    other.close()


class Listener:
    """Accepts on a free port of 127.0.0.1, one thread a connection."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.serve(connection)
        connection.close()

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class ConnectProxy(Listener):
    """A proxy that tunnels. `status` other than 200 refuses; `login` is what it wants, as `user:password`."""

    def __init__(self, login: str | None = None):
        self.login = login
        self.status = 200
        #: `HOST:PORT` of every request for a tunnel, and how it was answered.
        self.requests: list[tuple[str, int]] = []
        super().__init__()

    @property
    def granted(self) -> list[str]:
        return [target for target, status in self.requests if status == 200]

    def serve(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (part := connection.recv(4096)):
                return
            head += part
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split()
        assert method == "CONNECT", lines[0]
        status = self.status
        if self.login is not None:
            wanted = "Basic " + base64.b64encode(self.login.encode()).decode()
            if f"Proxy-Authorization: {wanted}" not in lines:
                status = 407
        self.requests.append((target, status))
        if status != 200:
            page = b"<html>the proxy says no</html>"
            connection.sendall(
                f"HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode() + page)
            return
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as other:
            other.settimeout(None)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            join(connection, other)


class TLSFront(Listener):
    """Speaks TLS on behalf of a plain server on this machine."""

    def __init__(self, pair, folder, port: int):
        pair.install(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "live.pem", folder / "live.key")
        self._behind = port
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        secure = self._context.wrap_socket(connection, server_side=True)
        other = socket.create_connection(("127.0.0.1", self._behind), 10)
        other.settimeout(None)
        join(secure, other)
