"""OpenAlgo's client, version 2, unmodified: prints order updates, a JSON line each. Arguments: URL KEY COUNT."""

import json
import os
import sys
import threading

import openalgo
from openalgo import api

assert openalgo.__file__.startswith(os.environ["PYTHONPATH"]), openalgo.__file__
url, key, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
done = threading.Event()
seen = 0


def update(order):
    global seen
    print(json.dumps(order), flush=True)
    seen += 1
    if seen == limit:
        done.set()


client = api(api_key=key, host="http://127.0.0.1:5000", ws_url=url)
assert client.connect() is True
assert client.subscribe_orders(on_order_update=update)
print("subscribed", flush=True)
sys.exit(0 if done.wait(30) else 3)
