#!/usr/bin/env python3
"""Feedhost's fan-out beside its peers on this machine: server on core 0, load client and feed on core 1, loopback only.

Runs each scenario for every server in turn, A B C A B C, and writes medians, least and most into performance.md and
performance.svg. Slowness never fails; what does not run does. Needs a release build (make build), a C compiler, libzmq
and two cores. Peers that cannot be had are left out and named.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import shlex
import signal
import sys
import time
from pathlib import Path

import report
import selfcheck
import servers
import tools
from scenarios import SCENARIOS, Pace

RESULTS = tools.BUILD / "results.json"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--scenario", action="append", choices=names, metavar="NAME",
                        help=f"only this one, repeatable; the others' last figures stay: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="short runs, once each, every third rate: does it work?")
    parser.add_argument("--repetitions", type=int, metavar="N", help="how often each is measured; 3, with --quick 1")
    parser.add_argument("--out", type=Path, help="folder of performance.md and .svg; docs, with --quick .build/bench")
    parser.add_argument("--install", action="store_true", help="try to install missing peers with apt-get")
    return parser.parse_args()


def machine() -> str:
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}"


def prepare(install: bool) -> dict[str, str]:
    """Builds everything. Returns the peers that are absent, with the reason."""
    if not servers.HOST_BINARY.exists():
        raise tools.BenchmarkError(f"{servers.HOST_BINARY} is not there: make build")
    if len(os.sched_getaffinity(0)) < 2:
        raise tools.BenchmarkError("two cores are needed: one for the server, one for load and feed")
    tools.build_tools()
    selfcheck.run()
    reasons = {title: peer.prepare() for title, peer in servers.PEERS.items()}
    if install and any(reasons.values()):
        tools.install_packages(["nats-server", "libuv1-dev"])
        reasons = {title: peer.prepare() for title, peer in servers.PEERS.items()}
    return {title: why for title, why in reasons.items() if why}


def run(scenario, pace: Pace, quick: bool, absent: dict[str, str]) -> dict:
    print(f"{scenario.name}: {scenario.title}; {scenario.what}", flush=True)
    load_average = os.getloadavg()[0]
    available = [peer for title, peer in servers.PEERS.items() if title not in absent]
    figures = scenario.run(scenario, pace, available)
    wanted = {peer.title for peer in scenario.peers}
    return {
        "name": scenario.name, "title": scenario.title, "what": scenario.what, "rows": figures.rows, "quick": quick,
        "repetitions": pace.repetitions, "seconds": pace.seconds, "load_average": load_average,
        "date": time.strftime("%Y-%m-%d"), "absent": {title: why for title, why in absent.items() if title in wanted},
        "command": shlex.join(["Tests/Benchmarks/Fanout/run.py", *sys.argv[1:]])}


def main() -> int:
    chosen = options()
    # So that servers are ended in this case too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pace = Pace.quick() if chosen.quick else Pace()
    if chosen.repetitions:
        pace = dataclasses.replace(pace, repetitions=chosen.repetitions)
    folder = chosen.out or (tools.BUILD if chosen.quick else tools.REPO / "docs")
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    absent = prepare(chosen.install)
    for title, why in absent.items():
        print(f"{title}: {why}")
    # Quick figures and real ones are never mixed.
    results = RESULTS.with_stem("results-quick") if chosen.quick else RESULTS
    records = json.loads(results.read_text()) if results.exists() else {}
    for scenario in SCENARIOS:
        if chosen.scenario and scenario.name not in chosen.scenario:
            continue
        records[scenario.name] = run(scenario, pace, chosen.quick, absent)
        results.write_text(json.dumps(records, indent=1))
        # At once: a run that is broken off keeps what it has.
        report.write([records[known.name] for known in SCENARIOS if known.name in records], machine(), folder)
    print(f"{folder / 'performance.md'}, {folder / 'performance.svg'}: {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (tools.BenchmarkError, AssertionError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
