"""Users of simulated brokers: a broker's simulator, the bundled adapter and the host on it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from simulator import Simulator

NAMES = ["zerodha", "angel", "flattrade", "shoonya"]
#: Two more that speak Flattrade's protocol.
ALL_NAMES = NAMES + ["zebu", "tradesmart"]
#: The simulators' names of the mode that Depth is.
MODE_NAMES = {"zerodha": "full", "angel": "snapquote", "flattrade": "depth", "shoonya": "depth"}


@dataclass
class Broker:
    """How a user sets a broker up."""

    name: str
    #: Settings that lead to the simulator.
    endpoints: dict[str, str]
    credentials: dict[str, str]

    @property
    def settings(self) -> dict[str, str]:
        return {f"{self.name}.{name}": value for name, value in self.endpoints.items()}


def setup(venue: Simulator) -> Broker:
    folder = venue.endpoints["masters"][0].rsplit("/", 1)[0]
    token = {"access_token": "simtoken"}
    match venue.broker:
        case "zerodha":
            return Broker(
                "zerodha", {"endpoint": venue.url, "master_endpoint": venue.endpoints["masters"][0]},
                token | {"api_key": venue.api_key})
        case "angel":
            return Broker(
                "angel",
                {"endpoint": venue.url, "orders_endpoint": venue.endpoints["orders_url"],
                 "master_endpoint": venue.endpoints["masters"][0]},
                token | {"api_key": venue.api_key, "feed_token": "simfeed", "user_id": venue.user})
        case name:
            return Broker(
                name, {"endpoint": venue.url, "master_endpoint": folder, "cooldown": "0"},
                token | {"user_id": venue.user})


@pytest.fixture
def start_broker(tmp_path, start_host):
    """Starts a simulator and a host on it: `start_broker("zerodha", rate=200)`."""
    started: list[Simulator] = []

    def start(name: str, settings: dict | None = None, **options):
        venue = Simulator(name, tmp_path, **{"rate": 200, "seed": 5} | options).start()
        started.append(venue)
        broker = setup(venue)
        given = broker.settings | (settings or {})

        def prepare(host):
            host.set_credentials("alice", name, **broker.credentials)
            host.cli("instruments", "sync", name, *flags(given, host))

        environment = {"FEEDHOST_INSTRUMENTS_REFRESH": "never"}
        return venue, start_host(users={"alice": name}, settings=given, env=environment, before=prepare)

    yield start
    for each in started:
        each.stop()


def flags(settings: dict[str, str], host) -> list[str]:
    given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return given + [part for folder in host.plugins for part in ("--plugins", str(folder))]


def chosen(venue: Simulator) -> dict[tuple[str, str], dict]:
    """Cash, index, derivative, currency and commodity."""
    rows = {name: row for name, row in venue.instruments().items() if row["key"]}
    picked = [("NSE", "RELIANCE"), ("NSE_INDEX", "NIFTY")]
    picked += [next(name for name in rows if name[0] == exchange) for exchange in ("NFO", "CDS", "MCX")]
    return {name: rows[name] for name in picked}


def wishes(names) -> list[dict]:
    return [{"exchange": exchange, "symbol": symbol} for exchange, symbol in names]


def price(row: dict, field: str) -> float:
    return row[field] / 10 ** -row["price_exponent"]
