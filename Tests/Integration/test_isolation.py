"""Users of one broker do not see each other's sessions: each gets its own ticks, all of them, none twice."""

from __future__ import annotations

import threading

import pytest

from client import assert_unbroken
from host import wait_until
from venue import Connection, Venue, partial_book, trade

STREAMS = ("btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth5@100ms")
COUNT = 300


@pytest.fixture
def venue():
    with Venue() as venue:
        yield venue


def price(connection: int, number: int) -> float:
    """Tells connection and number apart by sight: 2000007 is the seventh of connection 2."""
    return connection * 1_000_000 + number


def play(connection: Connection, first: int = 1, count: int = COUNT) -> None:
    for number in range(first, first + count):
        value = price(connection.number, number)
        connection.send("btcusdt@trade", trade("BTCUSDT", number, str(value)))
        connection.send("btcusdt@depth5@100ms", partial_book(5, base=value) | {"lastUpdateId": number})


def play_all(*connections: Connection, first: int = 1) -> None:
    """All at once."""
    threads = [threading.Thread(target=play, args=(connection, first)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check(client, connection: int, first: int = 1, count: int = COUNT) -> None:
    """The client got exactly what its connection sent: LTP once a trade, Depth once a trade and once a book; but the
    very first trade comes before there is any book, and a Depth message needs one."""
    early = 1 if first == 1 else 0
    ticks = client.ticks(3 * count - early)
    assert_unbroken(ticks)
    ltp = [tick["data"]["ltp"] for tick in ticks if tick["mode"] == 1]
    assert ltp == [price(connection, number) for number in range(first, first + count)]
    books = [tick["data"]["depth"] for tick in ticks if tick["mode"] == 3]
    assert len(books) == 2 * count - early
    best = [book["buy"][0]["price"] for book in books]
    assert best[1 - early::2] == [price(connection, number) - 1 for number in range(first, first + count)]
    client.round_trip()
    assert not client.waiting, "more ticks than were sent"


def test_two_users_on_one_broker(start_host, connect, venue):
    host = start_host(users={"alice": "binance", "bob": "binance"}, settings={"binance.endpoint": venue.endpoint})
    host.set_credentials("alice", "binance", api_key="alice's")
    host.set_credentials("bob", "binance", api_key="bob's")
    clients, connections = [], []
    for number, user in enumerate(["alice", "bob"], start=1):
        client = connect(host, user)
        client.subscribe("CRYPTO:BTCUSDT", mode="LTP")
        client.subscribe("CRYPTO:BTCUSDT", mode="Depth")
        # Each user has a connection of their own.
        connection = venue.carrying(*STREAMS, above=number - 1)
        clients.append(client)
        connections.append(connection)
    # Another client of Alice shares her connection.
    second = connect(host, "alice")
    second.subscribe("CRYPTO:BTCUSDT", mode="LTP")
    second.subscribe("CRYPTO:BTCUSDT", mode="Depth")
    assert len(venue.connections) == 2

    play_all(*connections)
    check(clients[0], 1)
    check(second, 1)
    check(clients[1], 2)

    # Alice's clients leave: Bob does not notice.
    clients[0].close()
    second.close()
    play(connections[1], first=COUNT + 1)
    check(clients[1], 2, first=COUNT + 1)


def test_one_users_lost_connection_is_not_the_others(start_host, connect, venue):
    host = start_host(users={"alice": "binance", "bob": "binance"}, settings={"binance.endpoint": venue.endpoint})
    alice = connect(host, "alice")
    alice.subscribe("CRYPTO:BTCUSDT")
    first = venue.carrying("btcusdt@trade")
    bob = connect(host, "bob")
    bob.subscribe("CRYPTO:BTCUSDT")
    second = venue.carrying("btcusdt@trade", above=1)
    first.drop()
    third = venue.carrying("btcusdt@trade", above=2)
    for number in range(1, 51):
        second.send("btcusdt@trade", trade("BTCUSDT", number, str(price(2, number))))
        third.send("btcusdt@trade", trade("BTCUSDT", number, str(price(3, number))))
    for client, connection in [(bob, 2), (alice, 3)]:
        ticks = client.ticks(50)
        assert_unbroken(ticks)
        assert [tick["data"]["ltp"] for tick in ticks] == [price(connection, number) for number in range(1, 51)]
    assert len(venue.connections) == 3


def test_two_users_on_the_simulator(start_host, connect):
    """With seed 0 every session has a random walk of its own."""
    host = start_host(
        users={"alice": "simulator", "bob": "simulator"}, settings={"simulator.rate": 200, "simulator.seed": 0})
    clients = {user: connect(host, user) for user in ("alice", "bob")}
    for client in clients.values():
        client.subscribe("NSE:RELIANCE", mode="Quote")
    seen = {user: client.ticks(200) for user, client in clients.items()}
    for ticks in seen.values():
        assert_unbroken(ticks)
        volumes = [tick["data"]["volume"] for tick in ticks]
        assert volumes == sorted(volumes), "volume never falls within one session"
    one, other = ([(tick["data"]["open"], tick["data"]["volume"]) for tick in ticks] for ticks in seen.values())
    assert not set(one) & set(other)


def test_users_of_different_brokers(start_host, connect, venue):
    host = start_host(
        users={"alice": "binance", "bob": "simulator"},
        settings={"binance.endpoint": venue.endpoint, "simulator.rate": 100})
    alice, bob = connect(host, "alice"), connect(host, "bob")
    alice.subscribe("CRYPTO:BTCUSDT")
    bob.subscribe("NSE:RELIANCE")
    connection = venue.carrying("btcusdt@trade")
    for number in range(1, 51):
        connection.send("btcusdt@trade", trade("BTCUSDT", number, str(number)))
    assert {(tick["symbol"], tick["broker"]) for tick in alice.ticks(50)} == {("BTCUSDT", "binance")}
    assert {(tick["symbol"], tick["broker"]) for tick in bob.ticks(50)} == {("RELIANCE", "simulator")}
    wait_until(lambda: connection.is_open, "the connection")
