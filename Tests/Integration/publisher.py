"""A publisher from outside, as OpenAlgo's own adapters are: two frames, topic and JSON, sent to the host's bus."""

from __future__ import annotations

import json

import zmq

from host import DEADLINE


class Publisher:
    def __init__(self, endpoint: str):
        self.context = zmq.Context()
        # XPUB instead of PUB: it hears of subscriptions, so nothing is sent before the host listens.
        self.socket = self.context.socket(zmq.XPUB)
        self.socket.linger = 0
        self.socket.sndhwm = 0
        self.socket.connect(endpoint)
        assert self.socket.poll(int(DEADLINE * 1000)), "the host does not subscribe"
        assert self.socket.recv()[:1] == b"\x01"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.context.term()

    def publish(self, topic: str, data) -> None:
        payload = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.socket.send_multipart([topic.encode(), payload])
