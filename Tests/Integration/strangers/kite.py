"""kiteconnect's KiteTicker, unmodified: prints what it has received and what it has made of it, a JSON line a message.

Arguments: URL API_KEY ACCESS_TOKEN TICKS, and {"full": [token, …], "quote": […], "ltp": […]} on standard input.
A process of its own: the reactor below it can be started once.
"""

import datetime
import json
import sys
import threading

from kiteconnect import KiteTicker

url, api_key, access_token, limit = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
modes = json.load(sys.stdin)
done = threading.Event()
received: list[bytes] = []
texts: list[str] = []
orders: list[dict] = []
printed = 0


def plain(value):
    """Times as seconds, so that a zone cannot come between."""
    return int(value.timestamp()) if isinstance(value, datetime.datetime) else str(value)


def connected(ticker, response):
    for mode, tokens in modes.items():
        ticker.subscribe(tokens)
        ticker.set_mode(mode, tokens)


def message(ticker, payload, is_binary):
    if not is_binary:
        texts.append(payload.decode())
    elif len(payload) > 4:
        received.append(payload)


def ticks(ticker, decoded):
    global printed
    if printed < limit:
        printed += len(decoded)
        print(json.dumps({"raw": received.pop().hex(), "ticks": decoded}, default=plain), flush=True)
        if printed >= limit:
            done.set()


def order(ticker, data):
    orders.append(data)


ticker = KiteTicker(api_key, access_token, root=url, reconnect=False)
ticker.on_connect, ticker.on_message, ticker.on_ticks, ticker.on_order_update = connected, message, ticks, order
ticker.connect(threaded=True)
code = 0 if done.wait(120) else 3
# It hands over what it has decoded before the message it was in, and both in order.
for text, data in zip([each for each in texts if json.loads(each)["type"] == "order"], orders):
    print(json.dumps({"order": data, "text": text}), flush=True)
sys.exit(code)
