"""Starts and stops the host under test: `feedhost serve` with a store, ports and an environment of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
from collections import deque
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
#: What an adapter in C includes from.
HEADERS = REPO / "Sources/AdapterKit/Sources/CFeedhostABI/include"
#: Seconds after which whatever a test waits for is taken to never come.
DEADLINE = float(os.environ.get("FEEDHOST_TEST_DEADLINE", "20"))
#: When set, hosts log at this level, and whatever they have written is searched for the secrets that they held.
LOG_LEVEL = os.environ.get("FEEDHOST_TEST_LOG_LEVEL")
#: The latest keys that clients of these tests have shown to any host, right or wrong.
SHOWN: deque[str] = deque(maxlen=300)
#: Settings that are secrets, and settings that name a file which holds one.
SECRET = {
    "FEEDHOST_MASTER_KEY", "FEEDHOST_JWT_SECRET", "BROKER_API_KEY", "BROKER_API_SECRET", "BROKER_API_KEY_MARKET",
    "BROKER_API_SECRET_MARKET", "API_KEY_PEPPER", "FERNET_SALT",
}
SECRET_FILES = {"FEEDHOST_KEY_FILE", "FEEDHOST_JWT_SECRET_FILE", "FEEDHOST_TLS_KEY", "FEEDHOST_BUS_CERTIFICATE"}


def binary() -> Path:
    return Path(os.environ.get("FEEDHOST_BIN") or REPO / ".build/debug/feedhost")


def plugins_folder() -> Path:
    return Path(os.environ.get("FEEDHOST_PLUGINS") or REPO / "plugins.d")


def wait_until(condition, what: str, timeout: float = DEADLINE, interval: float = 0.02):
    """Returns the first true value of `condition()`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what}: not within {timeout:g} s")
        time.sleep(interval)


def forms(secret: str) -> set[str]:
    """A secret as it is, percent-encoded, in hexadecimal, in base64 at any offset, and as JSON writes it."""
    raw = secret.encode()
    found = {secret, urllib.parse.quote(secret, safe=""), raw.hex(), raw.hex().upper(), json.dumps(secret)[1:-1]}
    for shift in range(3):
        # The characters at both ends depend on what stands before and behind.
        text = base64.b64encode(b"x" * shift + raw).decode().rstrip("=")
        middle = text[(0, 2, 3)[shift]:-1]
        found |= {middle, middle.replace("+", "-").replace("/", "_")}
    return found


def is_telling(text: str) -> bool:
    """Whether it means something that a text is found: shorter ones are parts of words, `000…` is one of numbers."""
    return len(text) >= 8 and len(set(text)) > 4


class Host:
    """One `feedhost serve`, and the commands that work on its store.

    `folder` is its home and working directory. `settings` become `--set NAME=VALUE`, `env` is added to an environment
    that has nothing but PATH and HOME, `arguments` go behind the others. `plugins` are folders with adapters.
    """

    def __init__(self, folder: Path, *, settings=None, env=None, arguments=(), plugins=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = self.folder / "store.db"
        self.ready_file = self.folder / "ready.json"
        self.stderr_file = self.folder / "stderr.txt"
        self.stdout_file = self.folder / "stdout.txt"
        self.settings = dict(settings or {})
        self.arguments = list(arguments)
        self.plugins = [plugins_folder()] if plugins is None else list(plugins)
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder)}
        # For builds whose Swift libraries are not on the system's path.
        if "LD_LIBRARY_PATH" in os.environ:
            self.environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        if LOG_LEVEL:
            self.environment["LOG_LEVEL"] = LOG_LEVEL
        self.environment |= {name: str(value) for name, value in (env or {}).items()}
        self.keys: dict[str, str] = {}
        #: What must not be found in anything that this host writes.
        self.secrets: set[str] = set()
        self.ready: dict = {}
        self.process: subprocess.Popen | None = None

    # MARK: Commands

    def run(self, *arguments, stdin: str | None = None, timeout: float = DEADLINE) -> subprocess.CompletedProcess:
        """Runs another `feedhost` command in this host's environment; does not look at the outcome."""
        # Those that name a broker want to know which there are.
        if arguments[:1] in (("users",), ("credentials",)) and arguments[1:2] in (("add",), ("move",), ("set",)):
            arguments += tuple(word for folder in self.plugins for word in ("--plugins", folder))
        result = subprocess.run(
            [str(binary()), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout,
            cwd=self.folder, env=self.environment)
        if LOG_LEVEL:
            found = self.found(result.stdout + result.stderr)
            assert not found, f"secrets in what `feedhost {' '.join(map(str, arguments[:2]))}` has said: {found}"
        return result

    def cli(self, *arguments, stdin: str | None = None) -> str:
        """Runs a command on this host's store; it must succeed. Returns its standard output without the line end."""
        result = self.run(*arguments, "--store", self.store, stdin=stdin)
        assert result.returncode == 0, f"feedhost {' '.join(map(str, arguments))}: {result.stderr or result.stdout}"
        return result.stdout.rstrip("\n")

    def add_user(self, name: str, broker: str) -> str:
        """Makes a user and a key for it, which is also kept in `keys`."""
        # Also of brokers whose adapter comes later, or never: what clients are told then is tested too.
        self.cli("users", "add", name, "--broker", broker, "--force")
        return self.issue_key(name)

    def issue_key(self, name: str) -> str:
        self.keys[name] = self.cli("keys", "issue", name)
        self.secrets.add(self.keys[name])
        return self.keys[name]

    def set_credentials(self, name: str, broker: str, **values: str) -> None:
        self.cli("credentials", "set", name, "--broker", broker, "--force", "--stdin", stdin=json.dumps(values))
        # Shorter ones are found in ordinary words, and a user's name is no secret.
        self.secrets |= {value for key, value in values.items() if key != "user_id" and len(value) >= 8}

    # MARK: Running

    @property
    def command(self) -> list[str]:
        command = [str(binary()), "serve", "--host", "127.0.0.1", "--port", "0", "--store", str(self.store)]
        command += ["--ready-file", str(self.ready_file)]
        for folder in self.plugins:
            command += ["--plugins", str(folder)]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        return command + [str(argument) for argument in self.arguments]

    def start(self, timeout: float = 60) -> "Host":
        environment = {"ZMQ_PORT": "0"} | self.environment
        with open(self.stdout_file, "wb") as output, open(self.stderr_file, "wb") as errors:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=self.folder, env=environment)
        wait_until(self._is_ready, "the ready file", timeout)
        # Written in one step: whoever sees it sees all of it.
        self.ready = json.loads(self.ready_file.read_text())
        assert self.ready["pid"] == self.process.pid
        return self

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the host ended with {self.process.returncode} before it was ready:\n{self.stderr}")
        return self.ready_file.exists()

    @property
    def url(self) -> str:
        return self.ready["websocket"]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def stderr(self) -> str:
        return self.stderr_file.read_text(errors="replace") if self.stderr_file.exists() else ""

    @property
    def stdout(self) -> str:
        return self.stdout_file.read_text(errors="replace") if self.stdout_file.exists() else ""

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def resident_kilobytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])

    @property
    def allocated_kilobytes(self) -> int:
        """Without pages of files, such as code that is run for the first time."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("RssAnon:")).split()[1])

    def stop(self, timeout: float = DEADLINE) -> None:
        """SIGTERM; the host must drain, take its ready file away and exit with 0."""
        if self.process is None:
            # It has crashed or was killed: what it wrote must be as clean.
            return self.check()
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the host did not end within {timeout:g} s of SIGTERM:\n{self.stderr}") from None
        assert code == 0, f"the host ended with {code}:\n{self.stderr}"
        assert not self.ready_file.exists(), "the ready file is still there"
        self.check()

    # MARK: Secrets

    def check(self) -> None:
        if LOG_LEVEL:
            assert not self.leaks(), f"secrets in what the host has written: {self.leaks()}"

    def leaks(self) -> list[str]:
        """Where a secret is found in what the host has written, in any of the usual encodings."""
        written = [self.stderr_file, self.stdout_file, *self.folder.glob("**/*stats*.json"), *self.folder.glob("**/*.log")]
        return [
            f"{path.name}: {secret}" for path in written if path.is_file()
            for secret in self.found(path.read_text(errors="replace"))
        ]

    def found(self, text: str) -> list[str]:
        return [f"{secret[:3]}…" for secret in self.held() if any(form in text for form in forms(secret))]

    def held(self) -> set[str]:
        """All secrets that came to this host, by whatever way."""
        held = self.secrets | set(SHOWN)
        values = list(self.environment.items())
        own = self.folder / ".env"
        if own.is_file():
            values += re.findall(r"^\s*(\w+)\s*=\s*['\"]?([^'\"\n#]*)", own.read_text(errors="replace"), re.MULTILINE)
        held |= {value for name, value in values if name in SECRET}
        files = [Path(self.folder, value) for name, value in values if name in SECRET_FILES]
        for path in [*files, *self.folder.glob("*.db.key*")]:
            text = path.read_text(errors="replace") if path.is_file() else ""
            if "PRIVATE KEY" in text:
                held |= {line for line in text.splitlines() if "---" not in line}
            elif "secret-key" in text:
                held |= set(re.findall(r'secret-key\s*=\s*"(.*)"', text))
            else:
                held.add(text.strip())
        return {secret for secret in held if is_telling(secret)}

    def kill(self) -> None:
        """For clean-up after a failure: no questions asked."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
