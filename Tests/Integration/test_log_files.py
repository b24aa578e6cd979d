"""OpenAlgo's LOG_TO_FILE, LOG_DIR and LOG_RETENTION: what is on standard error is in a file as well."""

from __future__ import annotations

import time

import pytest

from client import Client


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_are_in_the_file_of_the_day(start_host, form):
    def prepare(host):
        log = host.folder / "log"
        log.mkdir()
        (log / "feedhost_2020-01-01.log").write_text("old\n")
        (log / "openalgo_2020-01-01.log").write_text("not ours\n")
        (host.folder / ".env").write_text(f"LOG_TO_FILE = 'True'\nLOG_DIR = 'log'\nLOG_RETENTION = '7'\nLOG_FORMAT='{form}'\n")

    before = time.gmtime()
    host = start_host(before=prepare)
    with Client(host.url, host.keys["alice"]) as client:
        client.subscribe("NSE:RELIANCE")
        client.tick()
    host.stop()
    log = host.folder / "log"
    days = {time.strftime("feedhost_%Y-%m-%d.log", moment) for moment in (before, time.gmtime())}
    written = [path for path in sorted(log.iterdir()) if path.name in days]
    # Nothing else, and in the same order.
    assert "".join(path.read_text() for path in written) == host.stderr
    assert "ready: clients at" in host.stderr and "stopped" in host.stderr
    assert {path.name for path in log.iterdir()} - days <= {"openalgo_2020-01-01.log", "ws_proxy_stats.json"}
    assert host.keys["alice"] not in host.stderr


def test_without_it_there_are_no_files(start_host):
    host = start_host()
    host.stop()
    assert not (host.folder / "log").exists()
