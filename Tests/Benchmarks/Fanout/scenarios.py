"""What is measured. Every scenario gives rows of figures, one list of repetitions for each column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

import tools
from servers import NATS, Feedhost, UWebSockets

#: A rate is held when 99 % of the messages arrive, none is skipped, nobody is cut off and p99 is below this. What is
#: under way when the time is over counts for neither side: p99 times the rate.
LONGEST_P99_US = 100_000


@dataclass
class Pace:
    """How long and how often. `quick` shows that everything runs; its figures are no measurement."""

    repetitions: int = 3
    seconds: float = 3
    every_rate: bool = True

    @classmethod
    def quick(cls) -> "Pace":
        return cls(repetitions=1, seconds=1, every_rate=False)

    def rates(self, rates: list[int]) -> list[int]:
        return rates if self.every_rate else rates[::4]


@dataclass
class Figures:
    """`rows` maps a row's name to {column: [value of each repetition]}."""

    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, row: str, column: str, value: float) -> None:
        self.rows.setdefault(row, {}).setdefault(column, []).append(value)


@dataclass
class Scenario:
    name: str
    title: str
    what: str
    run: Callable[["Scenario", Pace, list[type]], Figures]
    peers: tuple[type, ...] = (UWebSockets, NATS)
    how: dict = field(default_factory=dict)

    def servers(self, available: list[type]) -> list[type]:
        return [Feedhost] + [peer for peer in self.peers if peer in available]


def is_held(result: dict, rate: int) -> bool:
    """The feed shares its core with the load client: when it falls behind, the rate was not offered at all."""
    if result["ticks_per_second"] < 0.97 * rate:
        return False
    due = result["offered"] * max(0, result["seconds"] - result["p99_us"] / 1e6)
    return (result["messages"] >= 0.99 * due and not result["gaps"] and not result["lost_clients"]
            and result["p99_us"] < LONGEST_P99_US)


def tell(server: str, result: dict, remark: str = "") -> None:
    print(f"    {server:12} {result['ticks_per_second']:>9,.0f} ticks/s {result['per_second']:>11,.0f} delivered/s  "
          f"p50 {result['p50_us'] / 1000:7.2f} ms  p99 {result['p99_us'] / 1000:8.2f} ms  "
          f"CPU {result['server_cpu']:4.0%} load {result['load_cpu']:4.0%}  gaps {result['gaps']} {remark}", flush=True)


def climb(start, rates: list[int], pace: Pace, **how) -> dict | None:
    """The result at the highest rate that is held; one that is not is tried once more. `start(rate)` makes a server."""
    best = None
    for rate in rates:
        for _ in range(2):
            with start(rate) as server:
                result = server.measure(rate=rate, seconds=pace.seconds, **how)
            held = is_held(result, rate)
            tell(server.title, result, "" if held else "(not held)")
            if held:
                break
        if not held:
            break
        best = result
    return best


def add_held(figures: Figures, title: str, best: dict | None) -> None:
    # More than was offered is a backlog of the seconds before.
    figures.add("delivered/s, highest held", title, min(best["per_second"], best["offered"]) if best else 0)
    if best:
        figures.add("ticks/s at that", title, best["ticks_per_second"])
        figures.add("CPU s per million delivered at that", title, best["server_cpu_s_per_million"])


def sweep(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    figures = Figures()
    how = dict(scenario.how)
    rates = pace.rates(how.pop("rates"))
    for _ in range(pace.repetitions):
        for kind in scenario.servers(available):
            add_held(figures, kind.title, climb(lambda rate: kind(), rates, pace, **how))
    return figures


def latency(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    figures = Figures()
    for _ in range(pace.repetitions):
        for kind in scenario.servers(available):
            with kind() as server:
                result = server.measure(seconds=pace.seconds, **scenario.how)
            tell(kind.title, result)
            figures.add("p50, ms", kind.title, result["p50_us"] / 1000)
            figures.add("p99, ms", kind.title, result["p99_us"] / 1000)
            figures.add("CPU s per million delivered", kind.title, result["server_cpu_s_per_million"])
            figures.add("delivered, % of offered", kind.title, 100 * result["per_second"] / result["offered"])
    return figures


def idle(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    figures = Figures()
    for _ in range(pace.repetitions):
        for kind in scenario.servers(available):
            with kind() as server:
                result = server.measure(rate=0, symbols=0, seconds=1, **scenario.how)
            print(f"    {kind.title:12} {result['kib_per_connection']:.1f} KiB a connection, "
                  f"base {result['base_kib']} KiB", flush=True)
            figures.add("KiB per connection", kind.title, result["kib_per_connection"])
            figures.add("MiB without connections", kind.title, result["base_kib"] / 1024)
    return figures


def beside(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    """100 clients alone, and with the troublesome ones of `how` beside them."""
    figures = Figures()
    quiet = {"clients": 100, "symbols": 10, "rate": 1000, "seconds": pace.seconds}
    for _ in range(pace.repetitions):
        for kind in scenario.servers(available):
            for label, more in (("alone", {}), ("beside them", scenario.how)):
                with kind() as server:
                    result = server.measure(**quiet, **more)
                tell(kind.title, result, label)
                figures.add(f"p99 of the 100, {label}, ms", kind.title, result["p99_us"] / 1000)
                figures.add(f"MiB at the end, {label}", kind.title, result["end_kib"] / 1024)
                if more:
                    figures.add("p99 beside them : alone", kind.title,
                                result["p99_us"] / 1000 / figures.rows["p99 of the 100, alone, ms"][kind.title][-1])
                    figures.add("KiB per connection, all of them", kind.title, result["kib_per_connection"])
                    figures.add("messages that the 100 missed", kind.title, result["gaps"])
                    figures.add("of the 100, cut off", kind.title, result["lost_clients"])
    return figures


def loops(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    figures = Figures()
    for _ in range(pace.repetitions):
        for count in (1, 2):
            with Feedhost(loops=count, pinned=False) as server:
                result = server.measure(seconds=pace.seconds, **scenario.how)
            column = f"{count} loop" + "s" * (count > 1)
            tell(column, result)
            figures.add("CPU s per million delivered", column, result["server_cpu_s_per_million"])
            figures.add("p99, ms", column, result["p99_us"] / 1000)
            figures.add("delivered, % of offered", column, 100 * result["per_second"] / result["offered"])
    return figures


def compression(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    figures = Figures()
    for _ in range(pace.repetitions):
        for column, deflate in (("plain", False), ("compressed", True)):
            with Feedhost() as server:
                result = server.measure(seconds=pace.seconds, deflate=deflate, **scenario.how)
            tell(column, result)
            figures.add("bytes of a message", column, result["wire_bytes"] / max(1, result["messages"]))
            figures.add("CPU s per million delivered", column, result["server_cpu_s_per_million"])
            figures.add("p99, ms", column, result["p99_us"] / 1000)
            figures.add("KiB per connection", column, result["kib_per_connection"])
    return figures


def chain(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    """Ticks made by the simulator's adapter inside the host."""
    figures = Figures()
    how = dict(scenario.how)
    rates = pace.rates(how.pop("rates"))
    for _ in range(pace.repetitions):
        best = climb(lambda rate: Feedhost(simulator_rate=rate), rates, pace, **how)
        add_held(figures, Feedhost.title, best)
        if best:
            figures.add("p50 at that, ms", Feedhost.title, best["p50_us"] / 1000)
            figures.add("p99 at that, ms", Feedhost.title, best["p99_us"] / 1000)
    return figures


def ceiling(scenario: Scenario, pace: Pace, available: list[type]) -> Figures:
    figures = Figures()
    for _ in range(pace.repetitions):
        for clients in (100, 1000):
            for per_call in (1, 16):
                result = tools.run_ceiling(clients, per_call, pace.seconds)
                column = f"{per_call} a call"
                print(f"    {clients} connections, {column}: {result['per_second']:,.0f}/s", flush=True)
                figures.add(f"messages/s, {clients:,} connections", column, result["per_second"])
                figures.add(f"CPU s per million, {clients:,} connections", column, result["server_cpu_s_per_million"])
    return figures


SCENARIOS = [
    Scenario("ceiling", "The machine's limit", "a loop of `send()` of framed bytes, 272 a message, without any server",
             ceiling, peers=()),
    Scenario("sweep-100", "Throughput, 100 clients", "each subscribed to the same 10 symbols", sweep, how={
        "clients": 100, "symbols": 10,
        "rates": [15000, 20000, 25000, 30000, 35000, 40000, 45000, 50000]}),
    Scenario("sweep-1000", "Throughput, 1,000 clients", "each subscribed to the same 10 symbols", sweep, how={
        "clients": 1000, "symbols": 10,
        "rates": [800, 1200, 1600, 2000, 2400, 2800, 3200, 3600]}),
    Scenario("spread", "Throughput, 1,000 clients × 1,000 symbols",
             "of 10,000, no two clients with the same set; every tick goes to 100 of them", sweep, how={
                 "clients": 1000, "symbols": 1000, "total": 10000, "spread": True,
                 "rates": [4000, 8000, 12000, 16000, 20000, 24000, 28000]}),
    Scenario("latency-100", "Latency, 100 clients, 5,000 delivered/s", "50 ticks/s", latency,
             how={"clients": 100, "symbols": 10, "rate": 50}),
    Scenario("latency-1000", "Latency, 1,000 clients, 10,000 delivered/s", "10 ticks/s", latency,
             how={"clients": 1000, "symbols": 10, "rate": 10}),
    Scenario("busy-100", "Latency, 100 clients, 500,000 delivered/s", "5,000 ticks/s", latency,
             how={"clients": 100, "symbols": 10, "rate": 5000}),
    Scenario("busy-1000", "Latency, 1,000 clients, 500,000 delivered/s", "500 ticks/s", latency,
             how={"clients": 1000, "symbols": 10, "rate": 500}),
    Scenario("idle", "Memory, 1,000 idle connections", "authenticated, without subscriptions", idle,
             how={"clients": 1000}),
    Scenario("stalled", "One client stops reading", "beside 100 clients at 1,000 ticks/s", beside,
             how={"stalled": 1}, peers=(UWebSockets,)),
    Scenario("slow", "Ten clients read 1 byte a second", "beside 100 clients at 1,000 ticks/s", beside,
             how={"slow": 10}, peers=(UWebSockets,)),
    Scenario("vanish", "1,000 clients vanish",
             "beside 100 clients at 1,000 ticks/s: each subscribed to 10 symbols of its own, then reset, a thousand a second", beside,
             how={"vanishing": 1000}, peers=(UWebSockets,)),
    Scenario("crowd", "18,000 idle clients", "beside 100 clients at 1,000 ticks/s: connected, without subscriptions",
             beside, how={"idle": 18000}, peers=(UWebSockets,)),
    Scenario("loops", "Two event loops", "100 clients at 5,000 ticks/s; the host is free to use both cores, which it shares "
             "with load and feed", loops, peers=(), how={"clients": 100, "symbols": 10, "rate": 5000}),
    Scenario("deflate", "Compression", "1,000 clients at 100 ticks/s on the same 10 symbols, with and without "
             "permessage-deflate", compression, peers=(), how={"clients": 1000, "symbols": 10, "rate": 100}),
    Scenario("chain", "The whole way",
             "simulator's adapter → C ABI → JSON → bus → proxy → 100 clients on 10 symbols, LTP; times in whole "
             "milliseconds", chain, peers=(), how={
                 "clients": 100, "symbols": 10,
                 "rates": [5000, 10000, 15000, 20000, 25000, 30000, 35000, 40000]}),
]
