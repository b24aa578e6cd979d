"""WebSocket by hand, over a plain socket: for saying what no well-behaved library would."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import time
from urllib.parse import urlsplit

from host import DEADLINE

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class RawSocket:
    def __init__(self, url: str, timeout: float = DEADLINE, receive_buffer: int | None = None):
        address = urlsplit(url)
        self.address = f"{address.hostname}:{address.port}"
        self.timeout = timeout
        self.socket = socket.socket()
        if receive_buffer:
            # To be set before connecting, so that the window is small from the start.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((address.hostname, address.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.socket.close()

    # MARK: Handshake

    def handshake(self, path: str = "/", headers=(), drop=()) -> tuple[str, dict[str, str]]:
        """Asks for the upgrade; `drop` leaves usual headers out. Returns the status line and the answer's headers."""
        usual = {
            "Host": self.address, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        lines = [f"GET {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (usual | dict(headers)).items() if name not in drop]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return self.response()

    def response(self) -> tuple[str, dict[str, str]]:
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status, *lines = head.decode("latin-1").split("\r\n")
        return status, {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def open(self, **options) -> "RawSocket":
        status, _ = self.handshake(**options)
        assert status.startswith("HTTP/1.1 101 "), status
        return self

    # MARK: Frames

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_json(self, message) -> None:
        self.send(frame(TEXT, json.dumps(message).encode()))

    def read_frame(self) -> tuple[int, int, bytes]:
        """The first byte's upper half (FIN and the reserved bits), the opcode, the payload."""
        first, second = self._take(2)
        assert second & 0x80 == 0, "a server must not mask"
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        return first & 0xF0, first & 0x0F, self._take(length)

    def reply(self) -> dict:
        """The next text message that is no tick; frames of other kinds are passed over."""
        while True:
            flags, opcode, payload = self.read_frame()
            if opcode == TEXT and flags == 0x80:
                message = json.loads(payload)
                if message.get("type") != "market_data":
                    return message

    def close_frame(self) -> tuple[int | None, str]:
        """Reads to the close frame: its code and reason."""
        while True:
            _, opcode, payload = self.read_frame()
            if opcode == CLOSE:
                return (struct.unpack(">H", payload[:2])[0], payload[2:].decode()) if payload else (None, "")

    def read_to_end(self) -> bytes:
        """Everything until the other side closes."""
        deadline = time.monotonic() + self.timeout
        try:
            while True:
                assert time.monotonic() < deadline, "the host does not close the connection"
                self._more()
        except (EOFError, ConnectionError):
            data, self.buffer = self.buffer, b""
            return data

    def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _more(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError("the host has closed the connection")
        self.buffer += data


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True,
    length: int | None = None,
) -> bytes:
    """A frame as clients send it. `length` is what the header claims, if not the truth."""
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    count = len(payload) if length is None else length
    flag = 0x80 if masked else 0
    if count < 126:
        head += bytes([flag | count])
    elif count < 1 << 16:
        head += bytes([flag | 126]) + struct.pack(">H", count)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", count)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + mask + mixed.to_bytes(len(payload), "big")
