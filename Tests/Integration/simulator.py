"""Starts and stops a broker's simulated server side: `feedhost-simulate`."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from host import REPO, wait_until


def simulator_binary() -> Path:
    return Path(os.environ.get("FEEDHOST_SIMULATE_BIN") or REPO / ".build/debug/feedhost-simulate")


class Simulator:
    """One `feedhost-simulate BROKER` on a port of its own. Options become flags: `rate=0` is `--rate 0`."""

    #: What it lets in unless told otherwise.
    api_key, api_secret, user, password = "simkey", "simsecret", "SIM001", "1234"

    def __init__(self, broker: str, folder: Path, **options):
        self.broker = broker
        self.options = options
        self.errors = Path(folder) / f"simulator-{broker}.txt"
        self.endpoints: dict = {}
        self.process: subprocess.Popen | None = None

    def start(self) -> "Simulator":
        command = [str(simulator_binary()), self.broker, "--port", "0"]
        for name, value in self.options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the simulator did not start:\n{self.errors.read_text(errors='replace')}")
        self.endpoints = json.loads(line)
        return self

    @property
    def url(self) -> str:
        return self.endpoints["url"]

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.endpoints['port']}"

    def get(self, path: str):
        with urllib.request.urlopen(self.root + path, timeout=10) as answer:
            return json.load(answer)

    def fault(self, name: str, **body):
        """Makes something happen: `POST /_sim/<name>`."""
        request = urllib.request.Request(f"{self.root}/_sim/{name}", json.dumps(body).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{name}: {refusal.read().decode()}") from None

    @property
    def state(self) -> dict:
        return self.get("/_sim/state")

    def instruments(self) -> dict[tuple[str, str], dict]:
        """The market by (exchange, symbol)."""
        return {(row["exchange"], row["symbol"]): row for row in self.get("/_sim/instruments")}

    def connections(self, kind: str = "market") -> list[dict]:
        return [each for each in self.state["connections"] if each["kind"] == kind]

    def subscribed(self) -> dict[str, list[str]]:
        """What all connections have together, by mode."""
        together: dict[str, list[str]] = {}
        for connection in self.state["connections"]:
            for mode, keys in connection["subscriptions"].items():
                together[mode] = sorted(together.get(mode, []) + keys)
        return together

    def wait_subscribed(self, wanted: dict[str, list[str]], timeout: float = 20) -> None:
        wanted = {mode: sorted(keys) for mode, keys in wanted.items()}
        last: dict = {}

        def agrees() -> bool:
            nonlocal last
            last = self.subscribed()
            return last == wanted

        try:
            wait_until(agrees, "the set at the broker", timeout, 0.05)
        except AssertionError:
            raise AssertionError(f"at the broker: {last}; wanted: {wanted}") from None

    def stop(self) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        process.stdout.close()
        assert code == 0, f"the simulator ended with {code}:\n{self.errors.read_text(errors='replace')}"
