"""Feedhost and its peers: each is started anew for every measurement, alone on its core."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import tools
from host import Host

HOST_BINARY = Path(os.environ.get("FEEDHOST_BIN") or tools.REPO / ".build/release/feedhost")
HOST_PLUGINS = Path(os.environ.get("FEEDHOST_PLUGINS") or tools.REPO / "plugins.d")


class PinnedHost(Host):
    """`feedhost serve` on the server's core. taskset becomes the host: the process keeps its number."""

    @property
    def command(self) -> list[str]:
        return tools.pinned(tools.SERVER_CORE, super().command)


class Server:
    """`load_arguments` tell the load client where and how; `feed_arguments` the feed, empty without one."""

    title = ""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="feedhost-bench-"))
        self.load_arguments: list[str] = []
        self.feed_arguments: list[str] = []

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def measure(self, **how) -> dict:
        result = tools.measure(self, **how)
        if not self.process_is_running():
            raise tools.BenchmarkError(f"{self.title} ended by itself while it was measured")
        return result

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Feedhost(Server):
    """With `simulator_rate` the ticks come from the simulator's adapter, at so many a second; else from the feed.

    Unpinned, it may use all cores."""

    title = "Feedhost"

    def __init__(self, simulator_rate: int = 0, loops: int = 1, pinned: bool = True):
        super().__init__()
        # The same variables that the integration tests read; release builds here.
        os.environ.update(FEEDHOST_BIN=str(HOST_BINARY), FEEDHOST_PLUGINS=str(HOST_PLUGINS))
        self.simulator_rate = simulator_rate
        settings = {"simulator.rate": simulator_rate} if simulator_rate else None
        kind = PinnedHost if pinned else Host
        environment = {"LOG_LEVEL": "warning", "FEEDHOST_EVENT_LOOPS": loops}
        self.host = kind(self.folder / "home", settings=settings, env=environment)

    def start(self):
        key = self.host.add_user("bench", "simulator" if self.simulator_rate else "external")
        self.host.start()
        self.load_arguments = ["--port", str(self.host.port), "--pid", str(self.host.process.pid), "--api-key", key]
        if self.simulator_rate:
            self.load_arguments += ["--stamp", "timestamp", "--stamp-is-wall-ms"]
        else:
            self.feed_arguments = ["--connect", self.host.ready["bus"]]

    def process_is_running(self) -> bool:
        return self.host.is_running

    def stop(self):
        try:
            self.host.stop()
        finally:
            self.host.kill()


class Program(Server):
    """A peer that is a program with a port."""

    def __init__(self):
        super().__init__()
        self.process = None
        self.port = tools.free_port()

    def launch(self, command: list):
        log = self.folder / "log"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                tools.pinned(tools.SERVER_CORE, command), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise tools.BenchmarkError(f"{self.title} does not listen: {log.read_text()}") from None
                time.sleep(0.02)
        self.load_arguments = ["--port", str(self.port), "--pid", str(self.process.pid)]

    def process_is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self):
        tools.end(self.process)


class UWebSockets(Program):
    title = "uWebSockets"

    @classmethod
    def prepare(cls) -> str:
        """Why it cannot be had; empty if it can."""
        library = tools.library_of_socketify()
        if library is None:
            return "not installed: pip cannot get socketify"
        try:
            tools.compile_tool("uws", "uws.c", libraries=[library, f"-Wl,-rpath,{library.parent}", "-luv", "-lzmq"])
        except tools.BenchmarkError as error:
            missing = "uv.h" in str(error) or "-luv" in str(error)
            if not missing:
                raise
            return "not installed: apt-get install libuv1-dev"
        return ""

    def start(self):
        bus = f"tcp://127.0.0.1:{tools.free_port()}"
        self.launch([tools.BUILD / "uws", self.port, bus])
        self.feed_arguments = ["--connect", bus]


class NATS(Program):
    title = "NATS"

    @classmethod
    def prepare(cls) -> str:
        return "" if cls.binary() else "not installed: apt-get install nats-server"

    @staticmethod
    def binary() -> str | None:
        return shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin")

    def start(self):
        port = tools.free_port()
        configuration = self.folder / "nats.conf"
        configuration.write_text(
            f'listen: "127.0.0.1:{port}"\nwebsocket {{ listen: "127.0.0.1:{self.port}", no_tls: true }}\n')
        self.launch([self.binary(), "-c", configuration])
        self.load_arguments += ["--nats"]
        self.feed_arguments = ["--nats", str(port)]


PEERS = {server.title: server for server in (UWebSockets, NATS)}
