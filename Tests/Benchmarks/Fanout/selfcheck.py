"""Does the load client count rightly? A server of a few lines sends it what is known: gaps, repeats, late messages."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
import time

import tools

LATE_NS = 50_000_000
SYMBOLS = 2
#: Sequence numbers of each symbol in the measured time: 3 are skipped, 1 comes twice.
SEQUENCES = [10, 11, 15, 15, 16]


def frame(payload: bytes, first: int = 0x81) -> bytes:
    size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack(">H", len(payload))
    return bytes([first]) + size + payload


def tick(symbol: int, seq: int, sent_ns: int) -> bytes:
    data = f'{{"seq":{seq},"sent_ns":{sent_ns}}}'
    return (f'{{"type":"market_data","symbol":"SYM{symbol}","exchange":"NSE","mode":1,"data":{data},'
            f'"broker":"external"}}').encode()


def serve(listener: socket.socket, ready: threading.Event, measured: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(20)
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        for reply in (b'{"type":"auth","status":"success"}', b'{"type":"subscribe","status":"success"}'):
            connection.recv(4096)
            # In two pieces, so that a frame that is not complete is kept.
            whole = frame(reply)
            connection.sendall(whole[:5])
            time.sleep(0.01)
            connection.sendall(whole[5:])
        ready.wait(20)
        for symbol in range(1, SYMBOLS + 1):
            connection.sendall(frame(tick(symbol, SEQUENCES[0] - 1, time.monotonic_ns())))
        measured.wait(20)
        for seq in SEQUENCES:
            for symbol in range(1, SYMBOLS + 1):
                text = tick(symbol, seq, time.monotonic_ns() - LATE_NS)
                # Fragments, with a ping between them.
                connection.sendall(frame(text[:40], 0x01) + frame(b"", 0x89) + frame(text[40:], 0x80))
        try:
            while connection.recv(4096):
                pass
        except OSError:
            pass


def run() -> None:
    """Raises when the load client's counts are not what was sent."""
    ready, measured = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, ready, measured), daemon=True).start()
        command = [tools.BUILD / "load", "--port", listener.getsockname()[1], "--clients", 1, "--symbols", SYMBOLS,
                   "--seconds", 1.5, "--warmup", 0.3, "--patience", 10]
        load = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            said = load.stderr.readline()
            if said != "READY\n":
                raise tools.BenchmarkError(f"the load client fails its own check: {said}")
            ready.set()
            time.sleep(0.8)
            measured.set()
            result = tools.parse_line("load", load.communicate(timeout=30)[0])
        finally:
            tools.end(load)
    wanted = {"messages": SYMBOLS * len(SEQUENCES), "gaps": 3 * SYMBOLS, "repeats": SYMBOLS, "unreadable": 0,
              "lost_clients": 0}
    found = {name: result[name] for name in wanted}
    if found != wanted or not LATE_NS / 1e3 * 0.98 <= result["p50_us"] < LATE_NS / 1e3 * 2:
        raise tools.BenchmarkError(
            f"the load client counts {found} and {result['p50_us']} us, and should count {wanted} and a little more "
            f"than {LATE_NS / 1e3} us")
