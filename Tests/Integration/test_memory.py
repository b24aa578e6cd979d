"""What sessions cost: many users, each with a session of its own and one instrument on it."""

from __future__ import annotations

from host import binary, wait_until

USERS = 40
#: Sessions that come first: after them every thread has run, and what only the first ones cost is paid.
WARM = 8
#: MiB that all of them together may add while ticks come. A ring of 4 MiB each would add 40 in this time.
GROWTH = 3.0
#: KiB of one session with its client. Debug builds take some more than what users get.
SESSION = 64 if "release" in str(binary()) else 72


def mebibytes(host) -> float:
    return host.allocated_kilobytes / 1024


def test_a_session_with_one_instrument_is_small(start_host, connect):
    names = [f"user{number:02}" for number in range(WARM + USERS)]
    host = start_host(
        users=dict.fromkeys(names, "simulator"), settings={"simulator.rate": 100, "simulator.seed": 15})

    def start(name):
        client = connect(host, name)
        client.subscribe("NSE:RELIANCE", mode="Depth", depth=20)
        client.tick()
        return client

    # The first one loads the adapter and starts its thread.
    clients = [start(name) for name in names[:WARM]]
    clients[0].ticks(200)
    before = mebibytes(host)
    clients += [start(name) for name in names[WARM:]]
    started = mebibytes(host)
    # By messages and not by time: 400 records of about 1.2 kB are 480 kB a session.
    for client in clients:
        client.ticks(400)
    wait_until(lambda: all(client.tick()["data"]["seq"] > 400 for client in clients), "400 ticks for everybody")
    after = mebibytes(host)
    print(f"{before:.1f} MiB with {WARM} sessions, {started:.1f} with {USERS} more, {after:.1f} after 400 ticks each")
    assert after - started < GROWTH
    assert (started - before) * 1024 / USERS < SESSION
