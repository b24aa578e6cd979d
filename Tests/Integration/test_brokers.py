"""Each broker end to end: a simulated broker, the bundled adapter, the host, and OpenAlgo's own Python client."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from host import REPO, wait_until
from openalgo import api
from simulator import Simulator

#: Cash, derivative, currency, commodity and index, as the simulator lists them; the derivatives are looked up by kind.
KINDS = {"NSE": "cash", "NFO": "derivative", "CDS": "currency", "MCX": "commodity", "NSE_INDEX": "index"}


@dataclass
class Broker:
    """How a user sets a broker up."""

    name: str
    #: Settings that lead to the simulator.
    endpoints: dict[str, str]
    credentials: dict[str, str]
    #: Where prices of this broker's order updates come from.
    exchanges: tuple[str, ...] = ("NSE", "NFO", "CDS", "MCX", "NSE_INDEX")


def setup(venue: Simulator) -> Broker:
    rest = venue.endpoints["rest_url"]
    match venue.broker:
        case "zerodha":
            return Broker(
                "zerodha", {"endpoint": venue.url, "rest_endpoint": rest},
                {"api_key": venue.api_key, "access_token": "simtoken"})
        case "angel":
            return Broker(
                "angel",
                {"endpoint": venue.url, "orders_endpoint": venue.endpoints["orders_url"],
                 "master_endpoint": venue.endpoints["masters"][0]},
                {"api_key": venue.api_key, "access_token": "simtoken", "feed_token": "simfeed", "user_id": venue.user})
        case name:
            return Broker(name, {"endpoint": venue.url, "master_endpoint": rest}, {
                "user_id": venue.user, "access_token": "simtoken", "api_key": venue.api_key})


@pytest.fixture
def start_broker(tmp_path, start_host):
    """Starts a simulator and a host on it: `start_broker("zerodha", rate=200)`."""
    started: list[Simulator] = []

    def start(name: str, user: str = "alice", settings: dict | None = None, **options):
        venue = Simulator(name, tmp_path, **{"rate": 200, "seed": 5} | options).start()
        started.append(venue)
        broker = setup(venue)
        given = {f"{name}.{key}": value for key, value in broker.endpoints.items()} | (settings or {})
        host = start_host(users={user: name}, settings=given | {"instruments.refresh": "never"}, before=lambda host: (
            host.set_credentials(user, name, **broker.credentials),
            host.cli("instruments", "sync", name, *flags(given))))
        return venue, host

    yield start
    for each in started:
        each.stop()


def flags(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
