"""Builds the C tools, and runs them and the servers on their cores. Everything ends by itself."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[2]
BUILD = REPO / ".build/bench"
VENV = REPO / ".build/bench-venv"
#: The server has core 0 for itself; load and feed share core 1.
SERVER_CORE, LOAD_CORE = 0, 1

sys.path.insert(0, str(REPO / "Tests/Integration"))


class BenchmarkError(Exception):
    """Something did not run. Slowness is never one."""


def compile_tool(name: str, *sources: str, libraries=()) -> Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    output = BUILD / name
    flags = ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror"]
    command = ["cc", *flags, "-o", output, *(HERE / source for source in sources), *libraries]
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        raise BenchmarkError(f"building {name} failed:\n{result.stderr}")
    return output


def build_tools() -> None:
    compile_tool("load", "load.c", "client.c", "protocol.c", "measure.c", libraries=["-lz"])
    compile_tool("feed", "feed.c", "measure.c", libraries=["-lzmq"])
    compile_tool("ceiling", "ceiling.c", "measure.c")


def install_packages(names: list[str]) -> None:
    """Tries to; a peer that cannot be had is left out later."""
    if not shutil.which("apt-get"):
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", *names]):
        subprocess.run([*prefix, "apt-get", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)


def library_of_socketify() -> Path | None:
    """uWebSockets' shared library, from a private venv; `None` if pip cannot get it here."""
    if platform.machine() != "x86_64":
        return None
    pattern = "lib/python*/site-packages/socketify/libsocketify_linux_amd64.so"
    if not list(VENV.glob(pattern)):
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
        subprocess.run([str(VENV / "bin/pip"), "install", "-q", "--disable-pip-version-check", "--no-deps", "-r",
                        str(HERE / "requirements.txt")], check=False)
    return next(iter(VENV.glob(pattern)), None)


def pinned(core: int, command: list) -> list[str]:
    return ["taskset", "-c", str(core), *map(str, command)]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end(process: subprocess.Popen | None) -> None:
    if process is None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def parse_line(what: str, text: str) -> dict:
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise BenchmarkError(f"{what} printed no result: {text[-300:]!r}") from None


def run_ceiling(clients: int, per_call: int, seconds: float) -> dict:
    command = [BUILD / "ceiling", "--clients", clients, "--per-call", per_call, "--seconds", seconds]
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds + 60)
    if result.returncode:
        raise BenchmarkError(f"ceiling: {result.stderr}")
    return parse_line("ceiling", result.stdout)


def measure(server, *, clients: int, symbols: int, rate: float, seconds: float, warmup: float = 1.0, total: int = 0,
            spread: bool = False, stalled: int = 0, slow: int = 0, vanishing: int = 0,
            idle: int = 0, deflate: bool = False) -> dict:
    """One run of load client and feed against a server that listens. `rate` is in ticks per second over all symbols; 0
    leaves the feed out. `offered` in the result is what all measured clients together should have got each second."""
    total = max(total, symbols, 1)
    command = [BUILD / "load", "--clients", clients, "--symbols", symbols, "--total-symbols", total,
               "--seconds", seconds, "--warmup", warmup, "--stalled", stalled, "--slow", slow, "--vanishing", vanishing,
               "--idle", idle,
               *(["--spread"] if spread else []), *(["--deflate"] if deflate else []), *server.load_arguments]
    load = feed = None
    try:
        load = subprocess.Popen(pinned(LOAD_CORE, command), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        said = load.stderr.readline()
        if said != "READY\n":
            raise BenchmarkError(f"{server.title}: {said}{load.stderr.read()}")
        if rate and server.feed_arguments:
            # It is ended below; the limit is for the case that this program dies first.
            command = [BUILD / "feed", *server.feed_arguments, "--symbols", total, "--rate", rate, "--seconds", 180]
            feed = subprocess.Popen(
                pinned(LOAD_CORE, command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output, errors = load.communicate(timeout=seconds + warmup + 120)
        if load.returncode:
            raise BenchmarkError(f"{server.title}: {errors}")
        result = parse_line("load", output)
        if feed:
            feed.terminate()
            output, errors = feed.communicate(timeout=10)
            if feed.returncode:
                raise BenchmarkError(f"{server.title}: {errors}")
            rate = parse_line("feed", output)["rate"]
        result["ticks_per_second"] = rate
        result["offered"] = rate * clients * symbols / total
        return result
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"{server.title}: the load client did not end") from None
    finally:
        end(feed)
        end(load)
