"""NorenRestApiPy's NorenApi, unmodified: prints what it has received and what it has made of it.

Arguments: URL USER TOKEN MESSAGES, and {"t": ["NSE|22", …], "d": […]} on standard input.
"""

import json
import logging
import os
import sys
import threading

logging.disable(logging.CRITICAL)
from NorenRestApiPy.NorenApi import FeedType, NorenApi  # noqa: E402

url, user, token, limit = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
subscriptions = json.load(sys.stdin)
done = threading.Event()
printed = 0
last: list[str] = []


class Client(NorenApi):
    # What the socket hands over, before it is looked at.
    def _NorenApi__on_data_callback(self, ws=None, message=None, data_type=None, continue_flag=None):
        last[:] = [message]
        NorenApi.__dict__["_NorenApi__on_data_callback"](self, ws, message, data_type, continue_flag)


def feed(decoded):
    global printed
    if printed < limit:
        printed += 1
        print(json.dumps({"raw": last[0], "tick": decoded}), flush=True)
        if printed == limit:
            done.set()


def opened():
    if subscriptions.get("t"):
        client.subscribe(subscriptions["t"], feed_type=FeedType.TOUCHLINE)
    if subscriptions.get("d"):
        client.subscribe(subscriptions["d"], feed_type=FeedType.SNAPQUOTE)
    client.subscribe_orders()


client = Client(host="http://127.0.0.1:9/", websocket=url)
client.set_session(userid=user, password="", usertoken=token)
client.start_websocket(
    subscribe_callback=feed, order_update_callback=lambda order: print(json.dumps({"order": order, "text": last[0]}), flush=True),
    socket_open_callback=opened, socket_error_callback=lambda *_: None, socket_close_callback=lambda *_: None)
code = 0 if done.wait(120) else 3
sys.stdout.flush()
os._exit(code)
